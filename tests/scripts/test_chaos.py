"""What `make chaos` does for long, short; and that its checks can fail."""

import json

import _chaos_rounds as rounds
import chaos
import pytest

from splitcart_spiders.chains import woolworths

MILK = (310, None, None, None)
DEARER = (330, None, None, None)


def test_a_partial_run_may_not_take_a_price_away_or_invent_one():
    before, truth = {"milk": MILK, "bread": MILK}, {"milk": DEARER}
    assert rounds.unseen(before, {"milk": DEARER, "bread": MILK}, truth) == []
    assert rounds.unseen(before, before, truth) == []
    assert len(rounds.unseen(before, {"milk": DEARER}, truth)) == 1
    assert len(rounds.unseen(before, {"milk": (1, None, None, None), "bread": MILK}, truth)) == 1


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_every_promise_holds_through_a_few_mishaps(kind, capsys):
    arguments = ["--rounds", "3", "--seed", "4", "--products", "60", "--database", kind, "--chain", woolworths.SLUG]
    code = chaos.main([*arguments, "--json"])
    played = json.loads(capsys.readouterr().out)
    assert [round for round in played if round["broken"]] == []
    assert code == 0
    assert len(played) == 3 + 2 * chaos.STORES
