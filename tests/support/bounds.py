"""What holds for everything that a mapping returns, for any input."""

from splitcart_spiders.items import Drop, ProductItem


def assert_bounded(outcome: object) -> None:
    """An item with usable, bounded fields, or a drop with a reason."""
    if isinstance(outcome, Drop):
        assert outcome.reason.isidentifier()
        assert outcome.sku is None or 0 < len(outcome.sku) <= 40
        return
    assert isinstance(outcome, ProductItem)
    assert outcome.sku
    assert outcome.name or (outcome.name is None and outcome.is_unreadable)
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
    assert not outcome.is_unreadable or outcome.name is None or outcome.price_cents is None
    assert len(outcome.category_path) <= 8
    assert all(0 < len(name) <= 120 for name in outcome.category_path)


def assert_sighted(outcome: object, sku: str) -> None:
    """An item that shows the listing without a price."""
    assert_bounded(outcome)
    assert isinstance(outcome, ProductItem)
    assert (outcome.sku, outcome.is_unreadable, outcome.price_cents) == (sku, True, None)
    assert outcome.name
    assert (outcome.is_available, outcome.is_ranged, outcome.is_on_special) == (False, True, False)
    offer = (outcome.was_price_cents, outcome.multibuy_quantity, outcome.multibuy_total_cents, outcome.offer_kind)
    assert offer == (None,) * 4


def assert_unnamed(outcome: object, price: int | None) -> None:
    """An item without a name, whose price was read nevertheless."""
    assert_bounded(outcome)
    assert isinstance(outcome, ProductItem)
    assert (outcome.name, outcome.is_unreadable, outcome.price_cents) == (None, True, price)
