"""A client that walks IGA's stand-in sees its truth; the stand-in has the quirks of the real site."""

import html
import json
import re
import urllib.parse

import pytest

from sandbox.server import SandboxServer
from sandbox.world import World
from tests.support.naive import Client, cents, differences, gtin, many_for, offers, printed


def leaves(node, path=()):
    here = (*path, node["displayName"])
    if not node["children"]:
        yield node["identifier"], here
    for child in node["children"]:
        yield from leaves(child, here)


def search(client, store, key, take, skip):
    quoted = urllib.parse.quote(key, safe="")
    return client.call(f"/api/storefront/stores/{store}/categories/{quoted}/search?take={take}&skip={skip}")


def fields(row):
    unit = row["unitOfSize"]
    was = row.get("wasWholePrice")
    now = row["wholePrice"]
    if was:
        now = row["tprPrice"][0]["wholePrice"] if row["tprPrice"] else row["priceNumeric"]
    cup, measure = printed((row["pricePerUnit"] or "").replace(" each", " 1each"))
    seen = {
        "name": row["name"],
        "brand": row["brand"] or None,
        "gtin": gtin(row["barcode"], row["productId"]),
        "size": f"{unit['size']:g}{unit['abbreviation'] or ' each'}",
        "price_cents": cents(now),
        "was_price_cents": cents(was),
        "is_on_special": bool(was),
        "is_available": row["available"],
        "unit_price": cup,
        "unit_of_measure": measure,
        "price_basis": "each",
        **promotion(row),
        "category_path": tuple(row["defaultCategory"][0]["categoryBreadcrumb"].split("/")),
    }
    if row["sellBy"] == "EachUnit" and round(cup * 100) == cents(now):
        seen.update(price_basis="kg", typical_grams=unit["size"])
    elif row["sellBy"] == "EachUnit":
        assert abs(cup * unit["size"] / 10 - cents(now)) <= 2
    return seen


def promotion(row):
    deal = next(iter(row.get("promotions", [])), {})
    many, members = deal.get("minimumQuantity", 1), "Member" in deal.get("name", "")
    total = many_for(deal.get("name")) or (many, many * cents(row["priceNumeric"]))
    return {
        **offers(total if many > 1 else None, members),
        "member_price_cents": cents(row["priceNumeric"]) if members and many == 1 else None,
    }


def walk(server, store, take):
    client, seen = Client(f"{server.url}/iga"), {}
    for key, _ in leaves(client.json(f"/api/storefront/stores/{store}/categoryHierarchy")):
        skip, before = 0, None
        while True:
            status, _, body = search(client, store, key, take, skip)
            items = json.loads(body)["items"] if status == 200 else []
            skus = [row["productId"] for row in items]
            if not items or skus == before:
                break
            for row in items:
                seen[row["productId"]] = fields(row)
            skip, before = skip + take, skus
    return seen


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("day", [0, 9])
def test_what_a_client_sees_is_the_truth(seed, day):
    world = World(seed=seed, products=150, stores=3)
    with SandboxServer(world, day=day) as server:
        for place, store in enumerate(world.stores("iga")[:2]):
            seen = walk(server, store.store_code, (5, 36)[place])
            assert differences(seen, world.truth("iga", store.store_code, day)) == []


@pytest.fixture(scope="module")
def server():
    with SandboxServer(World(seed=4, products=900, stores=9)) as running:
        yield running


@pytest.fixture
def client(server):
    return Client(f"{server.url}/iga")


@pytest.fixture(scope="module")
def store(server):
    online = [each for each in server.world.stores("iga") if each.is_online]
    return max(online, key=lambda each: len(server.world.truth("iga", each.store_code, 0))).store_code


def test_listings_end_in_three_ways(server, client, store):
    last = search(client, store, "Drinks", 20, 60)[2]
    total = json.loads(last)["total"]
    assert 60 < total < 1000
    end = search(client, store, "Drinks", 100, (total // 100) * 100)[2]
    server.switches.add("iga_end_empty")
    assert json.loads(search(client, store, "Drinks", 100, 2000)[2])["items"] == []
    server.switches.clear()
    server.switches.add("iga_end_repeats")
    repeated = [json.loads(search(client, store, "Drinks", 100, skip)[2])["items"] for skip in (1000, 2000)]
    assert repeated == [json.loads(end)["items"]] * 2
    server.switches.clear()
    server.switches.add("iga_end_404")
    assert search(client, store, "Drinks", 100, 2000)[0] == 404


def test_without_a_switch_the_category_decides_how_it_ends(client, store):
    ends = set()
    for key, _ in leaves(client.json(f"/api/storefront/stores/{store}/categoryHierarchy")):
        status, _, body = search(client, store, key, 100, 5000)
        ends.add((status, bool(json.loads(body).get("items"))))
    assert ends == {(200, False), (200, True), (404, False)}


def test_a_listing_may_have_no_total(server, client, store):
    server.switches.add("iga_no_total")
    assert "total" not in json.loads(search(client, store, "Drinks", 20, 0)[2])


def test_unknown_stores_and_categories_are_not_found(client, store):
    assert search(client, store, "No_Such", 20, 0)[0] == 404
    assert search(client, "1", "Drinks", 20, 0)[0] == 404
    assert client.call("/api/storefront/stores/1/categoryHierarchy")[0] == 404


def test_stores_differ_in_their_categories(server, client):
    online = [each.store_code for each in server.world.stores("iga") if each.is_online]
    trees = {json.dumps(client.json(f"/api/storefront/stores/{each}/categoryHierarchy")) for each in online}
    assert len(trees) > 1


def test_every_form_of_item_is_there(server, client):
    every = []
    for store in (each.store_code for each in server.world.stores("iga")[:3]):
        for department in client.json(f"/api/storefront/stores/{store}/categoryHierarchy")["children"][0]["children"]:
            for skip in (0, 100):
                status, _, body = search(client, store, department["identifier"], 100, skip)
                every += json.loads(body)["items"] if status == 200 else []
    special = [row for row in every if row["priceSource"] == "tpr"]
    plain = [row for row in every if row["priceSource"] == "regular"]
    assert all(row["wasWholePrice"] > row["priceNumeric"] for row in special)
    assert not any({"wasPrice", "wasPriceNumeric", "wasWholePrice"} & row.keys() for row in plain)
    barcodes = {str(row["barcode"]) for row in every}
    loose = [row for row in every if row["sellBy"] == "EachUnit"]
    units = [row["pricePerUnit"] or "none" for row in every]
    forms = {
        "no barcode": any(row["barcode"] is None for row in every),
        "junk": {"null", "notfound", "N/A", "TEST_BARCODE"} <= barcodes,
        "the sku": any(row["barcode"] == row["sku"] for row in every),
        "special without tpr": any(row["tprPrice"] == [] for row in special),
        "piece price": any(f"{row['priceNumeric']:.2f}" not in row["pricePerUnit"] for row in loose),
        "kilo price": any(f"${row['priceNumeric']:.2f}/kg" == row["pricePerUnit"] for row in loose),
        "wrong brand": any("Import Co" in (row["brand"] or "") for row in loose),
        "empty brand": any(row["brand"] == "" for row in loose),
        "unavailable": any(not row["available"] for row in every),
        "no image": any(row["image"]["default"] is None for row in every),
        "in-store sku": any(row["sku"].startswith("180000") for row in every),
        **{
            each: any(text.endswith(each) for text in units)
            for each in ("/l", "/100ml", "/kg", "/100g", " each", "none")
        },
    }
    assert [name for name, holds in forms.items() if not holds] == []


def test_the_finder_names_stores_that_the_shop_may_not_have(server, client):
    found = {}
    for location in range(1, 23_002, 250):
        path = f"/location/storelocator/183/?format=json&saleGroup=0&limit=1500&locationId={location}"
        text = client.call(path)[2].decode()
        content = json.loads(re.fullmatch(r"\w+\((.*)\)", text, re.DOTALL)[1])["content"]
        for data in re.findall(r'data-storedata="([^"]*)"', content):
            row = json.loads(html.unescape(data))
            found[row["storeId"]] = row
    stores = server.world.stores("iga")
    assert found.keys() == {each.locator_id for each in stores}
    ids = set()
    for row in found.values():
        items = client.json(f"/api/storefront/stores?RSID={row['tag']}&take=1")["items"]
        ids.update(item["retailerStoreId"] for item in items)
    assert ids == {each.store_code for each in stores if each.is_online}
    assert len(ids) < len(stores)
