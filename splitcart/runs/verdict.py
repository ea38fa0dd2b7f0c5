"""What a finished crawl run may change: the pure function `verdict`, and the exit code of the crawl.

A run is complete only when it is proven to have seen everything; whatever is not proven is partial at best. Blocked and
failed runs publish nothing.
"""

import math
from collections.abc import Sequence
from datetime import datetime

from splitcart.runs.causes import why_empty
from splitcart.runs.coverage import Coverage, confirm_after, confirms, cover, is_proven
from splitcart.runs.facts import EVERY_STORE, Category, Counts, Gates, History, Shortfall, Verdict

__all__ = [
    "DEFAULT_GATES",
    "EVERY_STORE",
    "EXIT_CODES",
    "Category",
    "Counts",
    "Gates",
    "History",
    "Shortfall",
    "Verdict",
    "code_of",
    "confirm_time",
    "exit_code",
    "is_proven",
    "verdict",
]

DEFAULT_GATES = Gates()
EXIT_CODES = {
    "complete": 0,
    "failed": 1,
    "abandoned": 1,
    "partial": 2,
    "held": 3,
    "blocked": 4,
    "network_down": 5,
    "requested": 0,
}
"""Exit codes of the crawl command by status, or by reason if the reason has its own."""

_ERRORS = (
    "blocked",
    "store_mismatch",
    "lease_lost",
    "certificate_refused",
    "left_hosts",
    "failed",
    "network_down",
    "catalogue_error",
)
"""Reasons of errors, the gravest first."""
_GRAVE_IN_A_CATEGORY = ("blocked", "store_mismatch", "network_down", "catalogue_error")


def code_of(reason: str) -> str:
    """The code of a reason: the part before its colon."""
    return reason.partition(":")[0].strip()


def exit_code(status: str, reason: str) -> int:
    """0 complete (or partial as requested), 2 partial, 3 store held by another crawl, 4 blocked, 5 network down, else
    1."""
    code = code_of(reason)
    if (status, code) in {("failed", "network_down"), ("partial", "requested")}:
        return EXIT_CODES[code]
    return EXIT_CODES.get(status, EXIT_CODES["failed"])


def verdict(
    reason: str,
    counts: Counts,
    categories: Sequence[Category],
    history: History,
    gates: Gates = DEFAULT_GATES,
    *,
    now: datetime,
) -> Verdict:
    """Judges a run that ended with Scrapy's `reason` at `now` (aware). Pure; never raises.

    blocked, failed -> publishes nothing; partial -> what was seen (nothing if nothing was staged); complete -> all. The
    gravest cause is the reason; `figures["causes"]` lists all. A partial run that lacks nothing but what an earlier run
    might confirm carries `figures["shortfall"]` = {listings, at, confirm_at, missing, unseen}, times in ISO: the
    History of the next run, which may confirm it from `confirm_at` on.
    """
    coverage = cover(categories, counts, history, gates)
    figures = _figures(counts, categories, coverage, history)
    error = _error(reason, counts, categories)
    if stop := _stop(error, reason, counts, categories, coverage, gates):
        status, why = stop
        return Verdict(status, why, "nothing", figures | {"causes": [why]})
    causes = _broken(error, reason, counts)
    if counts.requested:
        broken_off = [coverage.unproven[c.key] for c in categories if c.failed and c.key in coverage.unproven]
        return _partial([*causes, "requested", *broken_off], counts, figures)
    causes += _unproven(counts, categories, coverage)
    if causes:
        return _partial([*causes, *coverage.lacks], counts, figures)
    if coverage.lacks:
        return _shortfall(counts, coverage, history, gates, figures, now)
    return Verdict("complete", "finished", "all", figures)


def _error(reason: str, counts: Counts, categories: Sequence[Category]) -> str | None:
    """The gravest error of the run, its end and its categories, or None; an unknown one counts as `failed`."""
    codes = {code_of(reason)} & set(_ERRORS)
    codes |= {code_of(c.failed) for c in categories if c.failed} & set(_GRAVE_IN_A_CATEGORY)
    if counts.error:
        codes.add(code_of(counts.error) if code_of(counts.error) in _ERRORS else "failed")
    return min(codes, key=_ERRORS.index, default=None)


def _stop(
    error: str | None, reason: str, counts: Counts, categories: Sequence[Category], coverage: Coverage, gates: Gates
) -> tuple[str, str] | None:
    """Status and reason of a run that may publish nothing; None: it may publish something."""
    if error == "blocked":
        return "blocked", error
    if error not in (None, "catalogue_error"):
        return "failed", str(error)
    if min(counts.accepted, counts.staged, counts.listings) <= 0:
        stopped = reason != "finished" and error is None
        proven_empty = counts.requested and bool(categories) and not coverage.unproven
        if stopped or (proven_empty and not any(c.seen for c in categories)):
            return None
        return "failed", (
            f"empty_store: {why_empty(counts, categories)} ({counts.accepted} rows accepted, {counts.staged} staged, "
            f"{counts.listings} listings, expected at least 1)"
        )
    implausible = _implausible(counts, gates)
    return None if implausible is None else ("failed", implausible)


def _implausible(counts: Counts, gates: Gates) -> str | None:
    """Why the rows of a run are not believed, or None."""
    unreadable, rows = counts.unreadable + counts.unnamed, counts.staged + counts.unnamed
    if unreadable > max(1, gates.unreadable_share * rows):
        return (
            f"implausible: the price or name of {unreadable} of {rows} listed rows could not be read, "
            f"expected at most {gates.unreadable_share:.0%}"
        )
    if counts.known <= 0:
        return None
    ratio = counts.median_ratio
    if ratio is not None and not gates.ratio_low <= ratio <= gates.ratio_high:
        return (
            f"implausible: median new/old price over {counts.known} known prices is {ratio:.3f}, "
            f"expected {gates.ratio_low:g} to {gates.ratio_high:g}"
        )
    expected_changes = counts.flipped or counts.crosses_flip
    if not expected_changes and counts.changed > max(1, gates.changed_share * counts.known):
        return (
            f"implausible: {counts.changed} of {counts.known} known prices changed outside a flip, "
            f"expected at most {gates.changed_share:.0%}"
        )
    return None


def _broken(error: str | None, reason: str, counts: Counts) -> list[str]:
    """The causes that ended the run early or lost rows. They outrank even a limit that the operator asked for."""
    causes = [error] if error else []
    if reason != "finished" and not error:
        causes.append(reason or "unknown")
    if counts.quarantined > 0:
        causes.append(f"quarantined: {counts.quarantined} rows refused by the database, expected 0")
    if counts.staged != counts.accepted - counts.quarantined:
        causes.append(
            f"staged_mismatch: {counts.staged} rows staged, expected {counts.accepted} accepted "
            f"less {counts.quarantined} quarantined"
        )
    return causes


def _unproven(counts: Counts, categories: Sequence[Category], coverage: Coverage) -> list[str]:
    causes = []
    if counts.crosses_flip:
        causes.append("crosses_flip: the run has pages of two specials periods, expected one")
    if not categories:
        causes.append("no_categories: 0 categories walked, expected at least 1")
    return causes + list(coverage.unproven.values())


def _partial(causes: list[str], counts: Counts, figures: dict[str, object]) -> Verdict:
    publishes = "seen" if counts.staged > 0 else "nothing"
    return Verdict("partial", causes[0], publishes, figures | {"causes": causes})


def _shortfall(
    counts: Counts, coverage: Coverage, history: History, gates: Gates, figures: dict[str, object], now: datetime
) -> Verdict:
    """Every category is proven, but there is less than before: complete if it confirms an earlier run that lacked the
    same."""
    before, since = history.shortfall, now
    if before is not None and confirms(before, counts, coverage, gates) and _comparable(before.at, now):
        since = min(before.at, now)
        if now - before.at >= confirm_after(gates):
            why = (
                f"shortfall_confirmed: {counts.listings} listings, {before.listings} already at {before.at.isoformat()}"
            )
            return Verdict("complete", why, "all", figures | {"causes": coverage.lacks})
    listings, unseen = counts.listings, counts.unseen if coverage.turnover else None
    if before is not None and since is not now:
        listings, unseen = before.listings, before.unseen
    note = {
        "listings": listings,
        "at": since.isoformat(),
        "confirm_at": (since + confirm_after(gates)).isoformat(),
        "missing": sorted(coverage.missing_keys),
        "unseen": unseen,
    }
    return _partial(coverage.lacks, counts, figures | {"shortfall": note})


def confirm_time(verdict: Verdict) -> datetime | None:
    """The time from which another run may confirm this run's shortfall; None: it has none."""
    note = verdict.figures.get("shortfall")
    confirm_at = note.get("confirm_at") if isinstance(note, dict) else None
    return datetime.fromisoformat(confirm_at) if confirm_at else None


def _comparable(a: datetime, b: datetime) -> bool:
    """Whether both times are aware, or both naive."""
    return (a.utcoffset() is None) == (b.utcoffset() is None)


def _figures(counts: Counts, categories: Sequence[Category], coverage: Coverage, history: History) -> dict[str, object]:
    ratio = counts.median_ratio
    return {
        "accepted": counts.accepted,
        "staged": counts.staged,
        "quarantined": counts.quarantined,
        "listings": counts.listings,
        "known": counts.known,
        "changed": counts.changed,
        "changed_share": round(counts.changed / counts.known, 4) if counts.known > 0 else None,
        "median_ratio": ratio if ratio is not None and math.isfinite(ratio) else None,
        "last_complete": history.last_complete,
        "unreadable": counts.unreadable,
        "unnamed": counts.unnamed,
        "ranged": counts.ranged,
        "unseen": counts.unseen,
        "company_usual": history.company_usual,
        "store_share": round(counts.listings / history.last_complete, 4) if history.last_complete else None,
        "categories": len(categories),
        "unproven": sorted(coverage.unproven),
        "missing": sorted(coverage.missing),
        "thin": sorted(coverage.thin),
        "causes": [],
    }
