"""Feeds (`-O file`): one row per sku, the one that publishing would choose; CSV files that a spreadsheet may open."""

import logging
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace
from typing import Any, Self

from scrapy import Field
from scrapy.crawler import Crawler
from scrapy.exporters import (
    BaseItemExporter,
    CsvItemExporter,
    JsonItemExporter,
    JsonLinesItemExporter,
    XmlItemExporter,
)

from splitcart.printing import cell
from splitcart_spiders.crawl.fields import is_campaign
from splitcart_spiders.items import BarcodeItem, CategoryItem, ProductItem
from splitcart_spiders.storefront import StorefrontSpider

logger = logging.getLogger(__name__)

CATEGORY_FIELDS = ("company", "store_id", "category_key", "category_path", "is_promo")


@dataclass(slots=True)
class _Sku:
    """What the rows of a sku have shown so far."""

    row: ProductItem
    rank: int
    category: tuple[str, ...] = ()
    is_promo: bool = True
    """Whether the category is a campaign's, so that another may take its place."""


class Choice:
    """Chooses one row per sku, as models.runs.chosen.chosen does from staged rows, for any number of stores."""

    def __init__(self, promo_roots: Set[str] = frozenset()) -> None:
        self.promo_roots = promo_roots
        self._skus: dict[tuple[str, str, str], _Sku] = {}
        self._gtins: dict[tuple[str, str, str], str] = {}

    def add(self, item: ProductItem) -> None:
        """Add the next row.

        The last organic row gives the offer (an advertised row only if there is no organic one, a row whose price could
        not be read only if there is no other); the first organic row outside the promotional roots gives the category.
        """
        key = (item.company, item.store_id, item.sku)
        is_readable = item.price_cents is not None or not item.is_unreadable
        rank = 2 * is_readable + (not item.sponsored)
        state = self._skus.get(key)
        if state is None:
            state = self._skus[key] = _Sku(item, rank)
        elif rank >= state.rank:
            state.row, state.rank = item, rank
        if item.category_path and not item.sponsored and state.is_promo:
            is_promo = is_campaign(item.category_path[0], self.promo_roots)
            if not state.category or not is_promo:
                state.category, state.is_promo = item.category_path, is_promo

    def barcode(self, item: BarcodeItem) -> None:
        """Add the barcode of a product page."""
        if item.gtin:
            self._gtins[item.company, item.store_id, item.sku] = item.gtin

    def rows(self) -> Iterable[ProductItem]:
        """The rows, in the order in which the skus were first seen."""
        for key, state in self._skus.items():
            gtin = state.row.gtin or self._gtins.get(key)
            yield replace(state.row, category_path=state.category, gtin=gtin)


class OneRowASku(BaseItemExporter):
    """Keeps the rows until the end. A mixin: it precedes one of Scrapy's exporters in a class's bases."""

    with_categories = False
    """Setting EXPORT_CATEGORIES: whether the categories that were walked follow the products."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.choice = Choice()
        self.categories: list[CategoryItem] = []

    @classmethod
    def from_crawler(cls, crawler: Crawler, *arguments: Any, **options: Any) -> Self:
        exporter = cls(*arguments, **options)
        exporter.with_categories = crawler.settings.getbool("EXPORT_CATEGORIES")
        if isinstance(crawler.spider, StorefrontSpider):
            exporter.choice.promo_roots = crawler.spider.chain.PROMO_ROOTS
        return exporter

    def export_item(self, item: Any) -> None:
        """Keep a product; a locator's store is written at once."""
        if isinstance(item, ProductItem):
            self.choice.add(item)
        elif isinstance(item, BarcodeItem):
            self.choice.barcode(item)
        elif isinstance(item, CategoryItem):
            self.categories.append(item)
        else:
            super().export_item(item)  # type: ignore[safe-super]

    def finish_exporting(self) -> None:
        """Write what was kept."""
        rows = list(self.choice.rows())
        for row in rows:
            super().export_item(row)  # type: ignore[safe-super]
        if self.with_categories:
            self._write_categories()
        if rows:
            logger.info("exported %s products", f"{len(rows):,}")
        super().finish_exporting()

    def _write_categories(self) -> None:
        if not isinstance(self, CsvItemExporter):  # whose columns are the products'
            self.fields_to_export = CATEGORY_FIELDS
        for one in self.categories:
            row = {"company": one.company, "store_id": one.store_id, "category_path": one.path}
            super().export_item(row | {"category_key": one.key, "is_promo": one.is_promo})  # type: ignore[safe-super]


class Json(OneRowASku, JsonItemExporter):
    """`-O items.json`."""


class JsonLines(OneRowASku, JsonLinesItemExporter):
    """`-O items.jsonl`."""


class Xml(OneRowASku, XmlItemExporter):
    """`-O items.xml`."""


class SafeCsv(OneRowASku, CsvItemExporter):
    """`-O items.csv`. Text cells are never formulas; other formats stay exact."""

    def serialize_field(self, field: Mapping[str, Any] | Field, name: str, value: object) -> object:
        """The value as a cell."""
        return cell(super().serialize_field(field, name, value))
