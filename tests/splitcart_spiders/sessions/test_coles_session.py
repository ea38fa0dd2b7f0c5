"""Coles' own spider against the sandbox: how its session begins, in real Chromium and plainly."""

import pytest

from sandbox.server import SandboxServer
from sandbox.world import World
from splitcart_spiders.errors import BrowserMissing
from splitcart_spiders.middlewares.gate import Gate
from splitcart_spiders.sessions import browser
from tests.support.crawls import crawl

SESSION = "incap_ses_1320_2800108"


@pytest.fixture(scope="module")
def world():
    return World(seed=6, products=60, stores=1)


@pytest.fixture
def server(world):
    with SandboxServer(world) as server:
        yield server


def crawl_coles(server, tmp_path, **settings):
    store = server.world.stores("coles")[0].store_code
    values = {"EXTENSIONS": {}, "ITEM_PIPELINES": {}, "SESSION_DIR": str(tmp_path)} | settings
    return crawl("coles", server.url, None, overrides=values, store=store, categories="bakery", gtins="0")


def listings(server):
    return [entry for entry in server.log if entry.path.startswith("/_next/data/")]


def test_coles_goes_on_plainly_from_a_session_that_only_a_browser_gets(server, tmp_path):
    server.switches.add("coles_needs_browser")
    outcome = crawl_coles(server, tmp_path, BROWSER=True, POLITE=True, HOST_RATE=20)
    assert Gate.of(outcome.crawler).error is None
    assert server.log[0].path == "/robots.txt"
    assert listings(server)
    assert all(SESSION in entry.cookies and entry.status == 200 for entry in listings(server))
    assert all(entry.cookies["fulfillmentStoreId"] == outcome.crawler.spider.store_code for entry in listings(server))
    assert len({entry.headers["User-Agent"] for entry in server.log}) == 1

    server.log.clear()
    again = crawl_coles(server, tmp_path, BROWSER=True)
    assert Gate.of(again.crawler).error is None
    assert "splitcart/session/opened" not in again.stats
    assert "playwright/browser_count" not in again.stats


def test_coles_begins_plainly_where_that_is_enough(server, tmp_path):
    outcome = crawl_coles(server, tmp_path)
    assert Gate.of(outcome.crawler).error is None
    assert listings(server)
    assert all(SESSION in entry.cookies for entry in listings(server))


def test_a_plain_session_is_refused_where_only_a_browser_can_open_the_page(server, tmp_path):
    server.switches.add("coles_needs_browser")
    outcome = crawl_coles(server, tmp_path)
    assert isinstance(Gate.of(outcome.crawler).error, BrowserMissing)
    assert [entry.path for entry in server.log] == ["/"]


def test_a_session_that_becomes_void_is_a_block_and_is_not_offered_again(server, tmp_path):
    server.switches.add("coles_needs_browser")
    server.faults.add("expire", "coles", "_next/data", times=1)
    outcome = crawl_coles(server, tmp_path, BROWSER=True)
    assert Gate.of(outcome.crawler).error.reason == "blocked"
    assert list(tmp_path.iterdir()) == []


def test_without_playwright_coles_names_what_to_install_and_sends_no_request(server, tmp_path, monkeypatch):
    monkeypatch.setattr(browser, "is_installed", lambda: False)
    outcome = crawl_coles(server, tmp_path, BROWSER=True)
    error = Gate.of(outcome.crawler).error
    assert isinstance(error, BrowserMissing)
    assert "scrapy-playwright is not installed" in str(error)
    assert "requirements-coles.txt" in error.remedy
    assert listings(server) == []

    in_dev = crawl_coles(server, tmp_path)
    assert Gate.of(in_dev.crawler).error is None
    assert listings(server), "in dev a plain request will do"
