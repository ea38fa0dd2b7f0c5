"""Outside dev a host must prove its identity: whole crawls of the chains' own addresses, over TLS, through a proxy."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scrapy import Request, Spider
from scrapy.exceptions import DownloadFailedError
from scrapy.http import Response
from sqlalchemy import create_engine, func, select

from models import tables
from sandbox.server import SandboxServer
from sandbox.world import World
from splitcart_spiders.downloads.tls import refusal
from splitcart_spiders.errors import BlockedError, CertificateRefused
from splitcart_spiders.middlewares.gate import Gate
from splitcart_spiders.middlewares.hosts import Hosts
from tests.support.crawls import Outcome, crawl
from tests.support.processes import start
from tests.support.tls import Authority, Front, Listener, serving

HOST = "www.woolworths.com.au"
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "signed by itself": ({"names": [HOST], "signed": False}, "signed by itself"),
    "for another host": ({"names": ["www.evil.example"]}, "other hosts"),
    "for a longer name": ({"names": [f"{HOST}.evil.example"]}, "other hosts"),
    "for the domain above": ({"names": ["woolworths.com.au"]}, "other hosts"),
    "for subdomains of the domain above": ({"names": ["*.com.au"]}, "other hosts"),
    "for an address": ({"names": ["127.0.0.1"]}, "other hosts"),
    "for a page": ({"names": [f"https://{HOST}/"]}, "other hosts"),
    "expired": ({"names": [HOST], "days": (-30, -1)}, "has expired"),
    "not yet valid": ({"names": [HOST], "days": (1, 30)}, "not valid yet"),
    "for clients": ({"names": [HOST], "client": True}, "not for servers"),
    "without names": ({"names": []}, "names prove nothing"),
    "for a mailbox": ({"names": [f"mail:a@{HOST}"]}, "names prove nothing"),
    "for everybody": ({"names": ["*"]}, "names prove nothing"),
    "for every two": ({"names": ["*.*.com.au"]}, "names prove nothing"),
}
"""The options of a certificate, and words of the error. All but the first are signed by a trusted authority."""
ORIGINS = {
    "woolworths": {HOST},
    "coles": {"www.coles.com.au"},
    "aldi": {"api.aldi.com.au"},
    "iga": {"www.igashop.com.au"},
    "woolworths_stores": {HOST},
    "coles_stores": {"apigw.coles.com.au"},
    "aldi_stores": {"api.aldi.com.au"},
    "iga_stores": {"www.igashop.com.au", "embed.salefinder.com.au"},
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def world() -> World:
    return World(seed=5, products=40, stores=1)


@pytest.fixture
def front(world: World, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """front(certificate, ...): a proxy that the next crawl uses, before a sandbox."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)

    @contextmanager
    def opened(*certificates: Path) -> Iterator[Front]:
        with SandboxServer(world, day=1) as sandbox, serving(Front(sandbox.url, *certificates)) as server:
            for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
                monkeypatch.setenv(name, server.url)
            yield server

    return opened


def outside_dev(world: World, spider: str, database: str | None, **overrides: Any) -> Outcome:
    store = {} if spider.endswith("_stores") else {"store": world.stores(spider)[0].store_code}
    arguments = {"dev": None} | store
    return crawl(spider, "http://127.0.0.1:1", database, overrides={"HOST_RATE": 500} | overrides, **arguments)


def stored(database: str, table: Any) -> int:
    engine = create_engine(database)
    with engine.connect() as connection:
        found = connection.execute(select(func.count()).select_from(table)).scalar_one()
    engine.dispose()
    return found


@pytest.mark.parametrize("bad", BAD)
def test_a_certificate_that_proves_nothing_ends_the_run_before_anything_is_asked(
    bad, front, authority, world, sqlite_url
):
    how, words = BAD[bad]
    with front(authority.certificate(*how["names"], **{k: v for k, v in how.items() if k != "names"})) as server:
        outcome = outside_dev(world, "woolworths", sqlite_url)
    assert (outcome.status, outcome.reason, outcome.exit_code) == ("failed", "certificate_refused", 1)
    error = Gate.of(outcome.crawler).error
    assert isinstance(error, CertificateRefused)
    assert words in str(error)
    assert HOST in str(error)
    assert server.log == []
    assert server.connects == [f"{HOST}:443"]
    assert stored(sqlite_url, tables.prices) == 0


def test_an_unknown_authority_is_not_trusted(front, world, sqlite_url, tmp_path):
    with front(Authority(tmp_path, "Nobody").certificate(HOST)) as server:
        outcome = outside_dev(world, "woolworths", sqlite_url)
    assert (outcome.reason, outcome.exit_code) == ("certificate_refused", 1)
    assert "its issuer is not one that this machine trusts" in str(Gate.of(outcome.crawler).error)
    assert server.log == []


def test_the_run_row_names_the_certificate_and_the_fault(front, authority, world, database_url):
    with front(authority.certificate("www.evil.example")):
        outside_dev(world, "woolworths", database_url)
    engine = create_engine(database_url)
    with engine.connect() as connection:
        row = connection.execute(select(tables.crawl_runs)).one()
    engine.dispose()
    assert (row.status, row.reason) == ("failed", "certificate_refused")
    counts = row.counts if isinstance(row.counts, dict) else json.loads(row.counts)
    assert f"the certificate of {HOST} is refused: it is for other hosts" in counts["error"]
    assert stored(database_url, tables.prices) == stored(database_url, tables.listings) == 0


def test_a_refused_certificate_is_never_tried_again_into_success(front, authority, world, sqlite_url):
    with front(authority.certificate("www.evil.example"), authority.certificate(HOST)) as server:
        outcome = outside_dev(world, "woolworths", sqlite_url)
    assert outcome.reason == "certificate_refused"
    assert len(server.connects) == 1
    assert outcome.stats.get("splitcart/retry/count") is None


def test_a_certificate_that_goes_bad_in_the_middle_of_a_crawl_ends_it(front, authority, world, sqlite_url):
    good, bad = authority.certificate(HOST), authority.certificate(HOST, days=(-30, -1))
    with front(*[good] * 4, bad) as server:
        server.closes = True
        outcome = outside_dev(world, "woolworths", sqlite_url)
    assert (outcome.status, outcome.reason) == ("failed", "certificate_refused")
    assert 3 <= len(server.log) <= 4
    assert stored(sqlite_url, tables.prices) == 0


@pytest.mark.parametrize("robots", ["stop", "allow"])
def test_a_refused_certificate_at_robots_txt_ends_the_crawl_even_if_robots_txt_may_be_unavailable(
    robots, front, authority, world, sqlite_url
):
    with front(authority.certificate("www.evil.example")) as server:
        outcome = outside_dev(world, "woolworths", sqlite_url, ROBOTS_UNAVAILABLE=robots)
    assert (outcome.reason, len(server.connects)) == ("certificate_refused", 1)


@pytest.mark.parametrize("spider", [*ORIGINS])
def test_no_setting_and_no_spider_does_without_certificates(spider, front, authority, world, sqlite_url, tmp_path):
    unwilling = {"DOWNLOAD_VERIFY_CERTIFICATES": False, "SESSION_DIR": str(tmp_path)}
    with front(authority.certificate("www.evil.example")) as server:
        outcome = outside_dev(world, spider, sqlite_url, **unwilling)
    assert (outcome.status, outcome.reason, outcome.exit_code) == ("failed", "certificate_refused", 1)
    assert server.log == []


@pytest.mark.parametrize("spider", [name for name in ORIGINS if name not in {"coles_stores", "aldi_stores"}])
def test_good_certificates_of_a_trusted_authority_let_a_whole_run_through(
    spider, front, authority, world, sqlite_url, tmp_path
):
    names = ORIGINS[spider] if spider != "woolworths" else {"*.woolworths.com.au"}
    with front(authority.certificate(*names)) as server:
        outcome = outside_dev(world, spider, sqlite_url, SESSION_DIR=str(tmp_path))
    assert (outcome.status, outcome.exit_code) == ("complete", 0), outcome.reason
    assert Hosts.of(outcome.crawler).origins == {f"https://{host}" for host in ORIGINS[spider]}
    assert {url.split("/")[2] for url in server.log} == ORIGINS[spider]
    assert server.log[0].endswith("/robots.txt")
    assert stored(sqlite_url, tables.stores if spider.endswith("_stores") else tables.prices) > 0


@pytest.mark.parametrize(("names", "code"), [(["www.evil.example"], 1), ([HOST], 0)])
def test_the_exit_code_and_the_log_say_so(names, code, front, authority, world, sqlite_url, tmp_path):
    store = world.stores("woolworths")[0].store_code
    with front(authority.certificate(*names)):
        options = ("-a", f"store={store}", "-s", "HOST_RATE=500", "-s", "RETRY_BACKOFF=0")
        process = start("woolworths", *options, log=tmp_path / "log", database=sqlite_url, sandbox="http://127.0.0.1:1")
        assert process.code() == code, process.log
    assert ("certificate_refused" in process.log) is (code == 1)
    assert ("certificate_refused" in process.log) is (code == 1)
    assert "Traceback" not in process.log


class Direct(Spider):
    """Asks one address, as it is."""

    name = "woolworths"
    answered: bytes | None = None
    failed: Exception | None = None

    async def start(self) -> Any:
        yield Request(self.url, self.parse, errback=self.fail)

    def parse(self, response: Response) -> None:
        self.answered = response.body

    def fail(self, failure: Any) -> None:
        self.failed = failure.value


@pytest.mark.parametrize(
    ("host", "names", "good"),
    [
        ("localhost", ["localhost"], True),
        ("127.0.0.1", ["127.0.0.1"], True),
        ("localhost", ["127.0.0.1"], False),
        ("127.0.0.1", ["localhost"], False),
        ("127.0.0.1", ["127.0.0.2"], False),
        ("localhost", [], False),
    ],
)
def test_without_a_proxy_hosts_and_addresses_prove_themselves_likewise(host, names, good, authority, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with serving(Listener("http://127.0.0.1:1", authority.certificate(*names))) as server:
        server.answer = lambda host, path: (404, [], b"") if path == "/robots.txt" else (200, [], b"hello")
        bare = {"EXTENSIONS": {}, "ITEM_PIPELINES": {}, "HOST_RATE": 500, "HTTPPROXY_ENABLED": False}
        url = f"https://{host}:{server.server_port}/"
        outcome = crawl(Direct, "http://127.0.0.1:1", None, overrides=bare, dev=None, url=url)
    spider = outcome.crawler.spider
    assert spider.answered == (b"hello" if good else None)
    assert isinstance(Gate.of(outcome.crawler).error, CertificateRefused) is not good
    assert len(server.connects) == 1


def test_a_host_without_tls_is_not_reported_as_a_refused_certificate():
    with serving(Listener("http://127.0.0.1:1")) as server:
        bare = {"EXTENSIONS": {}, "ITEM_PIPELINES": {}, "HOST_RATE": 500, "HTTPPROXY_ENABLED": False, "RETRY_TIMES": 1}
        url = f"https://localhost:{server.server_port}/"
        outcome = crawl(Direct, "http://127.0.0.1:1", None, overrides=bare, dev=None, url=url)
    assert isinstance(Gate.of(outcome.crawler).error, BlockedError)  # its robots.txt cannot be had
    assert (outcome.crawler.spider.answered, server.log) == (None, [])


def test_another_failure_of_tls_is_not_a_refused_certificate():
    plain = DownloadFailedError("reset")
    assert refusal(plain) is None
    plain.__cause__ = Exception()
    plain.__cause__.reasons = [SimpleNamespace(value=ConnectionResetError("reset"))]  # type: ignore[attr-defined]
    assert refusal(plain) is None
