"""Coles' listing record, its tiles, and its product page."""

import json
from typing import TYPE_CHECKING, Any

from sandbox.chains.coles.goods import (
    brand_sent,
    lot_of,
    offer_of,
    pack_grams,
    prices_of,
    shelf_of,
    size_text,
    till_text,
    unpriced,
)
from sandbox.chains.coles.tree import heirs
from sandbox.goods.good import Line
from sandbox.pricing import State
from sandbox.site import dollars, opaque, slugify

if TYPE_CHECKING:
    from sandbox.world import World

ASSETS = "https://cdn.productimages.coles.com.au/productimages"


def slug_of(line: Line) -> str:
    """The last part of a product page's path: only the id at its end counts."""
    return slugify(f"{brand_sent(line)} {line.good.words} {size_text(line)}") + f"-{line.sku}"


def _unit(line: Line, now: int, state: State) -> tuple[dict[str, Any], str]:
    """(unit, comparable); the unit of weighed rows is wrong for five of six."""
    shelf = shelf_of(line, now, state)
    if shelf is None:
        return {}, ""
    number, lot = float(shelf[0].number), lot_of(line)
    unit: dict[str, Any] = {"quantity": 1, "ofMeasureQuantity": shelf[0].measure, "ofMeasureUnits": shelf[0].unit}
    if shelf[0].measure == 1000:
        unit.update(ofMeasureQuantity=1, ofMeasureUnits="kg" if shelf[0].unit == "g" else "l")
    if line.good.weighed:
        unit["quantity"] = pack_grams(line) if lot % 6 else pack_grams(line) / 1000
        unit["ofMeasureUnits"] = "g" if lot % 6 else "kg"
    unit.update(price=number, ofMeasureType=unit["ofMeasureUnits"], isWeighted=line.good.weighed)
    if not line.good.weighed:
        unit["isIncremental"] = False
    return unit, shelf[1]


def _promotion(line: Line, now: int, was: int | None, state: State) -> dict[str, Any]:
    """The optional keys of pricing; those that do not apply are absent."""
    lot, offer = lot_of(line), offer_of(line, state)
    if offer:
        quantity, total, number, members = offer
        name = "MIX_SAVE" if lot % 5 == 0 else "MULTI_SAVE"
        many = {
            "promotionType": "FLYBUYS" if members else "SPECIAL",
            "specialType": name,
            "offerDescription": f"Pick any {quantity} for ${total / 100:.2f}".replace(".00", ""),
        }
        if number is None:
            return many
        each = dollars(round(total / quantity))
        return many | {"multiBuyPromotion": {
            "type": "MultibuyMultiSku", "id": number, "minQuantity": quantity, "reward": each,
            "unitPriceDisplay": "",
        }}  # fmt: skip
    if was:
        found: dict[str, Any] = {"saveAmount": dollars(was - now), "saveStatement": f"save ${(was - now) / 100:.2f}"}
        found["promotionType"] = "DOWNDOWN" if lot % 8 == 0 else "SPECIAL"
        if lot % 8 and lot % 3 == 0:
            found.update(specialType="PERCENT_OFF", savePercent=round(100 * (was - now) / was))
        if now * 2 <= was:
            found["priceDescription"] = "1/2 Price"
        return found
    if lot < 20:
        return {"promotionType": "SPECIAL", **({"specialType": "WHILE_STOCKS_LAST"} if lot < 4 else {})}
    names = {3: "EVERYDAY", 4: "EVERYDAY", 5: "EVERYDAY"}
    if lot % 101 == 0:
        return {"promotionType": ("NEW", "FLYBUYS", "CONTINUITYREDEEMABLE")[lot // 101 % 3]}
    return {"promotionType": names[lot % 10]} if lot % 10 in names else {}


def pricing(line: Line, state: State) -> dict[str, Any] | None:
    """pricing, or null where the store has no price."""
    if unpriced(line, state):
        return None
    now, was = prices_of(line, state)
    grams, per_kg = pack_grams(line), int(state.offers.price[line.index])
    unit, comparable = _unit(line, now, state)
    return {
        "now": dollars(now),
        "rawPriceNow": per_kg * grams / 100_000 if grams else dollars(now),
        "was": dollars(was) if was else 0,
        "onlineSpecial": False,
        "unit": unit,
        "comparable": comparable,
        **_promotion(line, now, was, state),
    }


def record(world: "World", line: Line, state: State) -> dict[str, Any]:
    """One organic PRODUCT row."""
    kind, lot, priced = line.good.kind, lot_of(line), not unpriced(line, state)
    tobacco = line.section == "tobacco"
    limits = {
        "retailLimit": 99, "promotionalLimit": 12, "liquorAgeRestrictionFlag": kind.department == "liquor",
        "tobaccoAgeRestrictionFlag": tobacco, "restrictedByOrganisation": False,
    }  # fmt: skip
    image = f"/{line.sku[0]}/{line.sku}.jpg"
    row: dict[str, Any] = {
        "_type": "PRODUCT", "id": int(line.sku), "adId": None, "adSource": None, "featured": False,
        "name": line.good.words, "brand": brand_sent(line), "description": till_text(line), "size": size_text(line),
        "availability": bool(state.available[line.index]), "availabilityType": "InStoreAndOnline",
        "imageUris": [{"altText": line.good.words, "type": "default", "uri": image}] if lot % 50 else [],
        "locations": [{"aisle": None, "aisleSide": None, "description": None, "facing": 0, "order": 9999, "shelf": 0}],
        "restrictions": limits if priced else None,
        "merchandiseHeir": {
            "tradeProfitCentre": kind.department.upper(), "categoryGroup": kind.category.upper(),
            "category": kind.leaf.upper(), "subCategory": kind.noun.upper(), "className": kind.noun.upper(),
        },
        "onlineHeirs": heirs(world, line), "pricing": pricing(line, state),
    }  # fmt: skip
    if lot % 4:
        row["availableQuantity"] = 40 if row["availability"] else 0
    if lot % 9 == 0:
        twin = {"id": int(line.sku) + 1, "name": line.good.words, "pricing": None}
        row["variations"] = {"total": 1, "byVarieties": [], "bySizes": [twin]}
    if lot % 7 == 0:
        row["internalDescription"] = till_text(line)
    return row


def featured(row: dict[str, Any]) -> dict[str, Any]:
    """The same row as an advertisement."""
    return {**row, "featured": True, "adId": f"ad_{opaque(str(row['id']), 10)}", "adSource": "Citrus"}


def associated(row: dict[str, Any], target: int) -> dict[str, Any]:
    """A sponsored cross-sell, shaped like a product."""
    return {**featured(row), "_type": "PRODUCT_ASSOCIATION", "targetProductId": target}


def tile(number: int) -> dict[str, Any]:
    """An advertisement without id, name or price."""
    return {
        "_type": "SINGLE_TILE", "adId": f"tile_{number}", "adSource": "Dfp", "campaignName": f"Campaign {number}",
        "bannerText": "Great value", "ctaText": "Shop now", "ctaLink": "/browse/pantry", "image": {"url": "/tile.jpg"},
        "productIds": [], "additionalFields": [],
    }  # fmt: skip


def product(world: "World", line: Line, state: State) -> dict[str, Any]:
    """pageProps.product: the listing record and what only the product page has."""
    row = record(world, line, state)
    if line.barcode is not None:
        row["gtin"] = line.barcode
    elif lot_of(line) % 2:
        row["gtin"] = None
    row.update(
        additionalInfo=[{"title": "Ingredients", "description": f"{line.good.kind.noun}, Water, Salt."}],
        nutrition=None,
        nutritionalClaims=None,
        countryOfOrigin={"country": "Australia", "statement": "Made in Australia", "barcodePercentage": None},
        brandDetails={"id": 1, "name": row["brand"], "seoToken": slugify(row["brand"])},
        longDescription=f"<p>{line.good.words}</p>",
        lastUpdated="2026-06-01T00:00:00Z",
        images=[{"full": {"path": f"/wcsstore/{line.sku}.jpg", "description": line.good.words}}],
    )
    return row


def json_ld(line: Line) -> str:
    """The page's JSON-LD: a barcode where there is one, never a price."""
    data: dict[str, Any] = {
        "@context": "https://schema.org/", "@type": "Product", "name": line.good.words, "sku": line.sku,
        "image": f"{ASSETS}/{line.sku[0]}/{line.sku}.jpg", "brand": {"@type": "Brand", "name": brand_sent(line)},
        "offers": {"@type": "Offer", "priceSpecification": {"@type": "PriceSpecification", "priceCurrency": "AUD"}},
    }  # fmt: skip
    if line.barcode:
        data["gtin"] = line.barcode
    return json.dumps(data, separators=(",", ":"))
