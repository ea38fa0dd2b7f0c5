"""A client that walks ALDI's stand-in sees its truth; the stand-in has the quirks of the real site."""

import re

import pytest

from sandbox.server import SandboxServer
from sandbox.world import World
from tests.support.naive import Client, differences, printed

PROMOTED = ("Lower Prices", "Super Savers", "Limited Time Only", "Front of Store")
QUERY = "/v3/product-search?currency=AUD&serviceType=walk-in&categoryKey={}&limit={}&offset={}&sort={}&servicePoint={}"


def search(client, key, store, offset=0, limit=30, sort="name_asc"):
    return client.call(QUERY.format(key, limit, offset, sort, store))


def fields(row):
    price, size = row["price"], row["sellingSize"]
    names = tuple(each["name"] for each in row["categories"])
    sold = not row["discontinued"] and price is not None
    seen = {
        "name": row["name"],
        "brand": row["brandName"],
        "size": size,
        "category_path": names,
        "is_available": sold,
        "price_basis": "each",
        "gtin": None,
        "multibuy_quantity": None,
    }
    if price is None:
        return {**seen, "price_cents": None, "unit_price": None, "was_price_cents": None}
    weight = re.match(r"approx\. ([\d.]+) kg", size or "")
    amount = price["amount"]
    cup, unit = printed(price["comparisonDisplay"])
    if weight and price["comparison"] == amount:
        amount = round(amount * float(weight[1]))
    was = price["wasPriceDisplay"]
    before = round(float(was.strip("$").replace(",", "")) * 100) if was else None
    return {
        **seen,
        "price_cents": amount,
        "was_price_cents": before,
        "is_on_special": before is not None,
        "is_estimated": bool(weight),
        "unit_price": cup,
        "unit_of_measure": unit,
    }


def walk(server, store, switch_sort):
    client, seen = Client(f"{server.url}/aldi"), {}
    roots = client.json(f"/v2/product-category-tree?serviceType=walk-in&servicePoint={store}")["data"]
    for root in roots:
        for node in root["children"] if root["children"] else [root]:
            offset = 0
            while True:
                answer = client.call(QUERY.format(node["key"], 12, offset, switch_sort, store))
                if answer[0] == 400:
                    break
                body = client.json(QUERY.format(node["key"], 12, offset, switch_sort, store))
                assert body["meta"]["pagination"]["offset"] == offset
                for row in body["data"]:
                    seen[row["sku"]] = fields(row)
                offset += 12
                if not body["data"]:
                    break
    return seen


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("day", [0, 9])
def test_what_a_client_sees_is_the_truth(seed, day):
    world = World(seed=seed, products=150, stores=3)
    with SandboxServer(world, day=day) as server:
        for place, store in enumerate(world.stores("aldi")[:2]):
            seen = walk(server, store.store_code, ("relevance", "name_desc")[place])
            assert differences(seen, world.truth("aldi", store.store_code, day)) == []


@pytest.fixture(scope="module")
def server():
    with SandboxServer(World(seed=4, products=900, stores=30)) as running:
        yield running


@pytest.fixture
def client(server):
    return Client(f"{server.url}/aldi")


@pytest.fixture(scope="module")
def store(server):
    return max(
        server.world.stores("aldi"), key=lambda each: len(server.world.truth("aldi", each.store_code, 0))
    ).store_code


def test_past_the_end_is_refused_or_empty(server, client, store):
    total = client.json(QUERY.format("970000000", 30, 0, "name_asc", store))["meta"]["pagination"]["totalCount"]
    assert search(client, "970000000", store, offset=total)[0] == 400
    server.switches.add("aldi_empty_past_end")
    body = client.json(QUERY.format("970000000", 30, total, "name_asc", store))
    assert (body["data"], body["meta"]["pagination"]["totalCount"]) == ([], total)


def test_only_known_limits_and_service_points_are_served(client, store):
    assert [search(client, "970000000", store, limit=limit)[0] for limit in (12, 24, 30, 36, 60)] == [
        200,
        200,
        200,
        400,
        400,
    ]
    assert search(client, "970000000", "G9999")[0] == 400


def test_a_category_without_products_is_empty(client, store):
    body = client.json(QUERY.format("123", 30, 0, "name_asc", store))
    assert (body["data"], body["meta"]["pagination"]["totalCount"]) == ([], 0)


def test_some_roots_are_leaves(client, store):
    roots = client.json(f"/v2/product-category-tree?serviceType=walk-in&servicePoint={store}")["data"]
    assert {bool(root["children"]) for root in roots} == {True, False}
    assert len(roots) == 18


def test_every_form_of_row_is_there(server, client, store):
    server.switches.add("aldi_empty_past_end")
    every, offset = [], 0
    while True:
        body = client.json(f"/v3/product-search?limit=30&offset={offset}&sort=price_asc&servicePoint={store}")
        if not body["data"]:
            break
        every += body["data"]
        offset += 30
    assert {row["notForSale"] for row in every} == {True}
    assert {len(row["sku"]) for row in every} == {18}
    sizes = [row["sellingSize"] or "" for row in every]
    displays = [row["price"]["comparisonDisplay"] or "none" for row in every if row["price"]]
    forms = {
        "no brand": any(row["brandName"] is None and row["urlSlugText"].startswith("no-brand-") for row in every),
        "no size": any(row["sellingSize"] is None for row in every),
        "no price": any(row["price"] is None for row in every),
        "discontinued": any(row["discontinued"] for row in every),
        "was": any(row["price"] and row["price"]["wasPriceDisplay"] for row in every),
        "one category": any(len(row["categories"]) == 1 for row in every),
        **{size: any(re.fullmatch(size, each) for each in sizes) for size in SIZES},
        **{text: any(re.search(text, each) for each in displays) for text in DISPLAYS},
    }
    assert [name for name, holds in forms.items() if not holds] == []


SIZES = (
    *(r"0\.\d+ kg", r"\d+ g", r"\d,000 ml", r"\d+ x 0\.\d+ L", r"\d+ each", r"\d+ sheets", r"\d+ PAC"),
    *(r"approx\. [\d.]+ kg per package", r"approx\. [\d.]+ kg per piece"),
)
DISPLAYS = ("per 100 g$", "per 1 kg$", "per 1 each$", "per 100 ml$", "per 1 L$", "sheets$", "per 1 m$", "PAC$", "none")


def test_service_points_come_ten_a_page_near_the_point(server, client):
    place = server.world.stores("aldi")[0]
    path = f"/v2/service-points?latitude={place.latitude}&longitude={place.longitude}&serviceType=walk-in&offset={{}}"
    first = client.json(path.format(0))
    total = first["meta"]["pagination"]["totalCount"]
    assert first["data"][0]["id"] == place.store_code
    assert len(first["data"]) == min(total, 10)
    assert 0 < total < len(server.world.stores("aldi"))
    assert isinstance(first["data"][0]["address"]["latitude"], str)
    assert client.json(path.format(total))["data"] == []
