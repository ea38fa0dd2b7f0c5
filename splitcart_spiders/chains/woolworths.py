"""Woolworths: a record of a browse or search answer becomes an item. Amounts are dollars as JSON numbers."""

import json
from typing import Any

from splitcart.offers import multibuys
from splitcart.sizes import packs
from splitcart_spiders.crawl import fields
from splitcart_spiders.crawl.mapping import Seen, mapping
from splitcart_spiders.items import Drop, ProductItem

COMPANY = "Woolworths"
SLUG = "woolworths"
SKIP_ROOTS = frozenset(
    {"everyday market", "everyday-market", "1_a363395"}
    | {"front of store", "front-of-store", "1_b63cf9e", "cigarettes & tobacco", "cigarettes-tobacco", "tobacco"}
)
"""Another seller's market, and the restricted root of tobacco: not crawled."""
PROMO_ROOTS = frozenset(
    {"specials", "specialsgroup", "big night in", "big-night-in", "1_31c28bc", "dinner", "1_8ad6702"}
    | {"lunch box", "lunch-box", "1_9e92c35", "cookware bonus credits", "cookware-bonus-credits", "1_23cf4f6"}
)
PAGE = "https://www.woolworths.com.au/shop/productdetails"
_LONGEST_NAMES_JSON = 2000
_MOST_LABELS = 40
_NO_SHELVES = PROMO_ROOTS | SKIP_ROOTS


def records(body: object) -> list:
    """Raw records of `{"Bundles": [..]}`, of a search's `{"Products": [{"Products": [..]}]}`, of a list of either."""
    if isinstance(body, dict):
        if "Stockcode" in body:
            return [body]
        if isinstance(body.get("Product"), dict):
            return [body["Product"]]
        body = body.get("Bundles") if body.get("Bundles") is not None else body.get("Products")
    raw: list = []
    for row in fields.rows(body):
        if isinstance(row, dict) and "Stockcode" not in row and "Products" in row:
            inner = row["Products"]
            raw.extend(inner if isinstance(inner, list) else [] if inner is None else [inner])
        else:
            raw.append(row)
    return raw


@mapping
def to_item(raw: dict, seen: Seen, *, keep_marketplace: bool = False) -> ProductItem | Drop:
    """The item of one record, or why there is none. Raises Refused.

    keep_marketplace: whether rows of other sellers make items too.
    """
    sku, sponsored = fields.sku(raw.get("Stockcode")), seen.is_sponsored(_is_advertised(raw))
    if not keep_marketplace and is_market(raw):
        return Drop("marketplace", sku, sponsored)
    return _item(raw, sku, seen, sponsored)


def answered_for(record: object) -> str | None:
    """The store that fulfils one of Woolworths' own rows; None if the row names none, or is another seller's."""
    raw = fields.obj(record)
    return None if is_market(raw) else fields.code(raw.get("FulfilmentStoreId"))


def is_market(raw: dict) -> bool:
    """Whether a row is another seller's: it is marked so, or names a vendor, or has a stock code of 10 digits."""
    if raw.get("IsMarketProduct") is True or fields.text(raw.get("Vendor")):
        return True
    return bool(raw.get("ThirdPartyProductInfo")) or len(fields.code(raw.get("Stockcode")) or "") >= 10


def _item(raw: dict, sku: str, seen: Seen, sponsored: bool) -> ProductItem:
    name, sent = fields.name(raw.get("DisplayName"), raw.get("Name")), raw.get("Price", "")
    available = fields.flag(raw.get("IsAvailable"), raw.get("IsInStock"), raw.get("IsPurchasable"))
    price, unreadable = fields.price(sent, available=available, cents=fields.cents(sent))
    was = fields.above(fields.cents(raw.get("WasPrice")), price)
    by_weight = (fields.text(raw.get("Unit")) or "").casefold() == "kg"
    return ProductItem(
        company=COMPANY,
        store_id=seen.store_code,
        sku=sku,
        name=name,
        brand=fields.text(raw.get("Brand")),
        gtin=_barcode(raw.get("Barcode")),
        size=fields.text(raw.get("PackageSize"), 100),
        price_cents=price,
        is_unreadable=unreadable or name is None,
        was_price_cents=was,
        price_basis="kg" if by_weight else "each",
        typical_grams=_step_grams(raw) if by_weight else None,
        is_estimated=not by_weight and _is_range(raw),
        is_on_special=was is not None,
        is_available=price is not None and available is not False,
        is_ranged=fields.flag(raw.get("IsRanged")) is not False,
        category_path=() if sponsored else _path(raw, seen.category_path),
        url=fields.url(PAGE, sku, fields.text(raw.get("UrlFriendlyName"))),
        image_url=fields.link(raw.get("LargeImageFile")),
        sponsored=sponsored,
        scraped_at=seen.now,
        shelf_unit_price=fields.shelf_number(raw.get("CupPrice")),
        shelf_unit_measure=fields.text(raw.get("CupMeasure"), 40),
        **(_offers(raw) if price is not None else {}),
    )


def _offers(raw: dict) -> dict[str, Any]:
    """The members' price, and a multibuy: everyone's, or members' if a label of the row mentions members."""
    tag = fields.obj(raw.get("CentreTag"))
    member_price = fields.cents(fields.obj(tag.get("MemberPriceData")).get("PromotionalPrice"))
    return {"member_price_cents": member_price or None} | fields.multibuy(
        _multibuy(tag, fields.obj(raw.get("ImageTag"))), offer_id=raw.get("OfferId"), members=_is_for_members(raw, tag)
    )


def _multibuy(tag: dict, image: dict) -> tuple[int | None, int | None] | None:
    """Quantity and total: `MultibuyData.Price` is the total of its `Quantity`; without it those of the tags' words."""
    data = fields.obj(tag.get("MultibuyData"))
    if data:
        return fields.whole_number(data.get("Quantity")), fields.cents(data.get("Price"))
    return multibuys.from_words(fields.text(tag.get("TagContentText")) or fields.untagged(tag.get("TagContent"))) or (
        multibuys.from_words(fields.text(image.get("FallbackText")))
    )


def _is_for_members(raw: dict, tag: dict) -> bool:
    """Whether one of the row's labels mentions members; which one it is differs from row to row."""
    labels = [*tag.values(), *fields.obj(raw.get("ImageTag")).values()][:_MOST_LABELS]
    by_label = any(multibuys.for_members(label[: multibuys.LONGEST]) for label in labels if isinstance(label, str))
    return by_label or tag.get("IsRegisteredRewardCardPromotion") is True


def _is_advertised(raw: dict) -> bool:
    source = raw.get("Source")
    promoted = isinstance(source, str) and source.endswith(".Promoted")
    return raw.get("IsSponsoredAd") is True or raw.get("AdStatus") == "Promoted" or promoted


def _is_range(raw: dict) -> bool:
    """Whether the pack is a range of weights: a roast of `1kg - 2.5kg` has the price of the heaviest, an estimate."""
    if fields.cents(raw.get("MinWeightPrice")) and fields.cents(raw.get("MaxWeightPrice")):
        return True
    size = packs.stated(fields.text(raw.get("PackageSize"), 100), fields.name(raw.get("DisplayName"), raw.get("Name")))
    return size is not None and size.low is not None and size.unit == "g"


def _step_grams(raw: dict) -> int | None:
    return fields.grams(raw.get("IncrementalMinimumQuantity"), raw.get("IncrementalMinimumQuantityUnit"))


def _barcode(value: object) -> str | None:
    """Digits as sent; 11 get their lost leading zero back, and the check digit of the 12 is verified later."""
    digits = fields.code(value) or ""
    if not digits.isdecimal():
        return None
    return digits.zfill(12) if len(digits) == 11 else digits


def _path(raw: dict, context: tuple[str, ...]) -> tuple[str, ...]:
    """The path of the crawl, extended by the product's own names if they lie below it; without it, these names."""
    more = fields.obj(raw.get("AdditionalAttributes"))
    keys = ("piesdepartmentnamesjson", "piescategorynamesjson", "piessubcategorynamesjson")
    named = _one_shelf([_names(more.get(key)) for key in keys])
    walked = fields.path(context)
    if [name.casefold() for name in named[: len(walked)]] == [name.casefold() for name in walked]:
        walked = named  # the same department, and deeper than the crawl went
    return fields.choose_path(PROMO_ROOTS, walked, named)


def _one_shelf(levels: list[list]) -> tuple[str, ...]:
    """One path from lists of names, top level first, each with one name or several: that of the first department which
    is not a campaign. For any but the first, names below it are taken only from lists as long as that of
    departments."""
    departments = levels[0]
    proper = (at for at, name in enumerate(departments) if not fields.is_campaign(fields.text(name) or "", _NO_SHELVES))
    at = next(proper, 0)
    level = [names[at] if len(names) == len(departments) else None if at else names[0] for names in levels if names]
    return fields.path(level)


def _names(value: object) -> list:
    """A list of names that is written as JSON text."""
    if not isinstance(value, str) or len(value) > _LONGEST_NAMES_JSON:
        return []
    try:
        return fields.rows(json.loads(value))
    except (ValueError, RecursionError):
        return []
