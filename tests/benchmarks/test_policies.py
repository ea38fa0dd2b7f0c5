"""The simulation of policies: its truth is the sandbox's, its arrays follow the rules, its figure is an hourly mean."""

import json
from collections import defaultdict
from datetime import timedelta

import numpy as np
import pytest
import simulate_policies

from benchmarks.policies import Clairvoyant, simulate
from benchmarks.policy_fleet import HOUR, Fleet, moment
from benchmarks.policy_known import NEVER, Known, effective
from benchmarks.policy_world import DAY, Truth
from sandbox.dice import Dice
from sandbox.world import EPOCH, World
from splitcart.observed import Anchor, Sighting
from splitcart.observed import effective as rule

SIZE = {"count": 6, "lines": 40, "zones": 2}


def sighting(when: int, day: int) -> Sighting:
    return Sighting(moment(when), EPOCH + timedelta(days=day), EPOCH + timedelta(days=day // 7 * 7))


def test_the_truth_is_the_sandboxs_for_every_store_and_day() -> None:
    world = World(seed=3, products=40, stores=6, zones=2, noise=0.05)
    truth = Truth("woolworths", 6, 40, 2, seed=3, noise=0.05)
    prices = world.prices("woolworths")
    assert [each.store_code for each in truth.stores] == [each.store_code for each in world.stores("woolworths")]
    for day in (0, 6, 7, 30):
        offers, codes = [], truth.codes(day)
        for store in world.stores("woolworths"):
            zone = world.zone_of("woolworths", store.store_code)
            state = prices.store(store, day, *prices.zone(zone, day))
            columns = [getattr(state.offers, name)[:40] for name in state.offers.__dataclass_fields__]
            offers.append(list(zip(*(column.tolist() for column in columns), strict=True)))
            assert (truth.ranged(day)[store.index] == state.ranged[:40]).all()
        same = [[one == other for one, other in zip(offers[0], each, strict=True)] for each in offers]
        assert (np.array(same) == (codes == codes[0])).all()
    assert truth.day(0)[[0, 3]].tolist() == [0, 0]
    assert truth.day(14 * HOUR)[[0, 3]].tolist() == [1, 0]  # midnight in Sydney, two hours before Perth's


def test_the_arrays_agree_with_the_rule_line_by_line() -> None:
    dice, shape = Dice(1), 3000
    own, now, then = (dice.integers(name, low, 4, np.arange(shape)) for name, low in (("a", 1), ("b", 0), ("c", 0)))
    seen, changed = (dice.integers(name, low, 30, np.arange(shape)) for name, low in (("d", 0), ("e", NEVER)))
    day, then_day = (dice.integers(name, 0, 16, np.arange(shape)) for name in ("f", "g"))
    now[changed == NEVER] = 0
    found = effective(own, seen, day, now, changed, then, then_day)
    for line in range(shape):
        anchor = Anchor(
            current_terms=now[line] or None,
            changed_at=None if changed[line] == NEVER else moment(int(changed[line])),
            last_seen=sighting(99, 20),
            earlier_terms=then[line] or None,
            earlier_seen=sighting(0, int(then_day[line])) if then[line] else None,
        )
        known = rule(own[line], sighting(int(seen[line]), int(day[line])), anchor)
        assert (found.takes_anchor[line], found.contested[line]) == (known.takes_anchor, known.source == "contested")
        assert found.codes[line] == (now[line] if known.takes_anchor else own[line])


class Replayed:
    """What a fleet knows, line by line from a log of its publishes, with the rule itself."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.entries: dict[tuple[int, int], list[list[int]]] = defaultdict(list)
        """By store and line [code (0: delisted), since when, its last day seen, when it was seen last]."""
        self.missed: set[tuple[int, int]] = set()
        fleet.log = self.published

    def published(self, when: int, store: int, lines: np.ndarray, complete: bool) -> None:
        day, seen = int(self.fleet.truth.day(when)[store]), set(lines.tolist())
        for line in range(SIZE["lines"]):
            key, entries = (store, line), self.entries[store, line]
            if line in seen:
                code = int(self.fleet.truth.codes(day)[key])
                if not entries or entries[-1][0] != code:
                    entries.append([code, when, day, when])
                entries[-1][2:] = [day, when]
                self.missed.discard(key)
            elif complete and entries and entries[-1][0]:
                if key in self.missed:
                    entries.append([0, when, day, when])
                self.missed ^= {key}

    def code(self, store: int, line: int) -> int:
        own, anchor = self.entries[store, line], int(self.fleet.known.anchor[store])
        if not own or not own[-1][0]:
            return 0
        code, _, day, seen = own[-1]
        if anchor == store:
            return code
        its = self.entries[anchor, line]
        then = next((entry for entry in reversed(its) if entry[1] <= seen), None)
        beside = Anchor(
            current_terms=its[-1][0] or None if its else None,
            changed_at=moment(its[-1][1]) if its else None,
            last_seen=sighting(its[-1][3], its[-1][2]) if its else None,
            earlier_terms=then[0] or None if then else None,
            earlier_seen=sighting(then[3], then[2]) if then else None,
        )
        known = rule(code, sighting(seen, day), beside)
        return its[-1][0] if known.takes_anchor else code


@pytest.mark.parametrize("policy", ["oldest", "groups"])
def test_a_fleet_knows_what_the_rule_makes_of_all_that_it_has_published(policy: str) -> None:
    truth = Truth("woolworths", **SIZE, seed=5, noise=0.01)
    fleet = Fleet(truth, policy, 12_000)
    replayed, stores = Replayed(fleet), np.arange(6)
    for days in (4, 9, 16):
        fleet.advance(days * DAY)
        found = fleet.known.effective(stores).codes
        assert found.tolist() == [[replayed.code(store, line) for line in range(40)] for store in range(6)]
    assert len(np.unique(fleet.known.anchor)) < 6  # some follow an anchor
    assert (truth.zone == truth.zone[fleet.known.anchor]).all()
    assert (fleet.counts["probes"] > 0) == (policy == "groups")


def test_the_figure_is_the_mean_of_24_hourly_samples_over_all_pairs_and_the_same_each_time() -> None:
    truth = Truth("woolworths", **SIZE, seed=5)
    found = simulate(truth, 9_000, 3, warm_up=7)
    assert found == simulate(Truth("woolworths", **SIZE, seed=5), 9_000, 3, warm_up=7)
    fleet, days = Fleet(truth, "groups", 9_000), []
    for day in range(10):
        hours = []
        for hour in range(24):
            at = day * DAY + hour * HOUR
            fleet.advance(at)
            codes, ranged = truth.now(at, np.arange(6))
            hours.append(((fleet.known.effective(np.arange(6)).codes == codes) & ranged).sum() / ranged.sum())
        days.append(float(np.mean(hours)))
    groups = found["groups"]
    assert groups["days"] == pytest.approx(days[7:])
    assert (groups["mean"], groups["worst"]) == (pytest.approx(np.mean(days[7:])), pytest.approx(min(days[7:])))
    assert groups["worst_day"] == 7 + int(np.argmin(days[7:]))


def test_the_clairvoyant_is_wrong_only_where_the_zone_has_changed_since_or_its_store_does_not_range_the_line() -> None:
    truth = Truth("woolworths", **SIZE, seed=5, noise=0)
    seer = Clairvoyant(truth, 600)
    seer.advance(3 * DAY + 12 * HOUR)
    codes, ranged = truth.now(seer.now, np.arange(6))
    shown = seer.codes(np.arange(6))
    wrong = (shown != codes) & ranged & (shown != 0)
    assert seer.turn == (3 * DAY + 12 * HOUR) // 600
    assert wrong.sum() <= 0.02 * ranged.sum()


def test_the_script_prints_a_figure_for_each_policy(capsys) -> None:
    options = ["--company", "aldi", "--stores", "5", "--days", "2", "--warm-up", "1", "--lines-a-page", "1"]
    assert simulate_policies.main([*options, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(one["company"], one["policy"], len(one["days"])) for one in found] == [
        ("aldi", policy, 2) for policy in ("oldest", "groups", "clairvoyant")
    ]
    assert all(0 <= one["worst"] <= one["mean"] <= 1 for one in found)


def test_a_price_that_the_anchor_changed_is_not_seen_again_by_its_later_crawls() -> None:
    known, every = Known(2, 1), np.array([True])
    for day, store, code in ((1, 0, 7), (1, 1, 7)):
        known.publish(store, np.array([code]), every, day * DAY + store, day, complete=True)
    known.move(1, 0)
    known.publish(1, np.array([7]), every, 2 * DAY, 2, complete=False)  # on a day on which the anchor was not seen
    for day in (3, 4):
        known.publish(0, np.array([8]), every, day * DAY, day, complete=True)
        found = known.effective(np.array([1]))
        assert (found.codes[0, 0], bool(found.contested[0, 0])) == (7, True)
