"""Merges and resets the groups of one company: everything is decided at once and carried out in small transactions.

Each transaction leaves every store in a group, so a process that is killed between two has only done less; the next run
decides anew. A step is skipped if a store in it was published since the decision, and everything is decided again.
"""

from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, update

from models.database.retry import retried
from models.groups import membership, reading
from models.groups.reading import Row
from models.lines import fingerprints
from models.stores.locks import lock_store
from models.tables import stores
from splitcart.grouping.columns import Flags
from splitcart.grouping.health import Progress, silent
from splitcart.grouping.memory import Comparer, Figures
from splitcart.grouping.plan import Plan
from splitcart.grouping.rules import Decision, Rules, Store
from splitcart.grouping.width import plan_wide
from splitcart.periods import Flip

ROUNDS = 5
"""How many times everything is decided at most, as stores are published meanwhile."""

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction. Stores are named by their store_code."""

    stores: tuple[str, ...]
    """In the order in which they move."""
    to: str | None = None
    """The anchor that they join; None: each gets a group of its own."""


@dataclass(slots=True)
class Summary:
    """What a merge did, with the counts of this run."""

    company: str
    groups_before: int = 0
    groups_after: int = 0
    merged: int = 0
    ejected: int = 0
    flagged: list[str] = field(default_factory=list)
    passes: int = 0
    comparisons: Figures = field(default_factory=Figures)
    fingerprints_made: int = 0
    put_off: int = 0
    """Steps left to the next run, because their stores were published in every round."""
    decisions: list[Decision] = field(default_factory=list)


def rules_of(company: Any, threshold: float | str, fresh_hours: float) -> Rules:
    """The rules for a row of companies."""
    return Rules.at(threshold, flip=Flip(company.flip_weekday, company.flip_hour), fresh_hours=fresh_hours)


@dataclass(eq=False)
class Merger:
    """Merges one company's groups. `clock` gives the time of decisions and of each change."""

    engine: Engine
    company: Any
    rules: Rules
    clock: Clock
    progress: Progress = silent
    summary: Summary = field(init=False)

    def __post_init__(self) -> None:
        self.summary = Summary(self.company.name)
        self._rows: dict[str, Row] = {}
        self._ordered: list[Store] = []

    def run(self, *, dry_run: bool = False) -> Summary:
        """Decides and, unless `dry_run`, carries it out. Raises the database's error if retries do not help."""
        made = retried(self.engine, self._make_fingerprints, what="making fingerprints")
        self.summary.fingerprints_made = made
        for number in range(ROUNDS):
            decided, comparer = self._decide()
            self._add_to_summary(decided, comparer, is_first=number == 0)
            if dry_run:
                break
            self.summary.put_off = self._carry_out(decided)
            if not self.summary.put_off:
                self._store_comparisons(decided, comparer)
                break
        return self.summary

    def apart(self, store_code: str) -> list[str]:
        """How the store now compares with the anchor of each other group, one sentence for each."""
        with self.engine.connect() as connection:
            rows = reading.company_rows(connection, self.company.id)
            if store_code not in rows:
                return []
            store = rows.pop(store_code)
            others = [r for r in rows.values() if r.anchor_id == r.id != store.anchor_id]
            comparer = reading.comparer(connection, self.company.id, [store, *others], self.rules)
            compared = comparer.compare(0, range(1, len(others) + 1))
        return [f"{store_code} apart ({r.facts.store_code}): {c}" for r, c in zip(others, compared, strict=True)]

    def _make_fingerprints(self) -> int:
        with self.engine.connect() as connection:
            missing = reading.without_fingerprint(connection, self.company.id)
        for store_id in missing:
            with self.engine.begin() as connection:
                lock_store(connection, store_id)
                fingerprints.refresh(connection, store_id)
        return len(missing)

    def _decide(self) -> tuple[Plan, Comparer]:
        made: list[Comparer] = []
        with self.engine.connect() as connection:
            self._rows = reading.company_rows(connection, self.company.id)

            def comparer_of(ordered: Sequence[Store]) -> tuple[Comparer, list[Flags]]:
                self._ordered = list(ordered)
                rows = [self._rows[s.store_code] for s in ordered]
                made.append(reading.comparer(connection, self.company.id, rows, self.rules))
                return made[0], [row.lines for row in rows]

            facts = [row.facts for row in self._rows.values()]
            return plan_wide(facts, self.rules, self.clock(), comparer_of, self.progress), made[0]

    def _add_to_summary(self, decided: Plan, comparer: Comparer, *, is_first: bool) -> None:
        summary = self.summary
        if is_first:
            summary.groups_before = decided.groups_before
        summary.groups_after = decided.groups_after
        summary.merged += decided.merged
        summary.ejected += decided.ejected
        summary.passes += decided.passes
        summary.flagged = sorted({*summary.flagged, *decided.flagged})
        summary.decisions += decided.decisions
        summary.comparisons.add(comparer.figures)

    def _carry_out(self, decided: Plan) -> int:
        """Carries out the plan; returns how many steps were put off."""
        retried(self.engine, lambda: self._flag(decided), what="flagging stores")
        steps = list(self._steps(decided))
        moved: set[str] = set()
        put_off = 0
        for done, step in enumerate(steps):
            self.progress("writing", done, len(steps))
            put_off += not retried(self.engine, partial(self._move, step, moved), what="changing groups")
            moved.update(step.stores)
        return put_off

    def _flag(self, decided: Plan) -> None:
        store_ids = [self._rows[s].id for s in decided.flagged if not self._rows[s].needs_rescraping]
        if store_ids:
            with self.engine.begin() as connection:
                for store_id in sorted(store_ids):
                    connection.execute(update(stores).where(stores.c.id == store_id).values(needs_rescraping=True))

    def _steps(self, decided: Plan) -> Iterator[Step]:
        """In this order: members that leave; members that do not move with their anchor; anchors with those that do."""
        now, then = {s: row.facts.anchor for s, row in self._rows.items()}, decided.anchors
        for store, anchor in then.items():
            if store == anchor != now[store]:
                yield Step((store,))
        moving = [s for s, anchor in then.items() if anchor not in (s, now[s])]
        along: dict[str, list[str]] = {s: [] for s in moving if now[s] == s}
        for store in moving:
            anchor = now[store] or ""
            if anchor in along and anchor != store and then[anchor] == then[store]:
                along[anchor].append(store)
            elif anchor != store:
                yield Step((store,), to=then[store])
        for anchor, members in along.items():
            yield Step((*members, anchor), to=then[anchor])

    def _move(self, step: Step, moved: Set[str]) -> bool:
        """Carries out a step in one transaction. If a store in it has changed since, writes nothing and returns False.

        `moved`: stores that an earlier step has moved, which are not compared with the decision.
        """
        names = {*step.stores} if step.to is None else {*step.stores, step.to}
        anchors = {anchor for name in names if (anchor := self._rows[name].facts.anchor) is not None}
        ids = {name: self._rows[name].id for name in names | anchors}
        with self.engine.begin() as connection:
            places = membership.lock(connection, ids.values())
            if not self._is_as_decided(connection, names - moved):
                return False
            for place in (places[ids[name]] for name in step.stores):
                if step.to is None:
                    membership.leave(connection, place, self.clock())
                else:
                    membership.join(connection, place, places[ids[step.to]], self.clock())
            return True

    def _is_as_decided(self, connection: Connection, names: Set[str]) -> bool:
        """Whether the stores have the groups and prices on which the decision was based."""
        fresh = reading.company_rows(connection, self.company.id, [self._rows[n].id for n in sorted(names)])
        return all(_decided_from(fresh[name]) == _decided_from(self._rows[name]) for name in names)

    def _store_comparisons(self, decided: Plan, comparer: Comparer) -> None:
        numbers = {s.store_code: i for i, s in enumerate(self._ordered)}
        pairs = [(m, a) for m, a in decided.anchors.items() if m != a and m in numbers and a in numbers]
        anchors = sorted({numbers[a] for a in decided.anchors.values() if a in numbers})
        learned = comparer.learned(anchors, [(numbers[m], numbers[a]) for m, a in pairs])

        def work() -> None:
            with self.engine.begin() as connection:
                reading.replace_comparisons(connection, self.company.id, learned)

        retried(self.engine, work, what="remembering comparisons")


def _decided_from(row: Row) -> tuple[int | None, bytes, bool]:
    return row.anchor_id, row.fingerprint, row.facts.closed


def reset(engine: Engine, company: Any, clock: Clock, progress: Progress = silent) -> int:
    """Gives every store of the company a group of its own, in one transaction each. Returns how many left a group."""
    with engine.connect() as connection:
        rows = reading.company_rows(connection, company.id)
    members = sorted(row.id for row in rows.values() if row.anchor_id != row.id)
    for done, store_id in enumerate(members):
        progress("resetting", done, len(members))
        retried(engine, partial(_leave, engine, store_id, clock), what="resetting a store")
    return len(members)


def _leave(engine: Engine, store_id: int, clock: Clock) -> None:
    with engine.begin() as connection:
        place = membership.places(connection, [store_id])[store_id]
        held = [store_id] if place.anchor_id is None else [store_id, place.anchor_id]
        place = membership.lock(connection, held)[store_id]
        if place.anchor_id in (None, *held):
            membership.leave(connection, place, clock())
