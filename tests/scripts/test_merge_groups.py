"""scripts/merge_groups.py and scripts/reset_groups.py as an operator runs them."""

import json
from datetime import UTC, datetime, timedelta

import merge_groups
import pytest
import reset_groups

from models.database import engine as engines
from tests.support.groups import grouped, offers, prices_now, written
from tests.support.storage import crawl


@pytest.fixture
def chain(sqlite_url, monkeypatch):
    """Three stores of one zone and one of another, crawled an hour ago, in the database that DATABASE_URL names."""
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    engine = engines.create(sqlite_url)
    ago = datetime.now(UTC) - timedelta(minutes=5)
    for store, zone in (("1", 0), ("2", 0), ("10", 0), ("4", 3)):
        crawl(engine, offers(zone), store=store, now=ago)
    yield engine
    engine.dispose()


def printed(capsys) -> dict:
    return json.loads(capsys.readouterr().out)


def test_a_merge_prints_its_figures_as_json_and_a_reset_undoes_it(chain, capsys):
    before, rows = prices_now(chain), written(chain)
    assert merge_groups.main(["--company", "WoolWorths", "--json"]) == 0
    (found,) = printed(capsys)["companies"]
    assert (found["groups_before"], found["groups_after"], found["merged"]) == (4, 2, 2)
    assert (found["flagged"], found["ejected"], found["put_off"]) == ([], 0, 0)
    assert "rows_saved" not in found
    assert found["comparisons_avoided"] > 0
    assert grouped(chain) == {frozenset({"1", "2", "10"}), frozenset({"4"})}
    assert reset_groups.main(["--json"]) == 0
    assert printed(capsys) == {"stores_reset": {"Woolworths": 2}}
    assert len(grouped(chain)) == 4
    assert (prices_now(chain), written(chain)) == (before, rows)


def test_a_merge_that_has_nothing_to_do_compares_nothing(chain, capsys):
    assert merge_groups.main([]) == 0
    assert "2 merged, 0 ejected" in capsys.readouterr().out
    assert merge_groups.main(["--json"]) == 0
    (found,) = printed(capsys)["companies"]
    assert (found["merged"], found["comparisons_made"], found["passes"]) == (0, 0, 1)


def test_a_dry_run_explains_and_changes_nothing(chain, capsys):
    assert merge_groups.main(["--dry-run", "--explain", "4"]) == 0
    shown = capsys.readouterr().out
    assert "4 groups before, 2 after" in shown
    assert "4 apart (1): 70.00% of 100 common lines are equal" in shown
    assert len(grouped(chain)) == 4


def test_an_unknown_company_is_named_and_exits_1(chain, capsys):
    assert merge_groups.main(["--company", "nobody"]) == 1
    assert "'nobody' is unknown; there is woolworths" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", ["98", "x", "1/0", "nan", "0.4", "-1", "", "1e99", "1e999999999", "9" * 5000])
def test_a_threshold_that_is_no_share_is_refused_with_exit_2(chain, capsys, wrong):
    with pytest.raises(SystemExit) as ended:
        merge_groups.main([f"--threshold={wrong}"])
    assert ended.value.code == 2
    assert "a share between 0.5 and 1" in capsys.readouterr().err


def test_a_store_to_explain_that_is_unknown_is_named_before_anything_is_merged(chain, capsys):
    assert merge_groups.main(["--explain", "99"]) == 1
    assert "store '99' is unknown (woolworths): --explain wants the chain's own id" in capsys.readouterr().err
    assert len(grouped(chain)) == 4
