"""Judges whether a run saw everything: whether its categories are proven, and what is less than in earlier runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median

from splitcart.runs.facts import Category, Counts, Gates, History, Shortfall

_MAX_DEPTH = 50
STORE = "totals"
"""The key in `Coverage.unproven` for all categories together."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is not proven, and what is less than the history expects: reasons by category key, or by `store`."""

    unproven: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    thin: dict[str, str] = field(default_factory=dict)
    short: dict[str, str] = field(default_factory=dict)
    turnover: str | None = None
    """The reason where too many of the listings ranged before are unseen."""

    @property
    def lacks(self) -> list[str]:
        """The reasons that a second run may confirm, because stores do shrink."""
        turnover = [self.turnover] if self.turnover else []
        return [*self.missing.values(), *self.thin.values(), *self.short.values(), *turnover]

    @property
    def missing_keys(self) -> frozenset[str]:
        return frozenset(self.missing) | frozenset(self.thin)


def is_proven(category: Category, gates: Gates) -> bool:
    """Whether the category's own walk saw all of it: its total less the slack, or, without a total, its end.

    False where the walk failed, and for a capped category, which only its children can prove.
    """
    if category.failed is not None or category.capped:
        return False
    if category.expected is None:
        return category.ended
    return _reaches(category.seen, category.expected, gates)


def _reaches(seen: int, expected: int, gates: Gates) -> bool:
    """Whether `seen` listings are `expected` ones less the slack; none are only where none are expected."""
    return seen >= expected - gates.slack(expected) and (seen > 0 or expected <= 0)


def cover(categories: Sequence[Category], counts: Counts, history: History, gates: Gates) -> Coverage:
    """Judges each category by its proof, and each category and the store by their history."""
    by_key = {category.key: category for category in categories}
    proofs = _Proofs(by_key, gates)
    unproven = {c.key: why for c in categories if (why := proofs.lack(c)) is not None}
    if not unproven and (why := _short_of_totals(categories, gates)) is not None:
        unproven[STORE] = why
    return Coverage(
        unproven,
        _missing(by_key, history),
        _thin(categories, history, gates),
        _short(counts.listings, history, gates),
        _turnover(counts, gates),
    )


def _short_of_totals(categories: Sequence[Category], gates: Gates) -> str | None:
    """Why the categories together fall short of their totals, or None.

    All of them together have the slack of one category: with a slack for each, 30 categories could lack 30 listings.
    """
    totals = [(c.seen, c.expected) for c in categories if c.expected is not None and not c.capped]
    expected, lacking = sum(total for _, total in totals), sum(max(0, total - seen) for seen, total in totals)
    if lacking <= gates.slack(expected):
        return None
    return f"{STORE}_short: {lacking} of {expected} listings unseen in all, expected at most {gates.slack(expected):g}"


def confirms(before: Shortfall | None, counts: Counts, coverage: Coverage, gates: Gates) -> bool:
    """Whether a run lacks the same as an earlier one: as many listings within the tolerance, the same categories, and
    where too many ranged listings were unseen, as many of these.

    Fewer missing categories are not the same: as many listings are then missing elsewhere, where the earlier run lacked
    none.
    """
    if before is None or coverage.missing_keys != before.missing or not _near(counts.listings, before.listings, gates):
        return False
    if before.unseen is None:
        return not coverage.turnover
    return _near(counts.unseen, before.unseen, gates)


def _near(count: int, before: int, gates: Gates) -> bool:
    """Whether two counts are equal within the tolerance of a confirmation, or within one."""
    return abs(count - before) <= max(1.0, gates.confirm_tolerance * before)


def confirm_after(gates: Gates) -> timedelta:
    """How long after the first run a second run may confirm its shortfall."""
    return timedelta(hours=gates.confirm_hours)


class _Proofs:
    """Why a category is not proven, each judged once: capped ones need their children's proofs."""

    def __init__(self, by_key: Mapping[str, Category], gates: Gates) -> None:
        self._by_key = by_key
        self._gates = gates
        self._lacks: dict[str, str | None] = {}

    def lack(self, category: Category, depth: int = 0) -> str | None:
        """Why the category is not proven; None where it is."""
        if category.failed is not None:
            return f"category_failed: {category.key} seen {category.seen}, expected its end, got {category.failed}"
        if category.capped:
            return self._lack_of_children(category, depth)
        if is_proven(category, self._gates):
            return None
        if category.expected is not None:
            return self._short(category.key, category.seen, category.expected)
        return f"category_unended: {category.key} seen {category.seen}, expected an empty page or its documented end"

    def _short(self, key: str, seen: int, expected: int) -> str:
        return f"category_short: {key} seen {seen}, expected {expected} less {self._gates.slack(expected):g}"

    def _lack_of_children(self, category: Category, depth: int) -> str | None:
        if not category.children:
            return f"category_capped: {category.key} seen {category.seen}, expected children that prove it, has none"
        for key in category.children:
            if self._lack_by_key(key, depth + 1) is not None:
                return f"category_capped: {category.key} child {key} is not proven, expected all children proven"
        if category.expected is None or not category.held:
            # A campaign's children need not hold all of it; what they leave out is proven by the departments.
            return None
        seen, expected = self._seen_below(category), category.expected
        return None if _reaches(seen, expected, self._gates) else self._short(category.key, seen, expected)

    def _lack_by_key(self, key: str, depth: int) -> str | None:
        if key not in self._by_key or depth > _MAX_DEPTH:
            return "not walked"
        if key not in self._lacks:
            self._lacks[key] = "a circle"  # stands until the judgement below is made
            self._lacks[key] = self.lack(self._by_key[key], depth)
        return self._lacks[key]

    def _seen_below(self, category: Category) -> int:
        """An upper bound of the distinct skus seen in the capped category: those on its own pages, or in all below
        it."""
        below, keys, pending = 0, set[str](), list(category.children)
        while pending:
            key = pending.pop()
            if key in keys or key not in self._by_key:
                continue
            keys.add(key)
            child = self._by_key[key]
            below += child.seen
            pending.extend(child.children if child.capped else ())
        return max(category.seen, below)


def _missing(by_key: Mapping[str, Category], history: History) -> dict[str, str]:
    """Categories that had listings in the last complete run and were not walked, nor a category above them as a
    whole."""
    walked = {child for category in by_key.values() if not category.capped for child in category.children}
    return {
        key: f"category_missing: {key} absent, expected: it held {runs[-1]} listings last time"
        for key, runs in history.categories.items()
        if runs and runs[-1] > 0 and key not in by_key and key not in walked
    }


def _thin(categories: Sequence[Category], history: History, gates: Gates) -> dict[str, str]:
    reasons = {}
    for category in categories:
        usual = _usual(history.categories.get(category.key, ()), gates)
        least = gates.category_share * usual
        # Of a capped one only the first page is looked at: its children are compared, and its total proves them.
        if (
            category.held
            and not category.capped
            and category.seen < least
            and usual - category.seen > gates.slack(usual)
        ):
            reasons[category.key] = (
                f"category_thin: {category.key} seen {category.seen}, expected {least:g} (usual {usual:g})"
            )
    return reasons


def _usual(runs: tuple[int, ...], gates: Gates) -> float:
    """The median of the last 5 runs; but the last run where it is below the gate: it was accepted because it was
    confirmed."""
    if not runs:
        return 0.0
    middle, last = float(median(runs[-5:])), float(runs[-1])
    return last if last < gates.category_share * middle else middle


def _short(listings: int, history: History, gates: Gates) -> dict[str, str]:
    last = history.last_complete
    if last is None:
        return _small(listings, history.company_usual, gates)
    if listings >= gates.store_share * last or last - listings <= gates.slack(last):
        return {}
    return {
        "store": f"store_short: seen {listings} listings, expected {gates.store_share * last:g} (last complete {last})"
    }


def _small(listings: int, usual: float | None, gates: Gates) -> dict[str, str]:
    """A first run has no history of its own, so it is compared with what is usual in the company's other stores."""
    if usual is None or listings >= gates.first_share * usual or usual - listings <= gates.slack(usual):
        return {}
    least = gates.first_share * usual
    return {
        "store": f"store_small: first run, seen {listings} listings, expected {least:g} (the company's usual {usual:g})"
    }


def _turnover(counts: Counts, gates: Gates) -> str | None:
    """Why too many ranged listings are unseen, or None.

    Listings go one by one. Where many go at once, the site has renumbered them or shows other goods.
    """
    least, again = gates.turnover_share * counts.ranged, counts.ranged - counts.unseen
    if again >= least or counts.unseen <= gates.slack(counts.ranged):
        return None
    most = counts.ranged - least
    return f"turnover: {counts.unseen} of {counts.ranged} ranged listings unseen, expected at most {most:g}"
