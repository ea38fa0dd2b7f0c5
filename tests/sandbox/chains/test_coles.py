"""A client that walks Coles' stand-in sees its truth; the stand-in has the quirks of the real site."""

import json
import re

import pytest

from sandbox.server import SandboxServer
from sandbox.world import World
from tests.support.naive import Client, cents, differences, many_for, offers, printed

PROMOTED = ("Down Down", "Bonus Credit Products", "Christmas")
NEXT = re.compile(r'<script id="__NEXT_DATA__" type="application/json">(.*?)</script>', re.DOTALL)


class Shopper(Client):
    """Warmed up, with the store's cookie."""

    def __init__(self, server, store, first="/"):
        super().__init__(f"{server.url}/coles")
        self.build = next_data(self.call(first)[2])["buildId"]
        self.cookies = {"fulfillmentStoreId": store, "shopping-method": "clickAndCollect"}

    def data(self, name, page=None):
        query = f"?slug={name.removeprefix('browse/')}&page={page}" if page else ""
        return self.json(f"/_next/data/{self.build}/en/{name}.json{query}", cookies=self.cookies)["pageProps"]

    def html(self, name, page):
        status, _, body = self.call(f"/browse/{name}?page={page}", cookies=self.cookies)
        assert status == 200
        return next_data(body)["props"]["pageProps"]


def next_data(body):
    return json.loads(NEXT.search(body.decode())[1])


def products(results):
    """Distinct product rows, organic ones first."""
    found = [row for row in results if row["_type"] == "PRODUCT"]
    return sorted(found, key=lambda row: row["featured"])


def fields(row):
    pricing = row["pricing"]
    heirs = [(heir["subCategory"], heir["category"], heir["aisle"]) for heir in row["onlineHeirs"]]
    path = next((heir for heir in heirs if heir[0] not in PROMOTED), heirs[0])
    seen = {
        "name": row["name"],
        "brand": row["brand"] or None,
        "gtin": None,
        "size": row["size"] or None,
        "is_available": row["availability"],
        "price_basis": "each",
        "category_path": path,
        "price_cents": None,
        "was_price_cents": None,
        "unit_price": None,
        **offers(None, False),
    }
    if pricing is None:
        return {**seen, "is_on_special": False}
    now, was, many = cents(pricing["now"]), cents(pricing["was"]), pricing.get("multiBuyPromotion")
    seen["unit_price"], seen["unit_of_measure"] = printed(pricing["comparable"])
    return {
        **seen,
        "price_cents": now,
        "was_price_cents": was if was > now else None,
        "is_on_special": was > now,
        "is_estimated": bool(pricing["unit"].get("isWeighted")),
        **offers(many_for(pricing.get("offerDescription")), pricing.get("promotionType") == "FLYBUYS"),
        "offer_id": many["id"] if many else None,
    }


def walk(server, store, by_html):
    shopper, seen = Shopper(server, store), {}
    roots = shopper.data("browse")["allProductCategories"]["catalogGroupView"]
    for root in roots:
        if root["seoToken"] == "tobacco":
            continue
        page, ids = 1, set()
        while True:
            slug = root["seoToken"]
            props = shopper.html(slug, page) if by_html else shopper.data(f"browse/{slug}", page)
            assert int(props["initStoreId"]) == int(store)
            rows = products(props["searchResults"]["results"])
            for row in rows:
                if not row["featured"] or str(row["id"]) not in seen:
                    seen[str(row["id"])] = fields(row)
                if any(heir["subCategory"] == root["name"] for heir in row["onlineHeirs"]):
                    ids.add(row["id"])
            page += 1
            if not rows:
                break
        total = props["searchResults"]["noOfResults"]
        assert root["name"] == "Big Pack Value" or len(ids) >= total
    return seen


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("day", [0, 9])
def test_what_a_client_sees_is_the_truth(seed, day):
    world = World(seed=seed, products=150, stores=3)
    with SandboxServer(world, day=day) as server:
        for place, store in enumerate(world.stores("coles")[:2]):
            seen = walk(server, store.store_code, by_html=place == 1)
            assert differences(seen, world.truth("coles", store.store_code, day)) == []


@pytest.fixture(scope="module")
def server():
    with SandboxServer(World(seed=4, products=900, coles_page_cap=2)) as running:
        yield running


@pytest.fixture(scope="module")
def store(server):
    return max(
        server.world.stores("coles"), key=lambda each: len(server.world.truth("coles", each.store_code, 0))
    ).store_code


def test_a_visit_begins_at_the_home_or_the_browse_page(server, store):
    status, headers, body = Client(f"{server.url}/coles").call("/browse/pantry")
    assert status == 200
    assert "text/html" in headers["Content-Type"]
    assert b"_Incapsula_Resource" in body
    assert b"__NEXT_DATA__" not in body
    assert Shopper(server, store, first="/browse").data("browse/pantry", 1)["searchResults"]["results"]


def test_with_the_switch_only_a_script_gives_the_session(server):
    server.switches.add("coles_needs_browser")
    client = Client(f"{server.url}/coles")
    _, headers, body = client.call("/")
    assert b"document.cookie" in body
    assert b"__NEXT_DATA__" not in body
    assert headers["Set-Cookie"] is None
    name = re.search(rb"document\.cookie='(\w+)='", body)[1].decode()
    value = "".join(re.findall(r"'([^']*)'", re.search(r"\[(.*?)\]", body.decode())[1]))
    assert next_data(client.call("/", cookies={name: value})[2])["buildId"] == server.build


def test_a_stale_build_is_not_found_and_the_build_can_turn_mid_crawl(server, store):
    shopper = Shopper(server, store)
    server.faults.add("build", "coles", match="page=2", times=1)
    assert shopper.data("browse/pantry", 1)
    path = f"/_next/data/{shopper.build}/en/browse/pantry.json?slug=pantry&page=2"
    assert shopper.call(path)[0] == 404
    assert Shopper(server, store).build != shopper.build


def test_the_store_is_sent_padded_to_four_digits(server, store):
    props = Shopper(server, store).data("browse/bakery", 1)
    assert props["initStoreId"] == store.zfill(4)
    assert len(props["initStoreId"]) == 4
    server.switches.add("coles_ignores_store")
    assert Shopper(server, store).data("browse/bakery", 1)["initStoreId"] == "0584"


def test_other_doors_want_a_key(server):
    assert Client(f"{server.url}/coles").call("/api/bff/products/search")[0] == 401
    assert Client(f"{server.url}/coles").call("/api/graphql", {})[0] == 401


def test_past_the_last_page_and_past_the_cap_there_is_nothing(server, store):
    shopper = Shopper(server, store)
    pages = [shopper.data("browse/pantry", number)["searchResults"] for number in (1, 2, 3)]
    assert pages[0]["noOfResults"] > 96
    assert [bool(page["results"]) for page in pages] == [True, True, False]
    assert {page["noOfResults"] for page in pages} == {pages[0]["noOfResults"]}
    assert [page["start"] for page in pages] == [0, 1, 2]


def test_unknown_slugs_and_bad_pages_are_refused(server, store):
    shopper = Shopper(server, store)
    assert shopper.call("/browse/no-such-thing")[0] == 404
    assert shopper.call("/browse/pantry?page=x")[0] == 400


def test_every_form_of_row_is_there(server, store):
    shopper, every = Shopper(server, store), []
    for root in shopper.data("browse")["allProductCategories"]["catalogGroupView"]:
        for number in (1, 2):
            every += shopper.data(f"browse/{root['seoToken']}", number)["searchResults"]["results"]
    kinds = {row["_type"] for row in every}
    assert {"PRODUCT", "SINGLE_TILE", "PRODUCT_ASSOCIATION"} <= kinds
    assert not any({"id", "name", "pricing"} & row.keys() for row in every if row["_type"] == "SINGLE_TILE")
    rows = [row for row in every if row["_type"] == "PRODUCT"]
    priced = [row["pricing"] for row in rows if row["pricing"]]
    assert not any(0 < pricing["was"] <= pricing["now"] for pricing in priced)
    units = [pricing["unit"] for pricing in priced if pricing["unit"].get("isWeighted")]
    forms = {
        "featured": any(row["featured"] and row["adId"] for row in rows),
        "no price": any(row["pricing"] is None and row["restrictions"] is None for row in rows),
        "out of stock with a price": any(row["pricing"] and not row["availability"] for row in rows),
        "down down": any(pricing.get("promotionType") == "DOWNDOWN" and pricing["was"] for pricing in priced),
        "every day": any(pricing.get("promotionType") == "EVERYDAY" for pricing in priced),
        "no promotion key": any("promotionType" not in pricing for pricing in priced),
        "multi save": any("multiBuyPromotion" in pricing and pricing["was"] == 0 for pricing in priced),
        "units that lie": any(unit["ofMeasureUnits"] == "g" and unit["quantity"] > 10 for unit in units),
        "units that do not": any(unit["ofMeasureUnits"] == "kg" for unit in units),
        "no unit price": any(pricing["unit"] == {} and pricing["comparable"] == "" for pricing in priced),
        "old comparable": any(" per " in pricing["comparable"] for pricing in priced),
        "unrounded": any(round(pricing["rawPriceNow"], 2) != pricing["rawPriceNow"] for pricing in priced),
        "no quantity key": any("availableQuantity" not in row for row in rows),
        "promotion first": any(
            row["onlineHeirs"][0]["subCategory"] in PROMOTED for row in rows if row["onlineHeirs"][1:]
        ),
        "no images": any(row["imageUris"] == [] for row in rows),
        "till text": any(row["size"] == "" and ":" in row["description"] for row in rows),
        "restricted": shopper.data("browse/tobacco", 1)["isRestricted"],
    }
    assert [name for name, holds in forms.items() if not holds] == []


def test_lines_of_one_offer_have_one_id(server, store):
    rows = [row for row in server.world.truth("coles", store, 0) if row["multibuy_quantity"] and row["offer_id"]]
    terms = {}
    for row in rows:
        terms.setdefault(row["offer_id"], set()).add((row["multibuy_quantity"], row["multibuy_total_cents"]))
    assert all(len(found) == 1 for found in terms.values())
    assert len(terms) < len(rows)


def test_barcodes_stand_on_product_pages_only(server, store):
    shopper, found = Shopper(server, store), []
    for line in server.world.catalogue("coles").lines[:120]:
        product = shopper.data(f"product/any-slug-{line.sku}")["product"]
        assert product["id"] == int(line.sku)
        found.append(product.get("gtin", "absent"))
    assert {"absent", None} < set(found)
    assert any("," in str(code) for code in found)
    line = next(line for line in server.world.catalogue("coles").lines if line.barcode)
    page = shopper.call(f"/product/x-{line.sku}")[2].decode()
    data = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', page)[1])
    assert data["gtin"] == line.barcode
    assert shopper.call("/product/x-1")[0] == 404


def test_the_locator_gives_the_nearest_of_the_brands_asked_for(server):
    client, world = Client(f"{server.url}/coles"), server.world
    place = world.stores("coles")[2]
    path = "/digital/colesweb/v1/stores/search?latitude={}&longitude={}&brandIds={}&numberOfStores={}"
    nearest = client.json(path.format(place.latitude, place.longitude, 2, 1))["stores"]
    assert [row["storeId"] for row in nearest] == [place.store_code]
    every = client.json(path.format(place.latitude, place.longitude, "1,2,3,4,5", 99))["stores"]
    assert {row["storeId"] for row in every if row["brandId"] == 2} == {
        each.store_code for each in world.stores("coles")
    }
    assert {row["brandId"] for row in every} - {2}
