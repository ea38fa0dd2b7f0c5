"""What `make chaos` does for long, short; and that its checks can fail."""

import json

import _chaos_checks as checks
import chaos

from splitcart_spiders.chains import woolworths

MILK = (310, None, None, None)
DEARER = (330, None, None, None)


def test_a_partial_run_may_not_take_a_price_away_or_invent_one():
    before, truth = {"milk": MILK, "bread": MILK}, {"milk": DEARER}
    assert checks.unseen(before, {"milk": DEARER, "bread": MILK}, truth) == []
    assert checks.unseen(before, before, truth) == []
    assert len(checks.unseen(before, {"milk": DEARER}, truth)) == 1
    assert len(checks.unseen(before, {"milk": (1, None, None, None), "bread": MILK}, truth)) == 1


def test_a_complete_run_may_miss_no_more_than_a_row_a_category():
    truth = {"milk": MILK, "bread": MILK, "eggs": MILK}
    assert checks.untrue({}, {"milk": MILK}, truth, allowed=2) == []
    assert len(checks.untrue({}, {"milk": MILK}, truth, allowed=1)) == 2
    assert len(checks.untrue({}, {"milk": DEARER}, truth, allowed=2)) == 1


def test_every_promise_holds_through_a_kill_and_a_database_that_restarts(capsys, tmp_path):
    arguments = ["--rounds", "2", "--seed", "4", "--products", "60", "--stores", "1", "--database", "postgresql"]
    only = ["--chain", woolworths.SLUG, "--mishap", "the process is killed", "--mishap", "the database restarts"]
    code = chaos.main([*arguments, *only, "--logs", str(tmp_path), "--json"])
    played = json.loads(capsys.readouterr().out)
    assert [round for round in played if round["broken"]] == []
    assert code == 0
    assert sum(round["struck"] for round in played) == 2
    assert played[-1]["status"] == "complete"
