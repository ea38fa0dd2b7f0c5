"""Stage 200: texts trimmed, unescaped and bounded, names without trade marks; valid barcodes and addresses only."""

from pipelines.stage import Stage
from splitcart import cleaning, gtin
from splitcart_spiders.items import ProductItem

_BOUNDS = {"name": 300, "brand": 120, "size": 100, "offer_id": 60, "offer_kind": 30, "shelf_unit_measure": 40}
_NAMES = frozenset({"name", "brand"})
_LONGEST_URL = 1000


class CleanPipeline(Stage):
    """Clears and counts invalid barcodes and addresses. A name of white space only is unreadable."""

    name = "clean"

    def process(self, item: ProductItem) -> ProductItem:
        named = item.name is not None
        for field, bound in _BOUNDS.items():
            setattr(item, field, _text(getattr(item, field), bound, named=field in _NAMES))
        item.sku, item.store_id = item.sku.strip(), item.store_id.strip()
        if named and item.name is None:
            self.count("no_name")
            item.is_unreadable = True
        item.category_path = tuple(name for name in (_text(name, 120) for name in item.category_path) if name)
        if item.gtin is not None:
            item.gtin = gtin.normalise(item.gtin, item.sku)
            if item.gtin is None:
                self.count("refused_gtin")
        for field in ("url", "image_url"):
            address = getattr(item, field)
            if address is not None and not _is_address(address):
                self.count(f"refused_{field}")
                setattr(item, field, None)
        return item


def _text(value: str | None, bound: int, *, named: bool = False) -> str | None:
    if value is None:
        return None
    read = cleaning.readable(value[: bound * 8])
    return cleaning.clean(cleaning.without_marks(read) if named else read, bound)


def _is_address(value: str) -> bool:
    plain = len(value) <= _LONGEST_URL and value == cleaning.clean(value, _LONGEST_URL) and " " not in value
    return plain and value.lower().startswith(("http://", "https://"))
