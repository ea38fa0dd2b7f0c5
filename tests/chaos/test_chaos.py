"""A short `make chaos`, and that its checks can fail."""

import json
from pathlib import Path

import pytest

from sandbox.faults import KINDS
from sandbox.world import World
from splitcart_spiders.chains import aldi, iga
from tests.chaos import __main__ as chaos
from tests.chaos import judge, mishaps, report
from tests.chaos.rounds import Outcome

MILK = (310, None, None, None)
DEARER = (330, None, None, None)


def test_a_price_that_is_neither_the_old_nor_todays_is_a_loss():
    before, truth = {"milk": MILK, "bread": MILK}, {"milk": DEARER, "bread": MILK}
    assert judge.lost(before, {"milk": DEARER}, [truth]) == []
    assert judge.lost(before, before, [truth]) == []
    assert len(judge.lost(before, {"milk": (1, None, None, None)}, [truth])) == 1
    assert len(judge.lost({}, {"tea": MILK}, [truth])) == 1


def test_what_is_sold_may_not_be_taken_away():
    before = {"milk": MILK, "bread": MILK}
    assert judge.deleted(before, {"milk": MILK}, [{"milk": MILK}]) == []
    assert len(judge.deleted(before, {"milk": MILK}, [{"milk": MILK, "bread": DEARER}])) == 1
    assert judge.deleted(before, {"milk": MILK}, [before, {"milk": MILK}]) == []  # it disappeared while the day changed


def test_a_complete_run_leaves_all_rows_true_but_for_what_its_proofs_tolerate():
    truth = {"milk": MILK, "bread": MILK, "eggs": MILK}
    assert judge.untrue({"milk": MILK}, [truth], allowed=2) == []
    assert len(judge.untrue({"milk": MILK}, [truth], allowed=1)) == 2
    assert len(judge.untrue({**truth, "milk": DEARER}, [truth])) == 1
    assert judge.untrue({**truth, "milk": DEARER}, [truth, {**truth, "milk": DEARER}]) == []


def test_a_row_that_could_not_be_read_may_stay_as_it_was_and_is_never_delisted():
    truth, before = {"milk": DEARER, "bread": MILK}, {"milk": MILK, "bread": MILK}
    assert judge.untrue(before, [truth], kept={"milk": MILK}) == []
    assert judge.untrue(truth, [truth], kept={"milk": MILK}) == []
    assert len(judge.untrue({"bread": MILK}, [truth], kept={"milk": MILK})) == 1
    assert len(judge.untrue(before | {"bread": DEARER}, [truth], kept={"milk": MILK})) == 1
    assert len(judge.deleted(before, {"bread": MILK}, [truth])) == 1


def test_the_rows_that_the_judge_forgives_are_those_that_the_sandbox_garbles():
    world = World(seed=3, products=100)
    for chain in ("woolworths", "coles", "aldi", "iga"):
        assert judge.unreadable(world, chain, 0.0) == set()
        assert 0 < len(judge.unreadable(world, chain, 0.2)) < len(judge.unreadable(world, chain, 0.6)) < 100


NO_MISHAP = {"renumbered"}
"""Its skus are in no truth that chaos compares with; tests/splitcart_spiders/extensions/test_sightings.py tests it."""


def test_every_fault_of_the_sandbox_is_a_mishap():
    source = Path(mishaps.__file__).read_text()
    assert {kind for kind in KINDS if f'"{kind}"' not in source} == NO_MISHAP


def outcome(mishap: str, *, struck: bool, broken: tuple[str, ...] = ()) -> Outcome:
    return Outcome("sqlite", mishap, "iga", "1", 0, struck, "failed", "", 1, 0.1, len(broken), 0, False, broken)


def test_broken_promises_and_mishaps_that_never_struck_are_counted():
    played = [outcome("a kill", struck=False), outcome("a kill", struck=True, broken=("loss: milk",))]
    summary = report.summary([*played, outcome("a crash", struck=False)], seed=7)
    assert summary["seed"] == 7
    assert summary["totals"] == summary["databases"]["sqlite"]
    assert (summary["totals"]["runs"], summary["totals"]["losses"], summary["totals"]["violations"]) == (3, 1, 1)
    assert [(each["mishap"], each["struck"]) for each in summary["mishaps"]] == [("a crash", 0), ("a kill", 1)]
    assert report.unstruck([*played, outcome("a crash", struck=False)]) == ["sqlite a crash"]


def play(capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str) -> list[dict]:
    """The crawls of a short chaos, none of which may have broken a promise."""
    code = chaos.main([*arguments, "--products", "60", "--stores", "1", "--logs", str(folder), "--json"])
    summary = json.loads(capsys.readouterr().out)
    played: list[dict] = summary["crawls"]
    assert summary["totals"]["runs"] == len(played) == sum(each["runs"] for each in summary["mishaps"])
    assert [summary["totals"][name] for name in ("losses", "wrong_deletions", "false_completes", "violations")] == [
        0
    ] * 4
    assert [crawl for crawl in played if crawl["broken"]] == []
    assert code == 0
    assert played[-1]["status"] == "complete"
    return played


def test_every_promise_holds_through_unreadable_prices_and_names(capsys, tmp_path):
    only = ("--mishap", "prices that nobody can read", "--mishap", "names that nobody can read", "--chain", aldi.SLUG)
    played = play(capsys, tmp_path, "--runs", "6", "--seed", "4", "--database", "sqlite", *only)
    assert sum(crawl["struck"] for crawl in played) >= 2


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_every_promise_holds_through_kills(capsys, tmp_path, database):
    only = ("--mishap", "killed while it ends", "--mishap", "killed at a request", "--chain", aldi.SLUG)
    played = play(capsys, tmp_path, "--runs", "4", "--seed", "4", "--database", database, *only)
    assert sum(crawl["struck"] for crawl in played) >= 1


def test_a_server_that_crashes_between_staging_and_publishing_leaves_no_complete_run(capsys, tmp_path):
    crashes = ("crashes before judging", "crashes before publishing")
    only = [part for name in crashes for part in ("--mishap", name)]
    played = play(capsys, tmp_path, "--runs", "5", "--database", "postgresql", "--chain", aldi.SLUG, *only)
    befallen = {crawl["mishap"]: (crawl["struck"], crawl["status"]) for crawl in played if crawl["mishap"] in crashes}
    assert befallen == dict.fromkeys(crashes, (True, "failed"))


APART = {
    "killed at a request", "killed at a statement", "killed while it ends", "killed, then resumed", "terminated",
    "terminated twice", "the disk stays full", "crashed, then resumed", "crashes while resuming", "time runs out",
}  # fmt: skip
"""These need their own process, or some seconds."""


def names(database: str) -> list[str]:
    """The mishaps of the crawl's code and database; the faults of the site have their own tests."""
    struck = [mishap.name for mishap in (*mishaps.PROCESS, *mishaps.DATABASE) if database in mishap.on]
    return ["the day turns", *(name for name in struck if name not in APART)]


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_every_promise_holds_whatever_goes_wrong(capsys, tmp_path, database):
    only = [part for name in names(database) for part in ("--mishap", name)]
    played = play(capsys, tmp_path, "--runs", "12", "--seed", "2", "--database", database, "--chain", iga.SLUG, *only)
    assert len(played) >= 12
    assert sum(crawl["struck"] for crawl in played) >= 4
