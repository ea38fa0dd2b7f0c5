"""A CSV feed holds no formula; every other feed is exact."""

import csv
import json
from io import BytesIO, StringIO

import pytest
from scrapy.utils.misc import load_object
from scrapy.utils.project import get_project_settings

from splitcart_spiders.items import ProductItem

HOSTILE = ["=1+1", "+61", "-196 Lemon", "@SUM(A1)", "\t=1", "\r=1"]


def exported(kind: str, item: ProductItem) -> str:
    settings = get_project_settings()
    exporters = settings.getwithbase("FEED_EXPORTERS")
    target = BytesIO()
    exporter = load_object(exporters[kind])(target, fields_to_export=settings.getlist("FEED_EXPORT_FIELDS"))
    exporter.start_exporting()
    exporter.export_item(item)
    exporter.finish_exporting()
    return target.getvalue().decode()


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_cell_is_defused_and_a_number_is_not(text):
    item = ProductItem(company="IGA", store_id="1", sku="2", name=text, price_cents=-5, category_path=(text, "b"))
    [row] = csv.DictReader(StringIO(exported("csv", item), newline=""))
    assert row["name"] == f"'{text}"
    assert row["category_path"] == f"'{text},b"
    assert row["price_cents"] == "-5"
    assert json.loads(exported("json", item))[0]["name"] == text
    assert json.loads(exported("jsonlines", item))["name"] == text
