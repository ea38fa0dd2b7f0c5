"""Publishing a run: one transaction that makes its staging live, writes only what differs, and ends the run.

docs/storage.md tells the algorithm with its reasons and figures.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, is_dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, select, text, update

from models import arrivals, differences, ranges, resolve, staged_texts, texts, vectors
from models.differences import Moment
from models.endings import end, has_ended
from models.errors import StagingIncomplete
from models.leases import count_failure
from models.locks import Place, lock_for_publishing
from models.new_stores import ensure_store
from models.retry import retried
from models.run import Run, check_token
from models.seen import gather, settle
from models.staged_texts import Told
from models.tables import companies, crawl_runs, membership_periods, stores
from models.types import utc_text
from models.undo import packed, unpacked
from splitcart.runs import Category, Verdict, code_of


@dataclass(frozen=True, slots=True)
class Published:
    """What became of the listings of one run."""

    inserted: int
    """Listings that got a price row."""
    updated: int
    """Listings whose price row changed or, in a group, went back to the anchor's."""
    unchanged: int
    """Listings with a price that needed no write."""
    missing: int
    """Listings unseen for the first time."""
    delisted: int
    """Listings unseen for the second time, no longer ranged."""


@dataclass(frozen=True, slots=True)
class _Ending:
    verdict: Verdict
    categories: Sequence[Category]
    answered_for: str | None
    counts: dict[str, Any]
    now: datetime
    company: str
    new: int
    """How many skus had no listing."""
    whole: bool
    """Nobody else has made any of theirs since."""
    told: Sequence[Told]


def publish(
    engine: Engine,
    run: Run,
    verdict: Verdict,
    categories: Sequence[Category],
    *,
    answered_for: str | None,
    counts: Any,
    now: datetime,
) -> Published:
    """Makes a run live whose verdict publishes `all` (complete) or `seen` (partial), and ends it.

    `counts`: splitcart.runs.Counts or a mapping; its `staged` must be what the database holds. Retried whole after a
    lost connection, a deadlock or a serialisation failure; calling it again after the commit returns the same answer.
    Raises LeaseLost and StagingIncomplete; then nothing is published.
    """
    if verdict.publishes not in ("all", "seen"):
        raise ValueError(f"verdict {verdict.status} publishes {verdict.publishes!r}: end the run with finish() instead")
    told = dict(asdict(counts) if is_dataclass(counts) and not isinstance(counts, type) else counts)

    def work() -> Published:
        with engine.connect() as connection:
            with connection.begin():
                company, listings = _company(connection, run), resolve.listings_of(connection, run)
                new, otherwise = _look(connection, run)
            connection.execution_options(splitcart_writes=True)
            added = resolve.add(connection, run, company, new, listings, now)
            ending = _Ending(verdict, categories, answered_for, told, now, company, new, added.whole, otherwise)
            with connection.begin():
                return _committed(connection, run, verdict) or _publish(connection, run, ending)

    return retried(engine, work, what=f"publishing run {run.id}")


def _look(connection: Connection, run: Run) -> tuple[int, list[Told]]:
    """How many skus are new, and the listings told otherwise; what was seen stays with the connection."""
    found = gather(connection, run)
    if found.new:
        arrivals.collect(connection, run, keyed=found.keyed, many=4 * found.new > found.skus)
    return found.new, staged_texts.told(connection, run) if found.otherwise else []


def _company(connection: Connection, run: Run) -> str:
    return str(connection.execute(select(companies.c.name).where(companies.c.id == run.company_id)).scalar_one())


def _committed(connection: Connection, run: Run, verdict: Verdict) -> Published | None:
    """The answer of an earlier try that was committed though its answer was lost."""
    if not has_ended(connection, run, verdict):
        return None
    figures = connection.execute(select(crawl_runs.c.figures).where(crawl_runs.c.id == run.id)).scalar_one()
    return Published(**figures["published"])


def _publish(connection: Connection, run: Run, ending: _Ending) -> Published:
    moment, earlier, staged = _begin(connection, run, ending)
    lines = settle(connection, run, staged=staged, new=ending.new, whole=ending.whole)
    priced = int(lines.is_priced.sum())
    found = differences.find(connection, moment, priced)
    actions = found.actions
    undo: dict[str, Any] = {"touched": differences.touched(connection, moment) if actions.get("touch") else []}
    undo["rows"] = differences.unlike_history(connection, moment) if actions.keys() & differences.REPLACE else []
    differences.write(connection, moment, found)
    whole = ending.verdict.publishes == "all"
    absence = ranges.judge(connection, moment, lines, absent=whole)
    if absence.ended:
        undo["rows"] += differences.unlike_history(connection, moment, absence.ended)
    undo |= absence.undo | {"store": _store_before(connection, moment), "at": utc_text(moment.now)}
    if any(actions.values()) or "ranged" in absence.undo:
        vectors.refresh(connection, moment.place.store_id, lines.listings)
    if whole:
        undo["texts"] = texts.agree(connection, run, ending.company, ending.told, moment.now)
    inserted = actions.get("insert", 0)
    updated = sum(actions.get(action, 0) for action in ("update", "relist", "drop", "follow"))
    published = Published(inserted, updated, priced - inserted - updated, absence.missing, absence.delisted)
    _end_store(connection, moment, ending.verdict)
    verdict = ending.verdict
    verdict = Verdict(
        verdict.status, verdict.reason, verdict.publishes, {**verdict.figures, "published": asdict(published)}
    )
    end(
        connection,
        run,
        verdict,
        ending.categories,
        answered_for=ending.answered_for,
        counts=ending.counts | {"seen": len(lines.ordinals)},
        now=moment.now,
        undo=packed([*earlier, undo]),
    )
    return published


def _begin(connection: Connection, run: Run, ending: _Ending) -> tuple[Moment, list[dict[str, Any]], int]:
    """Locks the store, its group and the run, in this order; checks the lease and counts the staged rows."""
    store_id = ensure_store(connection, run.company_id, run.store_code, ending.now, timezone=run.timezone)
    place = lock_for_publishing(connection, store_id)
    check_token(connection, run, store_id=store_id)
    sql = "SELECT count(*) FROM staged_items WHERE run_id = :run"
    count = int(connection.execute(text(sql), {"run": run.id}).scalar_one())
    expected = ending.counts.get("staged", count)
    if count != expected:
        raise StagingIncomplete(run.id, count, int(expected))
    last = _last_complete(connection, store_id)
    scraped = connection.execute(select(stores.c.last_scraped).where(stores.c.id == store_id)).scalar()
    earlier = unpacked(connection.execute(select(crawl_runs.c.undo).where(crawl_runs.c.id == run.id)).scalar())
    return Moment(run, place, _after(connection, place, ending.now, earlier), last, scraped), earlier, count


def _last_complete(connection: Connection, store_id: int) -> int | None:
    runs = crawl_runs.c
    wanted = select(runs.id).where(runs.store_id == store_id, runs.status == "complete", runs.rolled_back_at.is_(None))
    return connection.execute(wanted.order_by(runs.finished_at.desc(), runs.id.desc()).limit(1)).scalar()


def _after(connection: Connection, place: Place, now: datetime, earlier: list[dict[str, Any]]) -> datetime:
    """`now`, or the first moment after all that the history of the store and of its anchor tells.

    The clock may have gone back, or the anchor's crawl may have had another: what a member follows must have begun.
    """
    runs, periods = crawl_runs.c, membership_periods.c
    both = {place.store_id, place.anchor_id}
    finished = select(runs.finished_at).where(runs.store_id.in_(both), runs.finished_at.is_not(None))
    began = select(periods.from_at).where(periods.store_id.in_(both))
    times = [
        connection.execute(finished.order_by(runs.finished_at.desc()).limit(1)).scalar(),
        *(datetime.fromisoformat(entry["at"]) for entry in earlier[-1:]),
    ]
    start = connection.execute(began.order_by(periods.from_at.desc()).limit(1)).scalar()
    latest = max((when for when in times if when is not None), default=None)
    if latest is None:  # The store's first run: its period may begin with it.
        return max(now, start or now)
    # Joining a group wrote history at the period's first moment.
    return max(now, *(when + timedelta(microseconds=1) for when in (start, latest) if when is not None))


def _store_before(connection: Connection, moment: Moment) -> dict[str, Any]:
    row = connection.execute(select(stores).where(stores.c.id == moment.place.store_id)).one()
    scraped = utc_text(row.last_scraped) if row.last_scraped else None
    return {"last_scraped": scraped, "needs_rescraping": bool(row.needs_rescraping)}


def _end_store(connection: Connection, moment: Moment, verdict: Verdict) -> None:
    """Frees the store; a complete run is its latest scrape, a partial one nobody asked for counts as a failure."""
    store_id = moment.place.store_id
    free: dict[str, Any] = {"lease_token": None, "lease_until": None, "scheduled_at": None}
    if verdict.publishes == "all":
        free |= {"last_scraped": moment.now, "needs_rescraping": False, "fail_count": 0, "next_try_at": None}
    elif code_of(verdict.reason) != "requested":
        count_failure(connection, store_id, moment.now)
    connection.execute(update(stores).where(stores.c.id == store_id).values(**free))
