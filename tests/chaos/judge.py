"""What must hold after every crawl, whatever happened to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from _support import oracle
from _support.oracle import Price
from sqlalchemy import Row, distinct, func, select

from models.checks.checking import check
from models.tables import crawl_run_categories, crawl_runs, staged_items
from sandbox import garble
from sandbox.world import World
from splitcart.runs.verdict import Gates, code_of, exit_code

if TYPE_CHECKING:
    from tests.chaos.rounds import Mishap
    from tests.chaos.scene import Scene

SHRUNK = {"category_missing", "category_thin", "store_short", "store_small", "turnover"}
"""Reasons of a partial run that saw everything, but less than before: a second run confirms it."""
EXAMPLES = 3
Prices = dict[str, Price]


@dataclass(frozen=True)
class Found:
    """A store before and after a crawl, the run's row (None: no new one), the exit code."""

    before: Prices
    after: Prices
    run: Row[Any] | None
    code: int | None
    struck: bool


@dataclass
class Judgement:
    """The promises that did not hold, one line each."""

    lost: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """A few lines of each kind."""
        named = {"loss": self.lost, "wrong deletion": self.deleted, "false complete": self.false}
        lines = [f"{kind}: {line}" for kind, lines in named.items() for line in lines[:EXAMPLES]]
        return [*lines, *self.others]


def judge(scene: "Scene", mishap: "Mishap", store: tuple[str, str], days: Sequence[int], found: Found) -> Judgement:
    """Judges one finished crawl; `days`: those that the sandbox showed meanwhile."""
    truths = [oracle.expected(found.before, oracle.offered(scene.sandbox.world, *store, day)) for day in days]
    judgement = Judgement()
    status = found.run.status if found.run is not None else "no run"
    if status == "complete":
        allowed = tolerated(scene, found.run) if mishap.hides else 0
        unread = unreadable(scene.sandbox.world, store[0], mishap.garbles)
        kept = {sku: found.before.get(sku) for sku in unread}
        judgement.false = untrue(found.after, truths, allowed, kept)
        if mishap.spoils and found.struck:
            judgement.false.append("a run that it struck is complete")
    judgement.lost = lost(found.before, found.after, truths)
    if status != "complete" or not mishap.hides:
        judgement.deleted = deleted(found.before, found.after, truths)
    if status not in ("complete", "partial") and found.after != found.before:
        judgement.others.append(f"a run that is {status} changed {len(_changed(found))} prices")
    judgement.others += _silent(mishap, found, status)
    now = max(scene.now(), datetime.now(UTC))  # staging and quarantine are dated by the machine's clock
    with scene.engine.connect() as connection:
        broken = list(check(connection, now))
    judgement.others += [f"check_database: {one.check}: {one.count}, {one.examples[0]}" for one in broken]
    return judgement


def _changed(found: Found) -> set[str]:
    return {sku for sku in found.before.keys() | found.after.keys() if found.before.get(sku) != found.after.get(sku)}


def unreadable(world: World, chain: str, share: float) -> set[str]:
    """Skus whose prices the fault `unreadable_prices` garbles."""
    lines = world.catalogue(chain).lines if share else []
    return {line.sku for line in lines if garble.is_struck("unreadable_prices", line.sku, share)}


def untrue(
    after: Prices, truths: Sequence[Prices], allowed: int = 0, kept: Mapping[str, Price | None] | None = None
) -> list[str]:
    """What a complete run may not leave: another row than the truth's, or more than `allowed` rows missing.

    kept: rows that may be as they were, because what was shown of them could not be read.
    """
    skus = after.keys() | {sku for truth in truths for sku in truth}
    wrong = {sku for sku in skus if after.get(sku) not in [truth.get(sku) for truth in truths]}
    wrong -= {sku for sku, price in (kept or {}).items() if after.get(sku) == price}
    missing = {sku for sku in wrong if sku not in after}
    if len(missing) <= allowed:
        wrong -= missing
    return [f"{sku}: {after.get(sku)} instead of {truths[-1].get(sku)}" for sku in sorted(wrong)]


def lost(before: Prices, after: Prices, truths: Sequence[Prices]) -> list[str]:
    """Rows that are neither as they were nor as they are true now."""
    return [
        f"{sku}: {price} is neither {before.get(sku)} nor {truths[-1].get(sku)}"
        for sku, price in sorted(after.items())
        if price not in (before.get(sku), *(truth.get(sku) for truth in truths))
    ]


def deleted(before: Prices, after: Prices, truths: Sequence[Prices]) -> list[str]:
    """Rows that disappeared although the store sells them."""
    gone = before.keys() - after.keys()
    return [f"{sku} was taken away" for sku in sorted(gone) if all(sku in truth for truth in truths)]


def tolerated(scene: "Scene", run: Row[Any] | None) -> int:
    """How many listings a complete run may lack by its proofs."""
    assert run is not None
    table = crawl_run_categories.c
    with scene.engine.connect() as connection:
        total = connection.execute(select(func.sum(table.expected)).where(table.run_id == run.id)).scalar()
    return int(Gates().slack(total or 0))


def _silent(mishap: "Mishap", found: Found, status: str) -> list[str]:
    """What the run's row and the exit code do not record, or where they disagree."""
    code, run = found.code, found.run
    if run is None:
        is_known = code not in (None, 0) and found.struck
        return [] if is_known else [f"no run was recorded, exit code {code}"]
    if status == "running":
        is_known = (mishap.kills and (code or 0) < 0) or (mishap.mute and code not in (None, 0))
        return [] if is_known and found.struck else [f"the run is still running, exit code {code}"]
    if not run.reason:
        return [f"the run is {status} without a reason"]
    reason = code_of(run.reason)
    lines = []
    cut_off = mishap.kills and code == 1 and status != "complete"  # it was killed before it could exit with its code
    if code is not None and code >= 0 and code != exit_code(status, run.reason) and not cut_off:
        lines.append(f"exit code {code}, but the run is {status} ({run.reason})")
    if (
        status != "complete"
        and (mishap.harmless or not found.struck)
        and not (status == "partial" and reason in SHRUNK)
    ):
        lines.append(f"ended {status}: {run.reason}")
    return lines


def left_over(scene: "Scene") -> list[str]:
    """What is left behind, although every store was crawled again undisturbed: it must be nothing."""
    runs = select(crawl_runs.c.status, func.count(distinct(crawl_runs.c.id)), func.count(staged_items.c.seq))
    query = runs.outerjoin_from(crawl_runs, staged_items, staged_items.c.run_id == crawl_runs.c.id)
    with scene.engine.connect() as connection:
        found = {row[0]: row[1:] for row in connection.execute(query.group_by(crawl_runs.c.status))}
    lines = [f"{found['running'][0]} runs are still running"] if "running" in found else []
    staged = found.get("abandoned", (0, 0))[1]
    return [*lines, f"abandoned runs left {staged} staged rows"] if staged else lines
