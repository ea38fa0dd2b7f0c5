"""IGA: a record of a storefront answer becomes an item. Amounts are dollars as JSON numbers."""

from dataclasses import dataclass
from typing import Any

from splitcart.offers import multibuys, unit_prices
from splitcart.sizes import packs
from splitcart_spiders.crawl import fields
from splitcart_spiders.crawl.mapping import Seen, mapping
from splitcart_spiders.items import ProductItem

COMPANY = "IGA"
SLUG = "iga"
SKIP_ROOTS = frozenset({"tobacco", "cigarettes & tobacco", "cigarettes_and_tobacco"})
PROMO_ROOTS = frozenset({"specials", "christmas", "easter", "seasonal", "front of store", "front_of_store"})
PAGE = "https://www.igashop.com.au/product"
PIECE_TOLERANCE_CENTS = 2
_TRUNK = ("grocery", "retailer-prod-v3")
"""Roots above the departments."""
_WEIGHTS = {"gram": "g", "kilogram": "kg"}
_PRICE_KEYS = ("wholePrice", "priceNumeric", "price")


def records(body: object) -> list:
    """Raw records of `{"items": [..]}`, of one item, or of a bare list."""
    if isinstance(body, dict):
        return [body] if "productId" in body or "sku" in body else fields.rows(body.get("items"))
    return fields.rows(body)


@mapping
def to_item(raw: dict, seen: Seen) -> ProductItem:
    """The item of one record. Raises Refused."""
    sku = fields.sku(raw.get("productId"), raw.get("sku"))
    sponsored = seen.is_sponsored(False)
    name = fields.name(raw.get("name"))
    available = fields.flag(raw.get("available"))
    deal = _deal(raw)
    (price, unreadable), was = _prices(raw, available, deal)
    number, measure = _unit_price(raw)
    basis = _basis(raw, price, unit_prices.convert(number, measure))
    if basis is None:  # whether the price is per piece or per kilogram is unknown
        basis, price, was, unreadable = _Basis(), None, None, True
    return ProductItem(
        company=COMPANY,
        store_id=seen.store_code,
        sku=sku,
        name=name,
        brand=fields.text(raw.get("brand")),
        gtin=_barcode(raw.get("barcode")),
        size=_size(fields.obj(raw.get("unitOfSize"))),
        price_cents=price,
        is_unreadable=unreadable or name is None,
        was_price_cents=was,
        price_basis=basis.name,
        typical_grams=basis.grams,
        is_estimated=basis.estimated,
        is_on_special=was is not None,
        is_available=price is not None and available is not False,
        category_path=() if sponsored else _path(raw, seen.category_path),
        url=f"{PAGE}/{fields.slug(name) or 'product'}-{sku}",
        image_url=fields.link(fields.obj(raw.get("image")).get("default")),
        sponsored=sponsored,
        scraped_at=seen.now,
        shelf_unit_price=number,
        shelf_unit_measure=measure,
        **(_offers(raw, deal, price) if price is not None else {}),
    )


@dataclass(frozen=True, slots=True)
class _Deal:
    """The content of `promotions`. With one in force `priceNumeric` may be what the deal costs, and `wholePrice` what
    one costs without it."""

    quantity: int = 1
    """How many must be bought; 1 if there is no condition."""
    total: int | None = None
    """Cents for that many, if the words state them."""
    members: bool = False

    @property
    def conditional(self) -> bool:
        return self.quantity > 1 or self.members


def _deal(raw: dict) -> _Deal | None:
    """The promotion in force, or a multibuy in the words of the price's label. If there are several, the first with a
    condition, since its price is not everyone's."""
    promotions = fields.rows(raw.get("promotions"))[:20]
    if multibuys.from_words(fields.text(raw.get("priceLabel"))):
        promotions = [*promotions, {"name": raw["priceLabel"]}]
    deals = [_one_deal(each) for each in map(fields.obj, promotions) if _in_force(each)]
    return next((deal for deal in deals if deal.conditional), next(iter(deals), None))


def _in_force(promotion: dict) -> bool:
    return bool(promotion) and promotion.get("active") is not False


def _one_deal(promotion: dict) -> _Deal:
    description = " ".join(fields.text(promotion.get(key), 400) or "" for key in ("name", "description"))
    words, least = multibuys.from_words(description), fields.whole_number(promotion.get("minimumQuantity")) or 1
    quantity = least if least > 1 else words[0] if words else 1
    return _Deal(quantity, words[1] if words and words[0] == quantity else None, multibuys.for_members(description))


def _offers(raw: dict, deal: _Deal | None, price: int) -> dict[str, Any]:
    """The offer fields of a deal that requires more than one, or a membership."""
    each = fields.cents(raw.get("priceNumeric"))
    each = each if each and each < price else None
    if deal is None or not deal.conditional:
        return {}
    if deal.quantity == 1:
        return {"member_price_cents": each}
    total = deal.total or (each * deal.quantity if each else None)
    return fields.multibuy((deal.quantity, total), offer_id=None, members=deal.members)


def _prices(raw: dict, available: bool | None, deal: _Deal | None) -> tuple[fields.Price, int | None]:
    """Price and the price before. With a was price the price now is the temporary one, else the whole price.

    The price of a deal with a condition is never the price of one; a deal without a condition is a special.
    """
    if not any(key in raw for key in _PRICE_KEYS):
        return fields.UNREADABLE, None
    reductions = map(fields.obj, fields.rows(raw.get("tprPrice")))
    temporary = next((each.get("wholePrice") for each in reductions if each.get("active") is not False), None)
    before = _first_cents(raw.get("wasWholePrice"), raw.get("wasPriceNumeric"), raw.get("wasPrice"))
    whole_price, numeric, text = (raw.get(key) for key in _PRICE_KEYS)
    if deal is not None and deal.conditional:
        sent = [temporary, whole_price] if before else [whole_price]
    elif before or (deal is not None and fields.above(fields.cents(whole_price), fields.cents(numeric))):
        before = before or fields.cents(whole_price)
        sent = [temporary, numeric, whole_price, text]
    else:
        sent = [whole_price, numeric, text]
    given = [value for value in sent if value is not None]
    price = fields.price(next(iter(given), None), available=available, cents=_first_cents(*given))
    return price, fields.above(before, price.cents)


def _first_cents(*values: object) -> int | None:
    """The first amount above zero; 0 if one is zero and none is above; None if none is an amount."""
    amounts = [cents for cents in map(fields.cents, values) if cents is not None]
    return next((cents for cents in amounts if cents > 0), 0 if amounts else None)


@dataclass(frozen=True, slots=True)
class _Basis:
    name: str = "each"
    grams: int | None = None
    estimated: bool = False


def _basis(raw: dict, price: int | None, shelf: unit_prices.UnitPrice | None) -> _Basis | None:
    """Returns whether the price of loose goods is per piece or per kilogram; None if it fits neither.

    It is per piece if it is what the piece's weight costs. For a piece of a kilogram both fit: then it is per piece,
    unless the goods are sold by weight.
    """
    sold = (fields.text(raw.get("sellBy")) or "").casefold()
    if sold not in ("eachunit", "weight") or price is None:
        return _Basis()
    if shelf is None:
        return None
    if shelf.unit == "ea" and _is_price_of(1000, price, shelf):
        return _Basis()
    unit = fields.obj(raw.get("unitOfSize"))
    grams = fields.grams(unit.get("size"), _WEIGHTS.get((fields.text(unit.get("type")) or "").casefold()))
    grams = grams or fields.grams(unit.get("size"), unit.get("abbreviation"))
    of_a_piece = shelf.unit == "kg" and grams is not None and _is_price_of(grams, price, shelf)
    if shelf.unit == "kg" and price * 100 == shelf.e4 and (sold == "weight" or not of_a_piece):
        return _Basis("kg", grams)
    if of_a_piece:
        return _Basis("each", grams, estimated=True)
    return None


def _is_price_of(thousandths: int, price: int, shelf: unit_prices.UnitPrice) -> bool:
    """Whether `thousandths` of the shelf's unit cost the price, within PIECE_TOLERANCE_CENTS."""
    return abs(price * 100_000 - shelf.e4 * thousandths) <= PIECE_TOLERANCE_CENTS * 100_000


def _unit_price(raw: dict) -> tuple[str | None, str | None]:
    """Number and measure of `pricePerUnit`: `$3.35/l`, `$1.75/100ml`, `$0.62 each`."""
    return fields.shelf_text(raw.get("pricePerUnit"))


def _size(unit: dict) -> str | None:
    """`1l`, `180g`; for pieces, which have no abbreviation, `12 each`. A text that is a size by itself (`6 x 375ml`) is
    kept."""
    amount = fields.amount(unit.get("size"))
    if not amount:
        written = fields.text(unit.get("size"), 100)
        return written if amount is None and packs.parse(written) else None
    printed = format(amount.normalize(), "f")
    short = fields.text(unit.get("abbreviation"), 20)
    kind = fields.text(unit.get("type"), 20) or fields.text(unit.get("label"), 20)
    return f"{printed}{short}" if short else f"{printed} {kind}" if kind else printed


def _barcode(value: object) -> str | None:
    """Digits as sent; None for words such as `notfound`."""
    digits = fields.code(value) or ""
    return digits if digits.isdecimal() else None


def _path(raw: dict, context: tuple[str, ...]) -> tuple[str, ...]:
    """The breadcrumb of the default category from the department down, else the path of the crawl, else the deepest of
    the product's other categories."""
    default = [_crumbs(row) for row in fields.rows(raw.get("defaultCategory"))[:1]]
    others = [_crumbs(row) for row in fields.rows(raw.get("categories"))[:30]]
    return fields.choose_path(
        PROMO_ROOTS, *default, _from_department(fields.path(context)), *sorted(others, key=len, reverse=True)
    )


def _crumbs(category: object) -> tuple[str, ...]:
    """`Grocery/Drinks/Long Life Milk` from the department down."""
    printed = fields.text(fields.obj(category).get("categoryBreadcrumb"), 1000) or ""
    return _from_department(fields.path(printed.split("/")))


def _from_department(names: tuple[str, ...]) -> tuple[str, ...]:
    return names[1:] if names and names[0].casefold() in _TRUNK else names
