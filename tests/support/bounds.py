"""What holds for everything that a mapping returns, whatever it was given."""

from splitcart_spiders.items import Drop, ProductItem


def assert_bounded(outcome: object) -> None:
    """An item with usable, bounded fields, or a drop with a reason."""
    if isinstance(outcome, Drop):
        assert outcome.reason.isidentifier()
        assert outcome.sku is None or 0 < len(outcome.sku) <= 40
        return
    assert isinstance(outcome, ProductItem)
    assert outcome.sku
    assert outcome.name
    for field in ("sku", "name", "brand", "gtin", "size", "offer_id", "url", "image_url", "shelf_unit_measure"):
        value = getattr(outcome, field)
        assert value is None or (0 < len(value) <= 3000 and not set("\x00\n\r\t") & set(value)), field
        assert value is None or value.encode("utf-8"), field
    for field in ("price_cents", "was_price_cents", "multibuy_total_cents"):
        value = getattr(outcome, field)
        assert value is None or (type(value) is int and 0 < value <= 100_000_000), field
    assert outcome.price_basis in ("each", "kg")
    assert outcome.is_on_special == (outcome.was_price_cents is not None)
    assert outcome.price_cents is not None or not outcome.is_available
    assert len(outcome.category_path) <= 8
    assert all(0 < len(name) <= 120 for name in outcome.category_path)
