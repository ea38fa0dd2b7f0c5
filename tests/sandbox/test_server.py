"""The server does what it is set to: faults, days, switches, logs, robots."""

import datetime as dt
import http.client
import json
import threading
import time
import urllib.error
import urllib.request

import pytest

from sandbox.server import SandboxServer
from sandbox.sites import sites
from sandbox.world import World
from tests.support.naive import Client

CHAINS = tuple(sites())

PANTRY = "1_39FD49C"
BROWSE = "/apis/ui/browse/category"


@pytest.fixture(scope="module")
def running():
    with SandboxServer(World(seed=1, products=300, range_low=1.0)) as server:
        yield server


@pytest.fixture
def server(running):
    yield running
    running.faults.clear()
    running.switches.clear()
    running.robots.clear()
    running.log.clear()
    running.day, running.clock = 0, None
    running.network_up()


@pytest.fixture
def client(server):
    client = Client(f"{server.url}/woolworths")
    client.call("/")
    return client


def browse(client, page=1, category=PANTRY, store="1101"):
    body = {"categoryId": category, "pageNumber": page, "pageSize": 24, "sortType": "Name", "storeId": store}
    return client.call(BROWSE, {**body, "isHideEverydayMarketProducts": True})


def organic(answer):
    rows = [row for bundle in json.loads(answer[2])["Bundles"] for row in bundle["Products"]]
    return [row for row in rows if not row["IsSponsoredAd"]]


@pytest.mark.parametrize(("status", "sign"), [(403, b"Access Denied"), (429, b"429"), (500, b"500"), (503, b"503")])
def test_a_status_is_answered_as_often_as_asked(server, client, status, sign):
    fault = server.faults.add("status", "woolworths", BROWSE, status=status, after=1, times=2, retry_after="7")
    answers = [browse(client) for _ in range(4)]
    assert [answer[0] for answer in answers] == [200, status, status, 200]
    assert sign in answers[1][2]
    assert answers[1][1]["Retry-After"] == "7"
    assert (fault.seen, fault.fired) == (4, 2)


def test_a_fault_acts_on_what_it_matches_only(server, client):
    server.faults.add("status", "woolworths", PANTRY, status=500)
    assert browse(client)[0] == 500
    assert browse(client, category="1_DEB537E")[0] == 200
    assert Client(f"{server.url}/aldi").call("/v2/service-points?latitude=1&longitude=1")[0] == 200
    assert server.faults.clear(PANTRY) == 1
    assert browse(client)[0] == 200


def test_an_answer_can_be_late(server, client):
    server.faults.add("delay", "woolworths", BROWSE, seconds=0.2, times=1)
    began = time.monotonic()
    assert browse(client)[0] == 200
    assert time.monotonic() - began >= 0.2


def test_a_connection_can_be_reset_before_a_byte(server, client):
    server.faults.add("reset", "woolworths", BROWSE, times=1)
    with pytest.raises((ConnectionResetError, urllib.error.URLError, http.client.RemoteDisconnected)):
        browse(client)
    assert server.log[-1].status == 0
    assert browse(client)[0] == 200


def test_a_body_can_be_cut_off(server, client):
    server.faults.add("cut", "woolworths", BROWSE)
    with pytest.raises(http.client.IncompleteRead):
        browse(client)


@pytest.mark.parametrize("kind", ["truncate", "invalid_json"])
def test_a_complete_answer_can_be_no_json(server, client, kind):
    server.faults.add(kind, "woolworths", BROWSE)
    status, headers, body = browse(client)
    assert status == 200
    assert "json" in headers["Content-Type"]
    with pytest.raises(ValueError):
        json.loads(body)


def test_html_can_stand_where_json_is_due(server, client):
    server.faults.add("html", "woolworths", BROWSE)
    status, headers, body = browse(client)
    assert (status, headers.get_content_type()) == (200, "text/html")
    assert b"<html" in body


@pytest.mark.parametrize(
    ("form", "sign"),
    [
        ("imperva", b"Pardon Our Interruption"),
        ("imperva_script", b"/_Incapsula_Resource"),
        ("imperva_incident", b"Incapsula incident ID"),
        ("akamai", b"Access Denied"),
        ("cloudflare", b"Just a moment"),
    ],
)
def test_a_block_page_comes_with_status_200_after_some_pages(server, client, form, sign):
    server.faults.add("block", "woolworths", BROWSE, form=form, after=2)
    answers = [browse(client, page) for page in (1, 2, 3, 4)]
    assert [sign in answer[2] for answer in answers] == [False, False, True, True]
    assert {answer[0] for answer in answers} == {200}


def test_without_a_network_connecting_is_refused(server, client):
    server.network_down()
    with pytest.raises(urllib.error.URLError, match="refused"):
        browse(client)
    server.network_up()
    assert browse(client)[0] == 200


def test_a_category_can_be_missing(server, client):
    server.faults.add("missing_category", "woolworths", value=PANTRY)
    tree = client.json("/apis/ui/PiesCategoriesWithSpecials")["Categories"]
    assert PANTRY not in {root["NodeId"] for root in tree}
    assert json.loads(browse(client)[2])["TotalRecordCount"] == 0


def test_every_page_can_be_the_first(server, client):
    first, second = browse(client, 1), browse(client, 2)
    assert organic(first) != organic(second)
    server.faults.add("page_one", "woolworths", BROWSE)
    assert browse(client, 2)[2] == first[2]


def test_a_store_can_be_empty_and_a_total_without_rows(server, client):
    server.faults.add("empty", "woolworths", BROWSE, times=1)
    empty, bare = browse(client), None
    assert (json.loads(empty[2])["TotalRecordCount"], organic(empty)) == (0, [])
    server.faults.add("no_rows", "woolworths", BROWSE, times=1)
    bare = browse(client)
    assert json.loads(bare[2])["TotalRecordCount"] > 0
    assert organic(bare) == []


def test_prices_can_double(server, client):
    plain = {row["Stockcode"]: row["Price"] for row in organic(browse(client))}
    server.faults.add("prices", "woolworths", value=2.0)
    doubled = {row["Stockcode"]: row["Price"] for row in organic(browse(client))}
    pairs = [(plain[sku], price) for sku, price in doubled.items() if price is not None]
    assert all(abs(price - 2 * before) < 0.02 for before, price in pairs)


def test_rows_can_go_while_the_total_stays(server, client):
    every, few, total = 0, 0, []
    server.faults.add("gone", "woolworths", '"gone"')
    for page in (1, 2, 3):
        every += len(organic(browse(client, page)))
    server.faults.add("gone", "woolworths", BROWSE, value=0.3)
    for page in (1, 2, 3):
        few += len(organic(browse(client, page)))
        total.append(json.loads(browse(client, page)[2])["TotalRecordCount"])
    assert every * 0.4 < few < every
    assert set(total) == {every}


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("kind", ["gone", "empty", "no_rows"])
def test_faults_of_the_data_reach_every_chain(server, chain, kind):
    plain = _listing(server, chain)
    server.faults.add(kind, chain, value=0.4)
    total, skus = _listing(server, chain)
    assert len(skus) < len(plain[1])
    assert total == (0 if kind == "empty" else plain[0])


def _listing(server, chain):
    client, store = Client(f"{server.url}/{chain}"), server.world.stores(chain)[0].store_code
    client.call("/")
    if chain == "woolworths":
        answer = browse(client, store=store)
        return json.loads(answer[2])["TotalRecordCount"], [row["Stockcode"] for row in organic(answer)]
    if chain == "coles":
        path = f"/_next/data/{server.build}/en/browse/pantry.json?page=1"
        found = client.json(path, cookies={"fulfillmentStoreId": store})["pageProps"]["searchResults"]
        rows = [row["id"] for row in found["results"] if row["_type"] == "PRODUCT" and not row["featured"]]
        return found["noOfResults"], rows
    if chain == "aldi":
        body = client.json(f"/v3/product-search?categoryKey=970000000&limit=30&servicePoint={store}")
        return body["meta"]["pagination"]["totalCount"], [row["sku"] for row in body["data"]]
    body = client.json(f"/api/storefront/stores/{store}/categories/Drinks/search?take=20&skip=0")
    return body["total"], [row["sku"] for row in body["items"]]


def test_the_day_turns_in_the_middle_of_a_crawl(server, client):
    server.faults.add("day", "woolworths", BROWSE, value=7, after=1, times=1)
    first, second = browse(client), browse(client)
    assert server.day == 7
    assert first[2] != second[2]


def test_a_switch_goes_on_in_the_middle_of_a_crawl(server, client):
    store = server.world.stores("woolworths")[0].store_code
    server.faults.add("switch", "woolworths", BROWSE, value="woolworths_answers_1101", after=1, times=1)
    answered = [{row["FulfilmentStoreId"] for row in organic(browse(client, store=store))} for _ in range(3)]
    assert answered == [{int(store)}, {1101}, {1101}]


def test_a_clock_gives_each_store_the_day_of_its_own_zone(server):
    stores = {store.state: store for store in server.world.stores("woolworths")}
    server.clock = dt.datetime(2026, 6, 9, 15, 0, tzinfo=dt.UTC)  # Wednesday 01:00 in Sydney, Tuesday 23:00 in Perth
    days = {state: server.day_of("woolworths", store.store_code) for state, store in stores.items()}
    assert (days["NSW"], days["WA"]) == (7, 6)


def test_sessions_can_end(server, client):
    assert browse(client)[0] == 200
    server.faults.add("expire", "woolworths", BROWSE, times=1)
    assert browse(client)[0] == 403
    client.call("/")
    assert browse(client)[0] == 200


def test_robots_are_absent_until_set(server):
    client = Client(f"{server.url}/iga")
    assert client.call("/robots.txt")[0] == 404
    server.robots["iga"] = (200, "User-agent: *\nCrawl-delay: 3\nDisallow: /api/\n")
    status, headers, body = client.call("/robots.txt")
    assert (status, headers.get_content_type()) == (200, "text/plain")
    assert b"Crawl-delay: 3" in body


def test_every_request_is_logged(server, client):
    server.log.clear()
    before = time.time()
    browse(client, page=3)
    entry = server.log[-1]
    assert (entry.chain, entry.method, entry.path, entry.status) == ("woolworths", "POST", BROWSE, 200)
    assert json.loads(entry.body)["pageNumber"] == 3
    assert entry.headers["user-agent"] == "naive/1 (test)"
    assert "bm_sz" in entry.cookies
    assert entry.wall >= before - 1
    assert entry.time <= time.monotonic()


def test_an_unknown_switch_or_fault_is_refused(server):
    with pytest.raises(KeyError, match="woolworths_answers_1101"):
        server.switches.add("no_such")
    with pytest.raises(ValueError, match="page_one"):
        server.faults.add("no_such")


def _control(server, method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{server.url}/_sandbox/{path}", data=data, method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read())


def test_another_process_can_do_the_same_by_http(server, client):
    added = _control(server, "POST", "faults", {"kind": "status", "match": BROWSE, "status": 500})
    assert browse(client)[0] == 500
    assert _control(server, "GET", "faults")["faults"][0]["fired"] == 1
    assert _control(server, "DELETE", f"faults?number={added['number']}") == {"cleared": 1}
    assert _control(server, "PUT", "day", 8)["date"] == "2026-06-11"
    assert server.day == 8
    assert _control(server, "PUT", "switches/aldi_empty_past_end")["on"] == ["aldi_empty_past_end"]
    assert _control(server, "DELETE", "switches/aldi_empty_past_end")["on"] == []
    assert _control(server, "PUT", "robots/coles", {"text": "User-agent: *"})["coles"]["status"] == 200
    assert _control(server, "GET", "log")[-1]["path"] == BROWSE
    store = server.world.stores("aldi")[0].store_code
    truth = _control(server, "GET", f"truth?chain=aldi&store={store}&day=3")
    assert truth == json.loads(json.dumps(server.world.truth("aldi", store, 3)))
    assert set(_control(server, "GET", "state")["chains"]) == set(CHAINS)
    with pytest.raises(urllib.error.HTTPError, match="400"):
        _control(server, "POST", "faults", {"kind": "no_such"})


def test_many_clients_are_served_at_once(server):
    def visit():
        client = Client(f"{server.url}/woolworths")
        client.call("/")
        found.append(browse(client)[0])

    found = []
    threads = [threading.Thread(target=visit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [200] * 8
