"""A rehearsal without a sandbox ends at once, and reports how to start one."""

import socket

import pytest

from splitcart_spiders.middlewares.gate import Gate
from tests.support.crawls import crawl


@pytest.fixture
def nowhere():
    """An address at which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize("spider", ["aldi", "coles", "aldi_stores"])
def test_a_crawl_without_a_sandbox_asks_nothing_and_names_the_remedy(spider, nowhere, sqlite_url):
    store = {} if spider.endswith("_stores") else {"store": "1"}
    outcome = crawl(spider, nowhere, sqlite_url, overrides={"RETRY_BACKOFF": 60, "BROWSER": None}, **store)
    assert (outcome.status, outcome.reason, outcome.exit_code) == ("failed", "network_down", 5)
    assert "splitcart/retry/count" not in outcome.stats
    assert "downloader/request_count" not in outcome.stats
    error = Gate.of(outcome.crawler).error
    assert nowhere in str(error)
    assert "python scripts/sandbox.py" in error.remedy
    assert "DEV_BASE_URL" in error.remedy
