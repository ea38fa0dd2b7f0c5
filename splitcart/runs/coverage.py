"""Judges whether a run saw everything: whether its categories are proven, and what is less than in earlier runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median

from splitcart.runs.facts import Category, Counts, Gates, History, Shortfall

_MAX_DEPTH = 50
ALL_CATEGORIES = "totals"
"""The key in `Coverage.unproven` for all categories together."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is not proven, and what is less than the history expects: reasons by key.

    A key is that of a category, `totals` for all categories together, or `store` for the whole store.
    """

    unproven: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    thin: dict[str, str] = field(default_factory=dict)
    short: dict[str, str] = field(default_factory=dict)
    turnover: str | None = None
    """The reason, if too many of the listings ranged before are unseen; else None."""

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

    False if the walk failed, and for a capped category, which only its children can prove.
    """
    if category.failed is not None or category.capped:
        return False
    if category.expected is None:
        return category.ended
    return _reaches(category.seen, category.expected, gates)


def _reaches(seen: int, expected: int, gates: Gates) -> bool:
    """Whether `seen` is at least `expected` less the slack. `seen == 0` is accepted only if `expected <= 0`."""
    return seen >= expected - gates.slack(expected) and (seen > 0 or expected <= 0)


def cover(categories: Sequence[Category], counts: Counts, history: History, gates: Gates) -> Coverage:
    """Judges each category by its proof, and each category and the store by their history."""
    by_key = {category.key: category for category in categories}
    proofs = _Proofs(by_key, gates)
    unproven = {c.key: why for c in categories if (why := proofs.lack(c)) is not None}
    if not unproven and (why := _short_of_totals(categories, gates)) is not None:
        unproven[ALL_CATEGORIES] = why
    return Coverage(
        unproven,
        _absent_categories(by_key, history),
        _shrunk_categories(categories, history, gates),
        _store_shortfall(counts.listings, history, gates),
        _turnover(counts, gates),
    )


def _short_of_totals(categories: Sequence[Category], gates: Gates) -> str | None:
    """The reason, if the categories together fall short of their totals; else None.

    All of them together have the slack of one category: with a slack for each, 30 categories could lack 30 listings.
    """
    totals = [(c.seen, c.expected) for c in categories if c.expected is not None and not c.capped]
    expected, lacking = sum(total for _, total in totals), sum(max(0, total - seen) for seen, total in totals)
    most = gates.slack(expected)
    if lacking <= most:
        return None
    return f"{ALL_CATEGORIES}_short: {lacking} of {expected} listings unseen in all, expected at most {most:g}"


def confirms(before: Shortfall | None, counts: Counts, coverage: Coverage, gates: Gates) -> bool:
    """Whether a run lacks the same as an earlier one: its count of listings is equal within the tolerance, it lacks the
    same categories, and if the earlier run had a turnover, as many ranged listings are unseen.

    A run that lacks fewer categories does not confirm: its count is equal only if listings are missing elsewhere.
    """
    if before is None or coverage.missing_keys != before.missing or not _near(counts.listings, before.listings, gates):
        return False
    if before.unseen is None:
        return not coverage.turnover
    return _near(counts.unseen, before.unseen, gates)


def _near(count: int, before: int, gates: Gates) -> bool:
    """Whether two counts differ by at most the tolerance of a confirmation, or by at most one."""
    return abs(count - before) <= max(1.0, gates.confirm_tolerance * before)


def confirm_after(gates: Gates) -> timedelta:
    """How long after the first run a second run may confirm its shortfall."""
    return timedelta(hours=gates.confirm_hours)


class _Proofs:
    """Why categories are not proven. Each is judged once: a capped one needs its children's proofs."""

    def __init__(self, by_key: Mapping[str, Category], gates: Gates) -> None:
        self._by_key = by_key
        self._gates = gates
        self._lacks: dict[str, str | None] = {}

    def lack(self, category: Category, depth: int = 0) -> str | None:
        """Why the category is not proven; None if it is."""
        if category.failed is not None:
            return f"category_failed: {category.key} seen {category.seen}, expected its end, got {category.failed}"
        if category.capped:
            return self._lack_of_children(category, depth)
        if is_proven(category, self._gates):
            return None
        if category.expected is not None:
            return _short_reason(category.key, category.seen, category.expected, self._gates)
        return f"category_unended: {category.key} seen {category.seen}, expected an empty page or its documented end"

    def _lack_of_children(self, category: Category, depth: int) -> str | None:
        if not category.children:
            return f"category_capped: {category.key} seen {category.seen}, expected children that prove it, has none"
        for key in category.children:
            if self._lack_by_key(key, depth + 1) is not None:
                return f"category_capped: {category.key} child {key} is not proven, expected all children proven"
        if category.expected is None or not category.held:
            # A campaign's children need not hold all of it; the departments prove what they leave out.
            return None
        seen, expected = self._seen_below(category), category.expected
        proven = _reaches(seen, expected, self._gates)
        return None if proven else _short_reason(category.key, seen, expected, self._gates)

    def _lack_by_key(self, key: str, depth: int) -> str | None:
        if key not in self._by_key or depth > _MAX_DEPTH:
            return "not walked"
        if key not in self._lacks:
            self._lacks[key] = "a circle"  # stands until the judgement below is made
            self._lacks[key] = self.lack(self._by_key[key], depth)
        return self._lacks[key]

    def _seen_below(self, category: Category) -> int:
        """An upper bound of the distinct skus seen in a capped category: the larger of the count on its own pages and
        the sum over all categories below it."""
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


def _short_reason(key: str, seen: int, expected: int, gates: Gates) -> str:
    return f"category_short: {key} seen {seen}, expected {expected} less {gates.slack(expected):g}"


def _absent_categories(by_key: Mapping[str, Category], history: History) -> dict[str, str]:
    """Reasons for the categories that had listings in the last complete run and were not walked this time, neither
    themselves nor as a part of a category above them."""
    walked = {child for category in by_key.values() if not category.capped for child in category.children}
    return {
        key: f"category_missing: {key} absent, expected: it held {runs[-1]} listings last time"
        for key, runs in history.categories.items()
        if runs and runs[-1] > 0 and key not in by_key and key not in walked
    }


def _shrunk_categories(categories: Sequence[Category], history: History, gates: Gates) -> dict[str, str]:
    """Reasons for the categories that are smaller than their usual size allows."""
    reasons = {}
    for category in categories:
        usual = _usual(history.categories.get(category.key, ()), gates)
        least = gates.category_share * usual
        # A capped category's own pages hold only a part of it: its children are compared instead.
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
    """The median of the last 5 runs. If the last run is below the gate, that run's count, because it was a confirmed
    shortfall."""
    if not runs:
        return 0.0
    middle, last = float(median(runs[-5:])), float(runs[-1])
    return last if last < gates.category_share * middle else middle


def _store_shortfall(listings: int, history: History, gates: Gates) -> dict[str, str]:
    last = history.last_complete
    if last is None:
        return _first_run_too_small(listings, history.company_usual, gates)
    if listings >= gates.store_share * last or last - listings <= gates.slack(last):
        return {}
    return {
        "store": f"store_short: seen {listings} listings, expected {gates.store_share * last:g} (last complete {last})"
    }


def _first_run_too_small(listings: int, usual: float | None, gates: Gates) -> dict[str, str]:
    """A first run has no history of its own, so it is compared with what is usual in the company's other stores."""
    if usual is None or listings >= gates.first_share * usual or usual - listings <= gates.slack(usual):
        return {}
    least = gates.first_share * usual
    return {
        "store": f"store_small: first run, seen {listings} listings, expected {least:g} (the company's usual {usual:g})"
    }


def _turnover(counts: Counts, gates: Gates) -> str | None:
    """The reason, if too many ranged listings are unseen; else None.

    Listings go one by one. If many go at once, the site has renumbered them or shows other goods.
    """
    least, again = gates.turnover_share * counts.ranged, counts.ranged - counts.unseen
    if again >= least or counts.unseen <= gates.slack(counts.ranged):
        return None
    most = counts.ranged - least
    return f"turnover: {counts.unseen} of {counts.ranged} ranged listings unseen, expected at most {most:g}"
