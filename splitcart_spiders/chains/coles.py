"""Coles: a record of a browse page's data becomes an item. Amounts are dollars; barcodes are on product pages."""

from typing import Any

from splitcart import gtin, money
from splitcart.offers import multibuys, unit_prices
from splitcart.patterns import Pattern
from splitcart.sizes import packs
from splitcart_spiders.crawl import fields
from splitcart_spiders.crawl.mapping import Seen, mapping
from splitcart_spiders.crawl.pages import json_ld as json_ld
from splitcart_spiders.crawl.pages import next_data as next_data
from splitcart_spiders.items import Drop, ProductItem

COMPANY = "Coles"
SLUG = "coles"
SKIP_ROOTS = frozenset({"tobacco", "17490"})
"""Not crawled."""
PROMO_ROOTS = frozenset(
    {"down down", "down-down", "8906007", "specials", "christmas", "seasonal", "easter", "halloween"}
    | {"bonus credit products", "bonus-credit-products", "bonus entry products", "bonus-entry-products", "853791606"}
    | {"big pack value", "big-pack-value", "772566492", "deliver more range", "deliver-more-range", "551677585"}
    | {"back to school", "back-to-school", "8904801", "front of store", "front-of-store"}
    | {"everyday market", "everyday-market", "big night in", "big-night-in"}
)
SITE = "https://www.coles.com.au"
PAGE = f"{SITE}/product"
IMAGES = "https://cdn.productimages.coles.com.au/productimages"
_SLUG = Pattern("[A-Za-z0-9][A-Za-z0-9._~%-]{0,299}", most=300)
_KIND = Pattern("[A-Z][A-Z_]{0,39}", most=40)


def records(body: object) -> list:
    """Raw records, including tiles and associations, of a data answer, a page's `__NEXT_DATA__`, pageProps or a list.

    For a product's own page the product, which has its barcode as well.
    """
    if isinstance(body, list):
        return body
    if isinstance(body, dict) and ("_type" in body or "pricing" in body):
        return [body]
    props = _page_props(body)
    if props.get("searchResults") is None and isinstance(props.get("product"), dict):
        return [props["product"]]
    return fields.rows(_results(props))


@mapping
def to_item(raw: dict, seen: Seen) -> ProductItem | Drop:
    """The item of one record, or why there is none. A record that is not a product is dropped without a sku, because no
    total counts it.

    Raises Refused.
    """
    if (kind := raw.get("_type", "PRODUCT")) != "PRODUCT":
        return Drop(_not_a_product(kind))
    sku = fields.sku(raw.get("id"))
    if raw.get("targetProductId"):
        return Drop("product_association")
    return _item(raw, sku, seen, seen.is_sponsored(_is_advertised(raw)))


def answered_for(body: object) -> str | None:
    """The store that a page was made for, without the zeros of its padding; None if the page does not name one."""
    padded = fields.code(_page_props(body).get("initStoreId"))
    return str(int(padded)) if padded and padded.isdecimal() else None


def is_shelved(record: object, path: tuple[str, ...]) -> bool:
    """Whether one of a record's shelves (`onlineHeirs`) is at a path of names or below it."""
    wanted = [name.casefold() for name in fields.path(path)]
    return any([name.casefold() for name in shelf[: len(wanted)]] == wanted for shelf in _shelves(fields.obj(record)))


def gtin_from_product(body: object, sku: str | None = None) -> str | None:
    """The barcode (14 digits) of a product page's data, pageProps, product or JSON-LD; None without a valid one.

    Several may be sent, as a list or separated by commas: one of 13 digits is preferred. The row's own `sku` is not a
    barcode.
    """
    for product in _products(body):
        known = sku or fields.code(product.get("id"))
        for key in ("gtin", "gtin13", "gtin14", "gtin12", "gtin8", "mpn"):
            if barcode := gtin.normalise(product.get(key), known):
                return barcode
    return None


def shows_product(body: object, sku: str) -> bool:
    """Whether a product page's data is that of the product. Otherwise (a redirect, notFound, a status in place of the
    product, another product) the barcode remains unknown."""
    outer, product = fields.obj(body), fields.obj(_page_props(body).get("product"))
    if outer.get("notFound") or _redirect_target(body) is not None:
        return False
    return fields.code(product.get("id")) == sku


def redirect(body: object, sku: str) -> str | None:
    """The last part of the address to which a product's page redirects; None if that is not a page of the product on
    the site itself."""
    path = (_redirect_target(body) or "").removeprefix(SITE).partition("?")[0].partition("#")[0]
    slug = path.removeprefix("/product/")
    if not path.startswith("/product/") or not _SLUG.fullmatch(slug):
        return None
    return slug if slug.rpartition("-")[2] == sku else None


def _redirect_target(body: object) -> str | None:
    return fields.text(_page_props(body).get("__N_REDIRECT"), fields.LONGEST_URL)


def _products(body: object) -> list[dict]:
    """The product of pageProps, or the Products of JSON-LD, however they are wrapped."""
    products = []
    for block in body[:20] if isinstance(body, list) else [body]:
        props = _page_props(block)
        for part in [*fields.rows(props.get("@graph"))[:20], props]:
            inner = fields.obj(part)
            products.append(fields.obj(inner.get("product")) or fields.obj(inner.get("mainEntity")) or inner)
    return [row for row in products if _type_names(row) & {"Product", ""}]


def _type_names(row: dict) -> set[str]:
    """The types of a row of JSON-LD; an empty name if it has none."""
    named = row.get("@type", "")
    return {name for name in (named if isinstance(named, list) else [named]) if isinstance(name, str)}


def _page_props(body: object) -> dict:
    """pageProps, from a data answer, a page's `__NEXT_DATA__`, or given directly."""
    outer = fields.obj(body)
    outer = fields.obj(outer.get("props")) or outer
    return fields.obj(outer.get("pageProps")) or outer


def _results(props: dict) -> object:
    results = fields.obj(props.get("searchResults"))
    return results.get("results") if results else props.get("results")


def _not_a_product(kind: object) -> str:
    """`single_tile`, `product_association` and the like; `not_a_product` for a kind without such a name."""
    known = isinstance(kind, str) and _KIND.fullmatch(kind)
    return str(kind).lower() if known else "not_a_product"


def _item(raw: dict, sku: str, seen: Seen, sponsored: bool) -> ProductItem:
    name, pricing = fields.name(raw.get("name")), _pricing(raw)
    available = fields.flag(raw.get("availability"))
    price, unreadable = fields.price(pricing["now"], available=available, cents=fields.cents(pricing["now"]))
    was = fields.above(fields.cents(pricing.get("was")), price)
    offers = _offers(pricing) if price is not None else {}
    if was is not None and _is_for_members(pricing):
        price, was, offers["member_price_cents"] = was, None, price
    unit = fields.obj(pricing.get("unit"))
    weighted = unit.get("isWeighted") is True
    number, measure = _unit_price(pricing, unit, weighted)
    shelf = unit_prices.convert(number, measure)
    size = _size(raw, price, shelf, estimated=weighted)
    return ProductItem(
        company=COMPANY,
        store_id=seen.store_code,
        sku=sku,
        name=name,
        brand=fields.text(raw.get("brand")),
        gtin=gtin.normalise(raw.get("gtin"), sku),
        size=size,
        price_cents=price,
        is_unreadable=unreadable or name is None,
        was_price_cents=was,
        typical_grams=_typical_grams(size, unit, price, shelf) if weighted else None,
        is_estimated=weighted and price is not None,
        is_on_special=was is not None,
        is_available=price is not None and available is not False,
        category_path=() if sponsored else _path(raw, seen.category_path),
        url=_page(raw, sku),
        image_url=_image(raw),
        sponsored=sponsored,
        scraped_at=seen.now,
        shelf_unit_price=number,
        shelf_unit_measure=measure,
        **offers,
    )


def _pricing(raw: dict) -> dict:
    """The prices; for null, which means that there are none, `{"now": None}`; an empty amount if none can be read."""
    if raw.get("pricing", "") is None:
        return {"now": None}
    return {"now": ""} | fields.obj(raw.get("pricing"))


def _is_advertised(raw: dict) -> bool:
    return raw.get("featured") is True or bool(raw.get("adId")) or bool(raw.get("adSource"))


def _size(raw: dict, price: int | None, shelf: unit_prices.UnitPrice | None, *, estimated: bool) -> str | None:
    """The size, else the end of the till's text if that is one (`BEER CAN 375ML:PACK6`) and the unit price does not
    contradict it (`BLOCK 30 375ML` of $56 at $4.98 a litre is not 375 ml)."""
    if size := fields.text(raw.get("size"), 100):
        return size
    ending = packs.ending(fields.text(raw.get("description"), 100))
    agreement = unit_prices.check(price, packs.parse(ending), shelf, estimated=estimated)
    return None if agreement == "conflict" else ending


def _typical_grams(size: str | None, unit: dict, price: int | None, shelf: unit_prices.UnitPrice | None) -> int | None:
    """The weight that the price buys: the unit's quantity or the printed size, whichever the unit price agrees with.

    If it agrees with neither, the printed size, else the quantity: the unit's measure of weighted rows is often wrong.
    """
    parsed, quantity = packs.parse(size), unit.get("quantity")
    printed = None
    if parsed is not None and parsed.unit == "g" and parsed.low is None:
        printed = fields.grams(float(parsed.amount * parsed.count), "g")
    quantities = [fields.grams(quantity, measure) for measure in ("g", "kg")]
    for grams in (*quantities, printed):
        if grams is not None and price is not None and shelf is not None and unit_prices.weighs(price, grams, shelf):
            return grams
    return printed or fields.grams(quantity, unit.get("ofMeasureUnits"))


def _unit_price(pricing: dict, unit: dict, weighted: bool) -> tuple[str | None, str | None]:
    """Number and measure of `comparable`; else of `unit`, which is wrong for weighted rows unless its measure is kg."""
    printed = fields.shelf_text(pricing.get("comparable"))
    if printed[0]:
        return printed
    units, many = fields.text(unit.get("ofMeasureUnits"), 20), fields.whole_number(unit.get("ofMeasureQuantity"))
    if units is None or many is None or (weighted and units.casefold() != "kg"):
        return printed
    number = fields.shelf_number(unit.get("price"))
    return (number, f"{many}{units}") if number else printed


def _offers(pricing: dict) -> dict[str, Any]:
    """The multibuy, everyone's or members'."""
    offer_id = fields.obj(pricing.get("multiBuyPromotion")).get("id")
    return fields.multibuy(_multibuy(pricing), offer_id=offer_id, members=_is_for_members(pricing))


def _multibuy(pricing: dict) -> tuple[int | None, int | None] | None:
    """Quantity and total. `reward` is the price of each, rounded, when `minQuantity` are bought; words that state the
    total of that many (`Pick any 3 for $10`) take precedence; without a promotion they alone are the multibuy."""
    statements = (fields.text(pricing.get(key)) for key in ("offerDescription", "priceDescription"))
    words = next((terms for terms in map(multibuys.from_words, statements) if terms), None)
    promotion = fields.obj(pricing.get("multiBuyPromotion"))
    if not promotion:
        return words
    quantity, each = fields.whole_number(promotion.get("minQuantity")), fields.number(promotion.get("reward"))
    if words and words[0] == quantity:
        return words
    return quantity, money.to_cents(each * quantity) if quantity and each else None


def _is_for_members(pricing: dict) -> bool:
    """Whether the offer is one of the loyalty scheme's, by its type or by its words."""
    keys = ("offerDescription", "priceDescription", "saveStatement")
    statements = [fields.text(pricing.get(key)) or "" for key in keys]
    by_words = any(multibuys.for_members(words) or "flybuys" in words.casefold() for words in statements)
    return by_words or pricing.get("promotionType") == "FLYBUYS"


def _path(raw: dict, context: tuple[str, ...]) -> tuple[str, ...]:
    """The first shelf of the product that is not a campaign; from the top, its names are subCategory, category,
    aisle."""
    return fields.choose_path(PROMO_ROOTS, *_shelves(raw), fields.path(context))


def _shelves(raw: dict) -> list[tuple[str, ...]]:
    """The paths of a record's shelves; subCategory is the top one, aisle the leaf."""
    heirs = [fields.obj(heir) for heir in fields.rows(raw.get("onlineHeirs"))[:30]]
    return [fields.path([heir.get(key) for key in ("subCategory", "category", "aisle")]) for heir in heirs]


def _page(raw: dict, sku: str) -> str:
    """The site finds the page by the id at the end; the words before it are for readers."""
    words = fields.slug(*(fields.text(raw.get(key)) for key in ("brand", "name", "size")))
    return f"{PAGE}/{words or 'product'}-{sku}"


def _image(raw: dict) -> str | None:
    """The first picture's address; a path of the images' own host."""
    first = fields.obj(next(iter(fields.rows(raw.get("imageUris"))), None))
    uri = fields.text(first.get("uri"), fields.LONGEST_URL)
    return fields.link(f"{IMAGES}/{uri.lstrip('/')}") if uri and "://" not in uri else fields.link(uri)
