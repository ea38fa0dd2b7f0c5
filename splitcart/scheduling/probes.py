"""Probes: how many listing pages one draws and which, and what it settles about the prices that were known.

A probe looks at a few pages of a store whose prices are known from its anchor or from itself; docs/scheduling.md has it
in words.
"""

import random
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from math import ceil
from typing import Any

from splitcart.grouping.rules import Rules
from splitcart.observed import CONTESTED, Sighting

AGREES, DIFFERS, UNDECIDED = "agrees", "differs", "undecided"
"""What a probe settles."""
LEAST = 30
"""Lines that must have been compared for a probe to agree."""
FEW = 5
"""Fewer deviating lines than these are no disagreement, however few were compared."""
OF_A_DEPARTMENT = Fraction(5, 100)
"""The share of one department's compared lines that may deviate; more is a cluster, whatever the others say."""

DEVIATION, POWER, WITHIN = Fraction(2, 100), Fraction(90, 100), 3


def pages_for(pages: int, *, deviation: Fraction = DEVIATION, power: Fraction = POWER, within: int = WITHIN) -> int:
    """How many pages a probe of a store of so many `pages` draws: at most all of them.

    The model: `deviation` of the store's lines differ from what is known. They are a department of their own, so they
    fill D = max(1, floor(deviation x pages)) pages: of all ways to lie in one department the one that is hardest to hit
    (spread over a larger department they show on more pages). One of these pages drawn is noticed: there the share of
    OF_A_DEPARTMENT is passed. n pages drawn at random without repetition miss them with the probability
    m(n) = C(pages - D, n) / C(pages, n); `within` probes on different days draw independently. n is the smallest with
    m(n) ^ within <= 1 - power. A probe is twice that: half of its pages are not drawn at random.
    """
    there = max(1, int(deviation * pages))
    missed, drawn = Fraction(1), 0
    while drawn < pages and missed**within > 1 - power:
        missed *= Fraction(max(0, pages - there - drawn), pages - drawn)
        drawn += 1
    return min(pages, 2 * drawn)


@dataclass(frozen=True, slots=True)
class Plan:
    """What steers the pages of a probe; counts by the key of a category as the store's last crawls walked it."""

    products: Mapping[str, int] = field(default_factory=dict)
    """How many it listed."""
    open_lines: Mapping[str, int] = field(default_factory=dict)
    """Of the store's lines in it, those that only a look at the store can settle: contested, or not ranged by the
    anchor."""


def draw(
    plan: Plan, categories: Mapping[str, Iterable[str]], page_size: float, count: int, day: str
) -> list[tuple[str, int]]:
    """`count` different pages (category, page number from 1), or all there are, in a random order; `day` is the seed.

    categories: the keys that have pages, each with the keys of the categories below it, whose open lines count as its
    own. Half of the pages are drawn from all, so that a category has its share by size. The other half is drawn from
    categories with open lines, of each in proportion to how many these are; what that leaves over is drawn from all.
    """
    chance = random.Random(day)
    known = {key: max(1, ceil(plan.products.get(key, 1) / page_size)) for key in categories}
    pages = [(key, page) for key in categories for page in range(1, known[key] + 1)]
    chance.shuffle(pages)
    opened = {key: sum(plan.open_lines.get(one, 0) for one in (key, *below)) for key, below in categories.items()}
    left = pages[ceil(count / 2) :]
    weights = {page: opened[page[0]] / known[page[0]] for page in left if opened[page[0]]}
    # Efraimidis and Spirakis 2006: the largest u ** (1 / weight) are a weighted draw without repetition.
    ranked = sorted(weights, key=lambda page: chance.random() ** (1 / weights[page]), reverse=True)
    chosen = [*pages[: ceil(count / 2)], *ranked[: count // 2]]
    there = set(chosen)
    return [*chosen, *(page for page in left if page not in there)][:count]


@dataclass(slots=True)
class Tally:
    """The lines that a probe saw with a price, beside what was known of them before."""

    departments: dict[str, list[int]] = field(default_factory=dict)
    """By department the lines that were compared, and of these the deviating ones."""
    contested: int = 0
    """Lines not compared: what is known says itself that it may be wrong."""
    outdated: int = 0
    """Lines not compared: what is known was seen before the last flip, or too long ago to decide by."""

    def add(self, department: str, source: str, *, deviates: bool, is_evidence: bool) -> None:
        """Counts one line whose price was known."""
        if source == CONTESTED:
            self.contested += 1
        elif not is_evidence:
            self.outdated += 1
        else:
            counted = self.departments.setdefault(department, [0, 0])
            counted[0] += 1
            counted[1] += deviates


@dataclass(frozen=True, slots=True)
class Settled:
    """What a probe settles, with the figures behind it."""

    outcome: str
    words: str
    compared: int = 0
    deviating: int = 0
    contested: int = 0
    outdated: int = 0

    @property
    def figures(self) -> dict[str, Any]:
        """For the run's row, ready for JSON."""
        return asdict(self)


def is_evidence(known: Sighting, look: Sighting, rules: Rules = Rules()) -> bool:  # noqa: B008 - frozen
    """Whether what was known when the probe looked is fit to be compared with.

    Seen in the same specials period, each by the clock of the store that saw, and no longer ago than grouping decides
    by: prices also change within a period.
    """
    return known.period == look.period and look.at - known.at <= rules.fresh


def settle(tally: Tally, rules: Rules = Rules()) -> Settled:  # noqa: B008 - frozen
    """Whether what a probe saw agrees with what was known.

    It differs where at least FEW lines deviate, and these are more than a group tolerates (1 - rules.leave) of all
    compared ones, or at least FEW of one department, and more than OF_A_DEPARTMENT of its compared ones. It agrees
    where at least LEAST lines were compared and the deviating ones are within both shares. Else it settles nothing.
    """
    compared, deviating = (sum(counts[at] for counts in tally.departments.values()) for at in (0, 1))
    told = (compared, deviating, tally.contested, tally.outdated)
    lines = f"{deviating} of {compared} compared lines deviate"
    if deviating >= FEW and deviating > (1 - rules.leave) * compared:
        words = f"its probe differs from what was known: {lines}, more than {float(1 - rules.leave):.0%}"
        return Settled(DIFFERS, words, *told)
    for name, (of, odd) in sorted(tally.departments.items()):
        if odd >= FEW and odd > OF_A_DEPARTMENT * of:
            words = f"its probe differs from what was known: {odd} of {of} compared lines of {name or 'no department'}"
            return Settled(DIFFERS, f"{words} deviate, more than {float(OF_A_DEPARTMENT):.0%}", *told)
    if compared < LEAST or deviating > (1 - rules.leave) * compared:
        unfit = f"; {tally.outdated} are known from too long ago, {tally.contested} are contested"
        return Settled(UNDECIDED, f"its probe settles nothing: {lines}{unfit}", *told)
    return Settled(AGREES, f"its probe agrees with what was known: {lines}", *told)
