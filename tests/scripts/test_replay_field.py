"""Bodies as other crawlers captured them, through replay: what their offers mean."""

import csv
import json
from datetime import UTC, datetime
from importlib import import_module

import pytest
import replay
from scrapy.http import TextResponse

from splitcart.identity import brands
from splitcart.offers.unit_prices import from_text
from splitcart_spiders.spiders.coles_stores import ColesStoresSpider
from splitcart_spiders.spiders.woolworths_stores import WoolworthsStoresSpider
from tests.support.tree import ROOT

NOW = datetime(2026, 11, 23, tzinfo=UTC)
FIELD = ROOT.parent / "shared" / "field"
"""The bodies themselves, where they are at hand."""
OTHERS = {"coles_product_redirect.json"}
"""No offers: a product page."""


def woolworths(**fields):
    row = {
        "Stockcode": 612345,
        "DisplayName": "Rice Crackers 100g",
        "PackageSize": "100g",
        "Unit": "Each",
        "Price": 5.0,
    }
    row |= {"WasPrice": 5.0, "CupPrice": 5.0, "CupMeasure": "100G", "IsAvailable": True, "IsOnSpecial": False}
    return {"Bundles": [{"Products": [row | fields]}], "TotalRecordCount": 1, "Success": True}


def tag(text=None, many=None, member=None):
    return {"TagType": "Html", "TagContentText": text, "MultibuyData": many, "MemberPriceData": member}


def coles(description="SAMPLE SAUCE 500G", **fields):
    row = {"_type": "PRODUCT", "id": 5512345, "name": "Sauce", "brand": "Sample", "description": description}
    row |= {"size": "500g", "availability": True}
    pricing = {"now": 4.0, "was": 0, "unit": {}, "comparable": "$0.80/ 100g"} | fields.pop("pricing", {})
    found = [row | {"pricing": pricing} | fields]
    return {"pageProps": {"initStoreId": "0001", "searchResults": {"noOfResults": 1, "results": found}}}


def aldi(**price):
    row = {"sku": "000000000000123456", "name": "Cola 1.5L", "sellingSize": "1.5 L"}
    sent = {"amount": 89, "comparison": 59, "comparisonDisplay": "59c per 1 L", "wasPriceDisplay": None} | price
    return {"meta": {"pagination": {"totalCount": 1}}, "data": [row | {"price": sent}]}


def iga(**fields):
    row = {"productId": "88123", "name": "Bread Rolls", "available": True, "wholePrice": 4.5, "priceNumeric": 4.5}
    row |= {"unitOfSize": {"abbreviation": "", "label": "Each", "size": 8, "type": "each"}, "sellBy": "Each"}
    return {"items": [row | {"pricePerUnit": "$56.25/100g", "tprPrice": []} | fields], "total": 1}


WHERE = {"size": 500, "abbreviation": "g"}


@pytest.mark.parametrize(
    ("chain", "body", "expected"),
    [
        (
            "woolworths",
            woolworths(CentreTag=tag(member={"PromotionalPrice": 4.0}), ImageTag={"FallbackText": "Member Price"}),
            {"price_cents": 500, "member_price_cents": 400, "is_on_special": False},
        ),
        (
            "woolworths",
            woolworths(CentreTag=tag("Member Price 2 for $8", {"Quantity": 2, "Price": 8.0})),
            {"multibuy_quantity": None, "member_multibuy_quantity": 2, "member_multibuy_total_cents": 800},
        ),
        (
            "woolworths",
            woolworths(CentreTag=tag("2 for $8 - $4.00/100G", {"Quantity": 2, "Price": 8.0})),
            {"multibuy_quantity": 2, "multibuy_total_cents": 800, "member_multibuy_quantity": None},
        ),
        ("woolworths", woolworths(CentreTag=tag("2 for $8")), {"multibuy_quantity": 2, "multibuy_total_cents": 800}),
        (
            "woolworths",
            woolworths(DisplayName="Tom &amp;amp; Co <i>Rice</i> Crackers<br/>100g", Brand="Tom &amp;amp; Co"),
            {"name": "Tom & Co Rice Crackers 100g", "brand": "Tom & Co"},
        ),
        (
            "woolworths",
            woolworths(DisplayName="Lemons 5 Pack", PackageSize="1 Each", Price=3.5, CupPrice=0.7, CupMeasure="1EA"),
            {"unit_price": 0.7, "unit_of_measure": "ea", "size": "1 Each"},
        ),
        (
            "coles",
            coles(pricing={"promotionType": "SPECIAL", "offerDescription": "Pick any 3 for $10"}),
            {"multibuy_quantity": 3, "multibuy_total_cents": 1000, "price_cents": 400},
        ),
        (
            "coles",
            coles(
                pricing={
                    "offerDescription": "Pick any 3 for $10",
                    "multiBuyPromotion": {"id": "1", "minQuantity": 3, "reward": 3.33},
                }
            ),
            {"multibuy_total_cents": 1000, "offer_id": "1"},
        ),
        (
            "coles",
            coles("SAMPLE ALE BLOCK 24 330ML", size="", pricing={"now": 50.0, "comparable": "$6.31/ 1L"}),
            {"size": "BLOCK 24 330ML", "unit_price": 6.31, "unit_of_measure": "l"},
        ),
        (
            "coles",
            coles(
                size="approx.100g",
                pricing={
                    "now": 38.0,
                    "comparable": "$38.00/ 1kg",
                    "unit": {"quantity": 1000, "ofMeasureUnits": "g", "isWeighted": True},
                },
            ),
            {"typical_grams": 1000, "price_cents": 3800, "unit_price": 38.0, "is_estimated": True},
        ),
        ("aldi", aldi(wasPriceDisplay="99c"), {"was_price_cents": 99, "unit_price": 0.59, "unit_of_measure": "l"}),
        ("iga", iga(), {"unit_price": None, "size": "8 each", "price_cents": 450}),
        (
            "iga",
            iga(unitOfSize={**WHERE, "size": "450"}, pricePerUnit="$1.00 per 100g"),
            {"size": "450g", "unit_price": 10.0, "unit_of_measure": "kg"},
        ),
        (
            "iga",
            iga(priceNumeric=4, promotions=[{"name": "2 for $8", "minimumQuantity": 2}]),
            {"price_cents": 450, "multibuy_quantity": 2, "multibuy_total_cents": 800},
        ),
    ],
)
def test_the_offer_of_a_body_of_the_field_is_kept(chain, body, expected):
    item = kept(chain, body)["612345" if chain == "woolworths" else None]
    assert {field: getattr(item, field) for field in expected} == expected


def kept(chain, body):
    """The products of a body by sku; under None the first of them."""
    shelf = replay.Replay(import_module(f"splitcart_spiders.chains.{chain}"), "1", NOW)
    shelf.body(body)
    return shelf.products | {None: next(iter(shelf.products.values()), None)}


def rows(name):
    if not (FIELD / name).exists():
        return []
    with (FIELD / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def as_written(value):
    """A value as the table writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def test_the_fields_own_bodies_come_out_right_where_they_are_at_hand():
    for row in rows("expected.tsv"):
        if row["file"] not in OTHERS:
            item = kept(row["chain"], json.loads((FIELD / row["file"]).read_text()))[row["sku"]]
            written = as_written(getattr(item, row["field"]))
            if row["expected"].startswith("anything but "):
                assert written != row["expected"].removeprefix("anything but "), row
            else:
                assert written == row["expected"], row


def test_the_fields_own_unit_prices_are_read_where_they_are_at_hand():
    for row in rows("unit_prices.tsv"):
        dollars, unit = row["dollars and unit"].split()
        shelf = from_text(row["text"])
        assert (shelf.dollars, shelf.unit) == (float(dollars), unit), row


def test_the_fields_own_size_texts_are_read_or_refused_where_they_are_at_hand():
    for row in rows("sizes.tsv"):
        for size, name in ((row["text"], "Sample"), ("", row["text"])):
            body = woolworths(PackageSize=size, DisplayName=name)
            pack = json.loads(replay.as_json(kept("woolworths", body)["612345"]))["pack"]
            size_read = pack and f"{pack['count']} x {pack['amount']} {pack['unit']}".removeprefix("1 x ")
            assert (size_read or "none") in row["acceptable"].split("|"), (row, size, name)


def test_the_fields_own_brands_have_their_key_where_they_are_at_hand():
    for row in rows("brands.tsv"):
        assert brands.key(row["brand"]) == row["key"]


def test_the_fields_own_stores_are_read_right_where_they_are_at_hand():
    for row in rows("stores.tsv"):
        raw = json.loads(row["raw (fields of the locator)"])
        if row["chain"] == "coles":
            (store,) = ColesStoresSpider().supermarket(raw)
        else:
            answer = TextResponse("https://woolworths.test/", body=json.dumps({"Stores": [raw]}).encode())
            (store,) = WoolworthsStoresSpider().stores(answer)
        assert str(getattr(store, row["field"])) in row["expected"].replace("none", "None").split(" or "), row


@pytest.mark.parametrize(
    ("fields", "pack"),
    [
        ({"PackageSize": "8 x 90g Trays"}, (8, 90, "g", False)),
        ({"PackageSize": "0.75kg"}, (1, 750, "g", False)),
        ({"PackageSize": "12.5g"}, (1, 12.5, "g", False)),
        ({"PackageSize": "50 bags"}, (1, 50, "ea", False)),
        ({"PackageSize": "3 x 100 sheets"}, (3, 100, "ea", False)),
        ({"PackageSize": "1kg - 2.5kg"}, (1, 2500, "g", True)),
        ({"PackageSize": "", "DisplayName": "Foil 20m"}, (1, 20, "m", False)),
        ({"PackageSize": "54L", "DisplayName": "Bin Liners 15 Pack"}, (1, 15, "ea", False)),
        ({"PackageSize": "54L", "DisplayName": "Bin Liners"}, None),
        ({"PackageSize": "Medium", "DisplayName": "Shirt"}, None),
    ],
)
def test_a_replay_prints_the_pack_read_from_size_and_name(fields, pack):
    printed = json.loads(replay.as_json(kept("woolworths", woolworths(**fields))["612345"]))
    keys = ("count", "amount", "unit", "is_approximate")
    assert printed["pack"] == (None if pack is None else dict(zip(keys, pack, strict=True)))


def test_a_size_that_iga_sends_as_text_is_read():
    for sent, read in (("1,000", "1000g"), (" 450 ", "450g"), ("6 x 375ml", "6 x 375ml"), ("large", None)):
        assert kept("iga", iga(unitOfSize=WHERE | {"size": sent}, pricePerUnit=None))[None].size == read


def test_the_weight_of_a_child_makes_no_price_an_estimate():
    item = kept("woolworths", woolworths(DisplayName="Nappies Toddler", PackageSize="5-9kg"))["612345"]
    assert not item.is_estimated
