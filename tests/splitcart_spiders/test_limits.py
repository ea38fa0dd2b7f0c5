"""A setting that cannot be meant ends a crawl before it begins, and the error states what is wanted."""

import pytest
from scrapy.exceptions import UsageError
from scrapy.settings import Settings
from scrapy.utils.project import get_project_settings

from sandbox.server import SandboxServer
from sandbox.world import World
from splitcart_spiders import settings
from splitcart_spiders.limits import NUMBERS, WHOLE, check_settings
from tests.support.crawls import load
from tests.support.processes import start

NONSENSE = ["-5", "", "abc", "nan", "inf", "-inf", "9" * 5000, "1e400", "1,5", "0x10", "None", "\x1b[31m", [], {}, True]


def refusal(**values) -> str:
    chosen = get_project_settings()
    chosen.setdict(values, "cmdline")
    with pytest.raises(UsageError) as refused:
        check_settings(chosen)
    assert "\x1b" not in str(refused.value)
    assert len(str(refused.value)) < 300
    return str(refused.value)


@pytest.mark.parametrize("name", WHOLE | NUMBERS)
@pytest.mark.parametrize("value", NONSENSE, ids=lambda value: repr(value)[:12])
def test_no_number_takes_nonsense(name, value):
    if value == "-5" and (WHOLE | NUMBERS)[name][0] < 0:
        return check_settings(Settings({name: value}))
    assert f"setting {name}=" in refusal(**{name: value})
    return None


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_number_takes_no_fraction(name):
    least = max(WHOLE[name][0], 10)
    for wrong in (f"{least}.5", f"{least}.0", least + 0.5, f"{least}e0"):
        assert "a whole number from" in refusal(**{name: wrong})


def test_every_number_among_the_settings_has_its_line():
    ours = {
        name
        for name, value in vars(settings).items()
        if name.isupper() and isinstance(value, int | float) and not isinstance(value, bool)
    }
    assert ours - (WHOLE | NUMBERS).keys() == set()


@pytest.mark.parametrize("name", WHOLE | NUMBERS)
def test_the_default_and_both_ends_of_a_range_are_taken(name):
    least, most = (WHOLE | NUMBERS)[name]
    for value in (least, most, str(least), str(most)):
        check_settings(Settings({name: value}))
    check_settings(get_project_settings())


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"LEASE_SECONDS": 30, "HEARTBEAT_SECONDS": 30}, "it would end between two beats"),
        ({"ROBOTS_UNAVAILABLE": "alow"}, "stop or allow is wanted"),
        ({"POLITE": "perhaps"}, "1 or 0 is wanted"),
        ({"BROWSER": "perhaps"}, "1 or 0 is wanted"),
        ({"KEEP_MARKETPLACE": "-1"}, "1 or 0 is wanted"),
        ({"DEV_BASE_URL": "http://127.0.0.1:port"}, "the sandbox's address is wanted"),
        ({"DEV_BASE_URL": "http://127.0.0.1:99999"}, "the sandbox's address is wanted"),
        ({"DEV_BASE_URL": "127.0.0.1:8000"}, "the sandbox's address is wanted"),
        ({"DEV_BASE_URL": "file:///etc/passwd"}, "the sandbox's address is wanted"),
        ({"DEV_BASE_URL": "http://[::1"}, "the sandbox's address is wanted"),
        ({"CONTACT": "me\r\nX-Other: 1"}, "it is part of a header"),
        ({"CONTACT": "m\u00fc@example.org"}, "it is part of a header"),
        ({"RUN_GATES": {"tolerance": 7}}, "gate tolerance is 7.0"),
        ({"RUN_GATES": {"tolerance": "x"}}, "RUN_GATES: "),
        ({"RUN_GATES": {"nothing": 1}}, "there is no gate 'nothing'"),
        ({"RUN_GATES": "{"}, "RUN_GATES: "),
        ({"RUN_GATES": "[1]"}, "RUN_GATES: "),
        ({"RUN_GATES": '{"tolerance": null}'}, "RUN_GATES: "),
    ],
)
def test_combinations_of_settings_are_checked_as_well(values, why):
    assert why in refusal(**values)


@pytest.mark.parametrize("spider", ["iga", "iga_stores"])
def test_every_spider_checks_its_settings(spider):
    with pytest.raises(UsageError, match="LEASE_SECONDS"):
        load(spider).update_settings(Settings({"LEASE_SECONDS": "-5", "BOT_NAME": "a", "BOT_VERSION": "1"}))


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("-a", "store=1", "-s", "LEASE_SECONDS=-5"), "setting LEASE_SECONDS='-5': a whole number from 1"),
        (("-a", "store=.."), "-a store=..: the chain's own id of one store is wanted"),
        (
            ("-a", "store=1", "-a", f"probe={'9' * 5000}"),
            f"-a probe={'9' * 40}...: at most",
        ),
    ],
)
def test_a_crawl_that_cannot_be_meant_exits_1_before_any_request_without_a_traceback(options, why, tmp_path):
    with SandboxServer(World(seed=2, products=20, stores=1)) as server:
        database = f"sqlite:///{tmp_path}/none.db"
        crawl = start("iga", "-a", "dev=1", *options, log=tmp_path / "log", database=database, sandbox=server.url)
        assert crawl.code() == 1
        assert server.log == []
    assert why in crawl.log
    assert "Traceback" not in crawl.log
    assert not (tmp_path / "none.db").exists()
