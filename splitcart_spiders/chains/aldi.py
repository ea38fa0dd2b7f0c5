"""ALDI: a record of a product search becomes an item. Amounts are integer cents; there are no barcodes."""

from decimal import Decimal

from splitcart.offers import unit_prices
from splitcart.patterns import IGNORE_CASE, Pattern
from splitcart.sizes import packs
from splitcart_spiders.crawl import fields
from splitcart_spiders.crawl.mapping import Seen, mapping
from splitcart_spiders.items import ProductItem

COMPANY = "ALDI"
SLUG = "aldi"
SKIP_ROOTS: frozenset[str] = frozenset()
PROMO_ROOTS = frozenset(
    {"lower prices", "lower-prices", "1588161425841179", "super savers", "super-savers", "1588161407991418"}
    | {"limited time only", "limited-time-only", "1588161420755352", "front of store", "front-of-store"}
    | {"1588161408332092", "christmas", "seasonal", "weekly specials", "weekly-specials"}
    | {"special buys", "special-buys"}
)
PAGE = "https://www.aldi.com.au/product"
IMAGE_WIDTH = "500"
_KILOGRAM = packs.Size(Decimal(1000), "g")
_PER_THING = Pattern(" per [a-z]+$", 100, IGNORE_CASE)
"""What has the weight: a package, a piece, a fillet."""
_AMOUNT = Pattern(
    r"\$\s?[0-9][0-9,]{0,9}(?:\.[0-9]{1,2})?|(?<![0-9.,])[0-9]{1,4}\s?(?:c|¢|cents?)(?![a-z])", 40, IGNORE_CASE
)


def records(body: object) -> list:
    """Raw records of `{"data": [..]}`, of a product's `{"data": {..}}`, or of a bare list."""
    if isinstance(body, dict):
        body = [body] if "sku" in body else body.get("data")
    return [body] if isinstance(body, dict) else fields.rows(body)


@mapping
def to_item(raw: dict, seen: Seen) -> ProductItem:
    """The item of one record. Raises Refused."""
    sku = fields.sku(raw.get("sku") if isinstance(raw.get("sku"), str) else None)
    sponsored = seen.is_sponsored(False)
    name, pricing = fields.name(raw.get("name")), _pricing(raw)
    sold = fields.flag(raw.get("discontinued")) is not True
    size = fields.text(raw.get("sellingSize"), 100)
    number, measure = _unit_price(pricing)
    grams = _approximate_grams(size)
    by_weight = grams is not None and _is_per_kilogram(pricing, number, measure)
    price, unreadable = fields.price(pricing["amount"], available=sold, cents=_cents(pricing["amount"]))
    was = _was(pricing)
    if by_weight and grams:
        price, was = _of_weight(price, grams), _of_weight(was, grams)
    was = fields.above(was, price)
    return ProductItem(
        company=COMPANY,
        store_id=seen.store_code,
        sku=sku,
        name=name,
        brand=fields.text(raw.get("brandName")),
        size=size,
        price_cents=price,
        is_unreadable=unreadable or name is None,
        was_price_cents=was,
        typical_grams=grams,
        is_estimated=price is not None and grams is not None,
        is_on_special=was is not None,
        is_available=price is not None and sold,
        category_path=() if sponsored else _path(raw, seen.category_path),
        url=_page(raw, sku),
        image_url=_image(raw),
        sponsored=sponsored,
        scraped_at=seen.now,
        shelf_unit_price=number,
        shelf_unit_measure=measure,
    )


def _pricing(raw: dict) -> dict:
    """The prices; for null `{"amount": None}`, and an empty amount if none can be read."""
    if raw.get("price", "") is None:
        return {"amount": None}
    return {"amount": ""} | fields.obj(raw.get("price"))


def _cents(value: object) -> int | None:
    """An amount that is cents already."""
    return fields.whole_number(value)


def _unit_price(pricing: dict) -> tuple[str | None, str | None]:
    """`comparison` (cents) for the measure that `comparisonDisplay` names (`$1.68 per 100 g`)."""
    printed, measure = fields.shelf_text(pricing.get("comparisonDisplay"))
    comparison = fields.number(pricing.get("comparison"))
    number = fields.shelf_number(float(comparison / 100)) if comparison else None
    return number or printed, measure


def _approximate_grams(size: str | None) -> int | None:
    """Grams of a pack whose weight is only approximate (`approx. 1.8 kg per package`); the heaviest of a range."""
    parsed = packs.parse(_PER_THING.sub("", size)) if size else None
    if parsed is None or not parsed.approx or parsed.unit != "g":
        return None
    return fields.grams(float(parsed.amount * parsed.count), "g")


def _is_per_kilogram(pricing: dict, number: str | None, measure: str | None) -> bool:
    """Whether the amount is what a kilogram costs by the shelf's unit price (`$0.60 per 100 g`), and so not the pack's
    price."""
    shelf = unit_prices.convert(number, measure)
    return unit_prices.check(_cents(pricing.get("amount")), _KILOGRAM, shelf) == "agrees"


def _of_weight(cents: int | None, grams: int) -> int | None:
    """Cents for `grams` at `cents` a kilogram, halves rounded up as at a till."""
    return None if cents is None else max(1, (cents * grams + 500) // 1000)


def _was(pricing: dict) -> int | None:
    """`wasPriceDisplay` is text: `$2.00`, `95c`."""
    amount = _AMOUNT.search(fields.text(pricing.get("wasPriceDisplay"), 40) or "")
    return fields.cents(amount[0]) if amount else None


def _path(raw: dict, context: tuple[str, ...]) -> tuple[str, ...]:
    """The product's own categories, root then leaf, unless they are a campaign's."""
    names = [fields.obj(category).get("name") for category in fields.rows(raw.get("categories"))[: fields.DEEPEST_PATH]]
    return fields.choose_path(PROMO_ROOTS, fields.path(names), fields.path(context))


def _page(raw: dict, sku: str) -> str | None:
    slug = fields.text(raw.get("urlSlugText"))
    return fields.url(PAGE, f"{slug}-{sku}") if slug else None


def _image(raw: dict) -> str | None:
    """The first picture; its address is a template with a width and the product's slug."""
    first = fields.obj(next(iter(fields.rows(raw.get("assets"))), None))
    template = fields.text(first.get("url"), fields.LONGEST_URL)
    return fields.link(template.replace("{width}", IMAGE_WIDTH).replace("/{slug}", "")) if template else None
