"""Feeds that are written for people: CSV files that a spreadsheet may open."""

from collections.abc import Mapping
from typing import Any

from scrapy import Field
from scrapy.exporters import CsvItemExporter

from splitcart.printing import cell


class SafeCsvItemExporter(CsvItemExporter):
    """Scrapy's own, whose text cells are never formulas. Other formats stay exact."""

    def serialize_field(self, field: Mapping[str, Any] | Field, name: str, value: Any) -> Any:
        """The value as a cell."""
        return cell(super().serialize_field(field, name, value))
