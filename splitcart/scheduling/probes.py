"""Probes: how many listing pages one draws and which, and what it settles about the known prices of its store.

A probe looks at a few pages of a store whose prices are known from its anchor or from itself; docs/scheduling.md states
the rules.
"""

import random
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from math import ceil
from typing import Any

from splitcart.grouping.rules import Rules
from splitcart.observed import CONTESTED, Sighting

DEFAULT = Rules()
AGREES, DIFFERS, UNDECIDED = "agrees", "differs", "undecided"
"""What a probe settles."""
LEAST = 30
"""Lines that must have been compared for a probe to agree."""
FEW = 5
"""Fewer deviating lines than this never make a probe differ, however few were compared."""
OF_A_DEPARTMENT = Fraction(5, 100)
"""The share of one department's compared lines that may deviate. More is a cluster, and the probe differs however many
lines of other departments agree."""

DEVIATION, POWER, WITHIN = Fraction(2, 100), Fraction(90, 100), 3
"""What probes are sized for: the share of deviating lines, the probability of noticing them, within so many probes."""


def pages_for(pages: int, *, deviation: Fraction = DEVIATION, power: Fraction = POWER, within: int = WITHIN) -> int:
    """How many of a store's `pages` a probe draws: at most all of them.

    The model: the share `deviation` of the store's lines deviates, and these lines are a department of their own. They
    fill D = max(1, floor(deviation x pages)) pages. That is the hardest case: in a larger department the lines show on
    more pages. A probe that draws one of the D pages differs, because it exceeds OF_A_DEPARTMENT there.

    n pages drawn at random without repetition miss all D pages with the probability m(n) = C(pages - D, n) / C(pages,
    n). Probes on different days draw independently, so `within` of them all miss with m(n) ^ within. n is the smallest
    number for which this is at most 1 - power. A probe draws 2n pages, because half of its pages are not drawn at
    random.
    """
    deviating = max(1, int(deviation * pages))
    missed, drawn = Fraction(1), 0
    while drawn < pages and missed**within > 1 - power:
        missed *= Fraction(max(0, pages - deviating - drawn), pages - drawn)
        drawn += 1
    return min(pages, 2 * drawn)


@dataclass(frozen=True, slots=True)
class Plan:
    """What weights the pages of a probe: counts by category key, as the store's last crawls walked its categories."""

    products: Mapping[str, int] = field(default_factory=dict)
    """How many products the category listed."""
    open_lines: Mapping[str, int] = field(default_factory=dict)
    """How many of the store's lines in the category only a look at the store can settle: they are contested, or the
    anchor does not range them."""


def draw(
    plan: Plan, categories: Mapping[str, Iterable[str]], page_size: float, count: int, day: str
) -> list[tuple[str, int]]:
    """`count` different pages (category key, page number from 1), or all there are, in random order; `day` is the seed.

    categories: the keys that have pages, each with the keys of the categories below it, whose open lines count as its
    own. Half of the pages are drawn from all pages, so that each category has its share by size. The other half is
    drawn from categories with open lines, from each in proportion to their number. If these have too few pages, the
    rest is drawn from all.
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
    drawn = set(chosen)
    return [*chosen, *(page for page in left if page not in drawn)][:count]


@dataclass(slots=True)
class Tally:
    """Counts the lines that a probe saw with a price, by how that price compares with the known one."""

    departments: dict[str, list[int]] = field(default_factory=dict)
    """By department: [lines compared, of these the deviating ones]."""
    contested: int = 0
    """Lines not compared because their known price is contested."""
    outdated: int = 0
    """Lines not compared because their known price was seen before the last flip, or too long ago."""

    def add(self, department: str, source: str, *, deviates: bool, is_evidence: bool) -> None:
        """Counts one line whose price was known."""
        if source == CONTESTED:
            self.contested += 1
        elif not is_evidence:
            self.outdated += 1
        else:
            counts = self.departments.setdefault(department, [0, 0])
            counts[0] += 1
            counts[1] += deviates


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


def is_evidence(known: Sighting, look: Sighting, rules: Rules = DEFAULT) -> bool:
    """Whether the known price of a line may be compared with what a probe saw at `look`.

    It may if both were seen in one specials period, each by the clock of its own store, and at most `rules.fresh`
    apart, because prices change within a period too.
    """
    return known.period == look.period and look.at - known.at <= rules.fresh


def settle(tally: Tally, rules: Rules = DEFAULT) -> Settled:
    """Whether what a probe saw agrees with the known prices.

    It differs if at least FEW lines deviate, and these are more than a group tolerates (1 - rules.leave) of all
    compared ones, or at least FEW of one department, and more than OF_A_DEPARTMENT of its compared ones. It agrees if
    at least LEAST lines were compared and the deviating ones are within both shares. Otherwise it is undecided.
    """
    compared, deviating = (sum(department[at] for department in tally.departments.values()) for at in (0, 1))
    counts = (compared, deviating, tally.contested, tally.outdated)
    lines = f"{deviating} of {compared} compared lines deviate"
    if deviating >= FEW and deviating > (1 - rules.leave) * compared:
        words = f"its probe differs from what was known: {lines}, more than {float(1 - rules.leave):.0%}"
        return Settled(DIFFERS, words, *counts)
    for name, (total, odd) in sorted(tally.departments.items()):
        if odd >= FEW and odd > OF_A_DEPARTMENT * total:
            words = (
                f"its probe differs from what was known: {odd} of {total} compared lines of {name or 'no department'}"
            )
            return Settled(DIFFERS, f"{words} deviate, more than {float(OF_A_DEPARTMENT):.0%}", *counts)
    if compared < LEAST or deviating > (1 - rules.leave) * compared:
        unfit = f"; {tally.outdated} are known from too long ago, {tally.contested} are contested"
        return Settled(UNDECIDED, f"its probe settles nothing: {lines}{unfit}", *counts)
    return Settled(AGREES, f"its probe agrees with what was known: {lines}", *counts)
