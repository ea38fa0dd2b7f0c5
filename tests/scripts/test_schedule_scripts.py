"""next_store, inspect_stores, inspect_runs and clear_schedule as an operator runs them."""

import json
from datetime import UTC, datetime, timedelta

import clear_schedule
import inspect_runs
import inspect_stores
import next_store
import pytest

from models.database import engine as engines
from models.runs import opening
from models.runs.endings import Ending
from models.scheduling.taking import Taken
from tests.support.schedules import begun, change, company_of, taken
from tests.support.storage import crawl, judged, query, row

KEYS = {
    "company", "store_id", "store_name", "state", "offered", "why_not", "free_at", "last_scraped", "verified_at",
    "answered_for", "group_anchor", "lease_until", "fail_count", "needs_rescraping",
}  # fmt: skip


@pytest.fixture
def chain(database_url, monkeypatch):
    """ALDI with three stores, never crawled, in the database that DATABASE_URL names."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    engine = engines.create(database_url)
    company_of(engine, ["10", "9", "S1"])
    yield engine
    engine.dispose()


def printed(capsys):
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("name", ["aldi", "ALDI", "AlDi"])
def test_the_next_store_is_printed_with_its_lease_whatever_the_case_of_the_company(chain, capsys, name):
    assert next_store.main(["--company", name, "--json"]) == 0
    found = printed(capsys)
    [lease] = query(chain, "SELECT lease_token FROM stores WHERE store_code = '9'")
    assert set(found) == {"company", "store_id", "store_name", "company_name", "lease_token", "lease_until", "probe"}
    assert found["probe"] is None
    assert (found["company"], found["store_id"], found["store_name"]) == ("aldi", "9", "Store 9")
    assert (found["company_name"], found["lease_token"]) == ("ALDI", lease[0])
    ahead = datetime.fromisoformat(found["lease_until"]) - datetime.now(UTC)
    assert timedelta(0) < ahead <= timedelta(seconds=120)


def test_a_member_that_is_due_is_printed_with_the_pages_of_its_probe(chain, capsys, monkeypatch):
    given = Taken("9", "Store 9", "t0ken", datetime.now(UTC), probe=78)
    asked = []
    monkeypatch.setattr(next_store, "take", lambda engine, company, rules, *_, **__: asked.append(rules) or given)
    assert next_store.main(["--company", "aldi", "--policy", "groups"]) == 0
    assert "scrapy crawl aldi -a store=9 -a probe=78 -a lease=t0ken" in capsys.readouterr().out
    assert next_store.main(["--company", "aldi", "--json"]) == 0
    assert printed(capsys)["probe"] == 78
    assert [rules.policy for rules in asked] == ["groups", "oldest"]


def test_no_store_exits_3_and_names_for_how_many_stores_each_reason_holds(chain, capsys):
    change(chain, "10", is_online=False)
    for _ in range(2):
        assert next_store.main(["--company", "aldi"]) == 0
    assert "scrapy crawl aldi -a store=9 -a lease=" in capsys.readouterr().out
    assert next_store.main(["--company", "aldi", "--json"]) == 3
    found = printed(capsys)
    first = min(when for (when,) in query(chain, "SELECT scheduled_at FROM stores WHERE scheduled_at IS NOT NULL"))
    free = (first if isinstance(first, datetime) else datetime.fromisoformat(first)) + timedelta(hours=4)
    assert datetime.fromisoformat(found.pop("next_free_at")) == free
    assert found == {"company": "aldi", "none": True, "reasons": {"scheduled": 2, "offline": 1}}
    assert next_store.main(["--company", "aldi"]) == 3
    shown = capsys.readouterr().out
    assert "2 scheduled: it was handed out not long ago" in shown
    assert "1 offline: the store sells nothing online" in shown
    assert "the next frees at 20" in shown


def test_a_company_without_stores_names_the_command_that_finds_them(chain, capsys):
    company_of(chain, slug="iga")
    assert next_store.main(["--company", "iga"]) == 3
    assert "scrapy crawl iga_stores" in capsys.readouterr().out
    assert next_store.main(["--company", "iga", "--json"]) == 3
    assert printed(capsys) == {"company": "iga", "none": True, "reasons": {}, "next_free_at": None}


@pytest.mark.parametrize("script", [next_store, inspect_stores, inspect_runs, clear_schedule])
def test_an_unknown_company_is_named_and_exits_1(chain, capsys, script):
    assert script.main(["--company", "nobody"]) == 1
    assert "'nobody' is unknown; there is aldi" in capsys.readouterr().err


def test_stores_are_shown_with_their_state_and_why_they_are_not_offered(chain, capsys):
    now = datetime.now(UTC)
    crawl(chain, [row(1)], slug="aldi", store="9", now=now - timedelta(minutes=9))
    taken(chain, now)
    assert inspect_stores.main(["--json"]) == 0
    by_code = {each["store_id"]: each for each in printed(capsys)}
    assert all(set(each) == KEYS for each in by_code.values())
    assert list(by_code) == ["S1", "9", "10"]
    assert (by_code["9"]["state"], by_code["9"]["offered"], by_code["9"]["why_not"]) == ("fresh", True, None)
    assert (by_code["S1"]["state"], by_code["S1"]["group_anchor"]) == ("never", "S1")
    assert (by_code["10"]["state"], by_code["10"]["why_not"]) == ("running", "scheduled")
    assert datetime.fromisoformat(by_code["10"]["free_at"]) == now + timedelta(hours=4)


def test_stores_are_filtered_by_company_state_and_reason(chain, capsys):
    now = datetime.now(UTC)
    company_of(chain, ["1"], "coles")
    taken(chain, now)

    def found(*options):
        assert inspect_stores.main([*options, "--json"]) == 0
        return [each["store_id"] for each in printed(capsys)]

    assert found("--company", "Coles") == ["1"]
    assert found("--reason", "scheduled") == found("--state", "running") == ["9"]
    assert found("--state", "never", "--company", "aldi") == ["10", "S1"]
    assert found("--state", "never", "--reason", "scheduled") == []
    assert inspect_stores.main([]) == 0
    shown = capsys.readouterr().out
    assert "4 stores, 3 of them offered, the next one first" in shown
    assert "scheduled: it was handed out not long ago" in shown


def test_runs_are_shown_with_their_reason_counts_changes_and_seconds(chain, capsys):
    now = datetime.now(UTC) - timedelta(hours=1)
    crawl(chain, [row(1), row(2)], slug="aldi", store="9", now=now)
    bad = begun(chain, taken(chain, now), now)
    why = judged("failed", "\x1b[31mbroken")
    end = now + timedelta(seconds=90)
    opening.finish(chain, bad, Ending(verdict=why, now=end, answered_for="77", counts={"requests": 7}))
    assert inspect_runs.main(["--json"]) == 0
    failed, complete = sorted(printed(capsys), key=lambda each: -each["run"])
    assert (failed["status"], failed["reason"], failed["seconds"]) == ("failed", "\x1b[31mbroken", 90)
    assert (failed["counts"], failed["changes"], failed["answered_for"]) == ({"requests": 7}, None, "77")
    assert (complete["company"], complete["store_id"], complete["status"]) == ("aldi", "9", "complete")
    assert complete["changes"] == {"inserted": 2, "updated": 0, "unchanged": 0, "missing": 0, "delisted": 0}
    assert complete["counts"]["listings"] == 2
    assert inspect_runs.main([]) == 0
    shown = capsys.readouterr().out
    assert "\\x1b[31mbroken" in shown
    assert "\x1b" not in shown
    for options, wanted in ([["--status", "failed"], 1], [["--store", "9"], 1], [["--limit", "1"], 1], [[], 2]):
        assert inspect_runs.main([*options, "--json"]) == 0
        assert len(printed(capsys)) == wanted, options
    assert bad.token not in json.dumps([failed, complete])


def test_the_schedule_is_cleared_and_a_live_lease_is_not(chain, capsys):
    now = datetime.now(UTC)
    given = taken(chain, now - timedelta(hours=1))
    run = begun(chain, given, now - timedelta(hours=1))
    opening.finish(chain, run, Ending(verdict=judged("partial", "requested"), now=now))
    taken(chain, now)
    assert clear_schedule.main(["--company", "Aldi", "--json"]) == 0
    assert printed(capsys) == {"company": "aldi", "cleared": 1, "leased": 1}
    assert clear_schedule.main(["--company", "aldi"]) == 0
    assert "ALDI: 0 stores are no longer locked out; 1 stay leased" in capsys.readouterr().out
    assert next_store.main(["--company", "aldi", "--json"]) == 0
    assert printed(capsys)["store_id"] == given.store_code


def test_inspecting_stores_and_runs_changes_nothing(chain, capsys):
    begun(chain, taken(chain, datetime.now(UTC) - timedelta(hours=9)), datetime.now(UTC) - timedelta(hours=9))
    tables = ("stores", "crawl_runs")
    before = [query(chain, f"SELECT * FROM {name} ORDER BY id") for name in tables]
    assert inspect_stores.main(["--json"]) == inspect_runs.main(["--json"]) == 0
    capsys.readouterr()
    assert [query(chain, f"SELECT * FROM {name} ORDER BY id") for name in tables] == before
