"""A client that walks Woolworths' stand-in sees its truth; the stand-in has the quirks of the real site."""

import pytest

from sandbox.server import SandboxServer
from sandbox.world import World
from tests.support.naive import Client, cents, differences, gtin, many_for, offers, per_unit

SKIPPED = ("everyday-market", "front-of-store")
PROMOTED = ("specials", "big-night-in", "cookware-bonus-credits", "dinner", "lunch-box")


def warm(server):
    client = Client(f"{server.url}/woolworths")
    client.call("/")
    return client


def page(client, category, number, store, size=24, **more):
    body = {"categoryId": category, "pageNumber": number, "pageSize": size, "sortType": "Name", "storeId": store}
    return client.json("/apis/ui/browse/category", {**body, "isHideEverydayMarketProducts": True, **more})


def rows(answer):
    return [row for bundle in answer["Bundles"] for row in bundle["Products"] or []]


def organic(answer):
    return [row for row in rows(answer) if not row["IsSponsoredAd"]]


def fields(row, path, promoted):
    sku, price = str(row["Stockcode"]), cents(row["Price"])
    was = cents(row["WasPrice"])
    tag = row["CentreTag"]
    many = tag["MultibuyData"]
    cup, unit = per_unit(row["CupPrice"], row["CupMeasure"])
    loose = row["Unit"] == "KG"
    return {
        "name": row["DisplayName"].strip(),
        "brand": row["Brand"] or None,
        "gtin": gtin(row["Barcode"], sku),
        "size": row["PackageSize"].strip() or None,
        "price_cents": price,
        "was_price_cents": was if price is not None and was > price else None,
        "price_basis": "kg" if loose else "each",
        "typical_grams": int(row["IncrementalMinimumQuantity"]) if loose else None,
        "is_estimated": " - " in row["PackageSize"],
        "is_on_special": row["IsOnSpecial"],
        "is_available": row["IsAvailable"],
        "is_ranged": row["IsRanged"],
        "unit_price": cup,
        "unit_of_measure": unit,
        **offers(
            (many["Quantity"], cents(many["Price"])) if many else many_for(tag["TagContentText"]),
            "Member" in (tag["TagContentText"] or "") or row["ImageTag"]["FallbackText"] == "Member Price",
        ),
        "member_price_cents": cents(tag["MemberPriceData"]["PromotionalPrice"]) if tag["MemberPriceData"] else None,
        **({} if promoted else {"category_path": path}),
    }


def walk(server, store, deep):
    """sku -> fields; of whole departments, or of the leaves of the tree."""
    client, seen = warm(server), {}
    roots = client.json("/apis/ui/PiesCategoriesWithSpecials")["Categories"]
    waiting = [(root, (root["Description"],), False) for root in roots if root["UrlFriendlyName"] not in SKIPPED]
    while waiting:
        node, path, promoted = waiting.pop(0)
        promoted = promoted or node["IsSpecial"] or node["UrlFriendlyName"] in PROMOTED
        children = [child for child in node["Children"] if not child["IsSpecial"] and not child["IsRestricted"]]
        if deep and children:
            waiting += [(child, (*path, child["Description"]), promoted) for child in children]
            continue
        number, found = 1, 0
        while True:
            answer = page(client, node["NodeId"], number, store)
            fresh = organic(answer)
            for row in fresh:
                if promoted:
                    seen.setdefault(str(row["Stockcode"]), fields(row, path, True))
                else:
                    seen[str(row["Stockcode"])] = fields(row, path, False)
            found, number = found + len(fresh), number + 1
            if not fresh or found >= answer["TotalRecordCount"]:
                assert found == answer["TotalRecordCount"]
                break
    return seen


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("day", [0, 9])
def test_what_a_client_sees_is_the_truth(seed, day):
    world = World(seed=seed, products=150, stores=3)
    with SandboxServer(world, day=day) as server:
        for place, store in enumerate(world.stores("woolworths")[:2]):
            seen = walk(server, store.store_code, deep=place == 1)
            assert differences(seen, world.truth("woolworths", store.store_code, day)) == []


@pytest.fixture(scope="module")
def server():
    with SandboxServer(World(seed=5, products=400, woolworths_cap=40)) as running:
        yield running


@pytest.fixture(scope="module")
def store(server):
    return max(
        server.world.stores("woolworths"), key=lambda each: len(server.world.truth("woolworths", each.store_code, 0))
    ).store_code


PANTRY = "1_39FD49C"


def test_without_cookies_the_api_denies(server):
    status, headers, body = Client(f"{server.url}/woolworths").call("/apis/ui/browse/category", {"categoryId": PANTRY})
    assert status == 403
    assert "text/html" in headers["Content-Type"]
    assert b"Access Denied" in body
    assert b"errors&#46;edgesuite&#46;net" in body


def test_an_unknown_category_is_empty_and_succeeds(server, store):
    answer = page(warm(server), "pantry", 1, store)
    assert (answer["Success"], answer["TotalRecordCount"], answer["Bundles"]) == (True, 0, [])


def test_more_than_36_rows_a_page_are_refused(server, store):
    body = {"categoryId": PANTRY, "pageNumber": 1, "pageSize": 37, "storeId": store}
    assert warm(server).call("/apis/ui/browse/category", body)[0] == 400
    assert len(organic(page(warm(server), PANTRY, 1, store, size=36))) == 36


def test_past_the_end_stand_advertisements_only(server, store):
    answer = page(warm(server), PANTRY, 99, store)
    assert rows(answer)
    assert organic(answer) == []
    server.switches.add("woolworths_empty_past_end")
    assert page(warm(server), PANTRY, 99, store)["Bundles"] == []


def test_only_the_first_products_of_a_large_category_can_be_had(server, store):
    client = warm(server)
    answers = [page(client, PANTRY, number, store) for number in (1, 2, 3)]
    assert answers[0]["TotalRecordCount"] > 40
    assert [len(organic(answer)) for answer in answers] == [24, 16, 0]


def test_the_market_is_hidden_on_request(server, store):
    client = warm(server)
    shown = page(client, "1_DEA3ED5", 1, store, isHideEverydayMarketProducts=False)
    market = [row for row in organic(shown) if row["IsMarketProduct"]]
    assert market
    assert {len(str(row["Stockcode"])) for row in market} == {10}
    assert {row["FulfilmentStoreId"] for row in market} == {1100}
    assert {(row["Barcode"], row["GtinFormat"], row["CupString"], row["CupMeasure"]) for row in market} == {
        (None, 0, "", "")
    }
    hidden = page(client, "1_DEA3ED5", 1, store)
    assert not [row for row in organic(hidden) if row["IsMarketProduct"]]
    assert hidden["TotalRecordCount"] < shown["TotalRecordCount"]


def test_rows_name_the_store_that_answered(server, store):
    client = warm(server)
    assert {row["FulfilmentStoreId"] for row in rows(page(client, PANTRY, 1, store))} == {int(store)}
    server.switches.add("woolworths_answers_1101")
    assert {row["FulfilmentStoreId"] for row in rows(page(client, PANTRY, 1, store))} == {1101}


def test_every_form_of_row_is_there(server, store):
    client = warm(server)
    tree = client.json("/apis/ui/PiesCategoriesWithSpecials")["Categories"]
    every = []
    for root in tree:
        for number in (1, 2, 3):
            every += rows(page(client, root["NodeId"], number, store, isHideEverydayMarketProducts=False))
    priced = [row for row in every if row["Price"] is not None]
    assert all(row["IsOnSpecial"] == (row["WasPrice"] > row["Price"]) for row in priced)
    assert all(not row["IsOnSpecial"] for row in every if row["CentreTag"]["MultibuyData"])
    forms = {
        "unavailable": lambda row: row["Price"] is None and not row["IsRanged"] and row["CupString"] == "",
        "half price": lambda row: row["IsHalfPrice"],
        "multibuy": lambda row: row["CentreTag"]["MultibuyData"],
        "was note": lambda row: "as $" in (row["CentreTag"]["TagContentText"] or "") and not row["IsOnSpecial"],
        "loose": lambda row: row["Unit"] == "KG" and row["IncrementalMinimumQuantityUnit"] == "g",
        "weights": lambda row: row["MaxWeightPrice"] and row["MaxWeightPrice"] == row["Price"],
        "null brand": lambda row: row["Brand"] is None,
        "no cup": lambda row: row["CupMeasure"] in ("0", None) and row["CupPrice"] is None,
        "in-store code": lambda row: (row["Barcode"] or "").startswith("02") and row["GtinFormat"] == 0,
        "lost zero": lambda row: len(row["Barcode"] or "") == 11,
        "typo": lambda row: "Nl x" in row["PackageSize"] or "Mm" in row["PackageSize"],
        "promoted": lambda row: row["Source"].endswith(".Promoted") and row["IsSponsoredAd"],
    }
    assert [name for name, holds in forms.items() if not any(holds(row) for row in every)] == []


def test_the_tree_has_specials_and_restricted_nodes(server):
    tree = warm(server).json("/apis/ui/PiesCategoriesWithSpecials")["Categories"]
    pantry = next(root for root in tree if root["NodeId"] == PANTRY)
    assert pantry["Children"][0]["NodeId"] == f"{PANTRY}_SPECIALS"
    assert pantry["ParentNodeId"] == "1-4A3B264C"
    front = next(root for root in tree if root["UrlFriendlyName"] == "front-of-store")
    tobacco = next(child for child in front["Children"] if child["UrlFriendlyName"] == "cigarettes-tobacco")
    assert front["IsRestricted"]
    assert tobacco["IsRestricted"]
    assert tobacco["Children"]


def test_a_bundle_may_hold_two_products_or_none(server, store):
    client = warm(server)
    plain = organic(page(client, PANTRY, 1, store))
    server.switches.update(("woolworths_multi_bundles", "woolworths_null_bundles"))
    answer = page(client, PANTRY, 1, store)
    assert {bundle["Products"] and len(bundle["Products"]) for bundle in answer["Bundles"]} == {None, 1, 2}
    assert [row["Stockcode"] for row in organic(answer)] == [row["Stockcode"] for row in plain]


def test_the_locator_lists_all_supermarkets_and_separates_fuel(server):
    client = Client(f"{server.url}/woolworths")
    query = "/apis/ui/StoreLocator/Stores?Max=10000&Division={}&Facility=&postcode=*"
    stores = client.json(query.format("SUPERMARKETS"))["Stores"]
    assert {row["StoreNo"] for row in stores} == {each.store_code for each in server.world.stores("woolworths")}
    assert {type(row["Latitude"]) for row in stores} == {str}
    fuel = client.json(query.format("SUPERMARKETS,EG,AMPOL"))["Stores"]
    assert {row["Division"] for row in fuel} == {"SUPERMARKETS", "EG", "AMPOL"}
