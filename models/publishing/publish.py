"""Publishing a run: what it staged becomes what its store charges, ranges and has in stock.

`publish` has three phases: gather what was seen (`seen`), insert the listings of new skus (`new_listings`), and one
transaction that writes only what differs and ends the run (`_publish`, from top to bottom). docs/storage.md gives the
reasons.
"""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, select, update

from models.clocks import clock
from models.database.retry import retried
from models.errors import LeaseLost, StagingIncomplete
from models.groups.membership import group_of
from models.lines import fingerprints, sightings, slot_marks
from models.lines.sightings import Layer, Look
from models.publishing import availability, differences, new_listings, probes, seen, texts
from models.publishing.availability import Absence
from models.publishing.differences import DIFFERENCES, Differences, Publication
from models.publishing.seen import SEEN, Lines
from models.runs.endings import Ending, end, has_ended
from models.runs.leases import count_failure
from models.runs.run import Run, not_rolled_back, write_run
from models.runs.undo import packed, unpacked
from models.stores.creation import ensure_store
from models.stores.locks import lock_store
from models.tables import companies, crawl_runs, membership_periods, staged_items, stores
from models.tables import sightings as sightings_table
from models.tables.types import utc_text
from splitcart.bits import fitted, flags
from splitcart.periods import Flip, crosses
from splitcart.runs.verdict import Verdict, code_of, confirm_time
from splitcart.scheduling.probes import AGREES, DIFFERS, Settled


@dataclass(frozen=True, slots=True)
class Published:
    """What became of the listings of one run."""

    inserted: int
    """Listings that got a price row."""
    updated: int
    """Listings that cost something else than before."""
    unchanged: int
    """Listings that cost the same as before."""
    missing: int
    """Listings unseen for the first time."""
    delisted: int
    """Listings unseen for the second time, no longer ranged."""


def publish(engine: Engine, run: Run, ending: Ending) -> Published:
    """Makes a run live whose verdict publishes `all` (complete) or `seen` (partial), and ends it.

    After a lost connection, a deadlock or a serialisation failure all of it is retried; calling it again after the
    commit returns the same result. Raises LeaseLost, StagingIncomplete (the database does not hold
    `ending.counts["staged"]` rows) and ListingsMissing; then nothing is published.
    """
    verdict = ending.verdict
    if verdict.publishes not in ("all", "seen"):
        raise ValueError(f"verdict {verdict.status} publishes {verdict.publishes!r}: end the run with finish() instead")
    if "staged" not in ending.counts:
        raise ValueError(f"run {run.id} cannot be published without counts['staged'], the number of rows handed over")

    def work() -> Published:
        # One connection, because publish_seen is a temporary table. Several transactions, because the company's lock,
        # which new listings need, must not be held while prices are written.
        with engine.connect() as connection:
            with connection.begin():
                company = connection.execute(select(companies).where(companies.c.id == run.company_id)).one()
                seen.gather(connection, run)
                new = seen.new_skus(connection)
            connection.execution_options(splitcart_writes=True)
            new_listings.add(connection, run, company.name, new, ending.now)
            with connection.begin():
                # The steps before add nothing twice, so that an earlier commit is looked for here alone.
                return _committed(connection, run, verdict) or _publish(connection, run, ending, company)

    return retried(engine, work, what=f"publishing run {run.id}")


def _committed(connection: Connection, run: Run, verdict: Verdict) -> Published | None:
    """The result of an earlier try that was committed, though its connection was lost before it returned."""
    if not has_ended(connection, run, verdict):
        return None
    figures = connection.execute(select(crawl_runs.c.figures).where(crawl_runs.c.id == run.id)).scalar_one()
    return Published(**figures["published"])


def _publish(connection: Connection, run: Run, ending: Ending, company: Row[Any]) -> Published:
    """The transaction that makes a run live and ends it. Raises LeaseLost, StagingIncomplete and ListingsMissing."""
    store_id = _lock(connection, run, ending.now)
    lines = seen.checked_lines(connection, run, _staged(connection, run, ending))
    publication = _publication(connection, run, store_id, ending.now)
    undo_before = unpacked(connection.execute(select(crawl_runs.c.undo).where(crawl_runs.c.id == run.id)).scalar())

    # Before prices are written: a probe is compared with what they were.
    settled = _settle(connection, publication, ending, has_published=bool(undo_before))

    changes = differences.find(connection, publication)
    differences.write(connection, publication, changes)
    absence = availability.write(connection, publication, lines, complete=ending.is_complete)
    flip = Flip(company.flip_weekday, company.flip_hour)
    _record_sightings(connection, publication, lines, absence, flip, complete=ending.is_complete)
    _mark_slots(connection, publication, changes, absence)
    if changes.actions or absence.is_range_changed:
        fingerprints.refresh(connection, store_id)
    undo = absence.undo | {"store": _store_before(connection, store_id), "at": utc_text(publication.now)}
    if ending.is_complete:
        written_texts = texts.apply_confirmed(connection, run, company.name, publication.now)
        undo |= written_texts

    _end_store(connection, publication, ending, settled)
    inserted, updated = (changes.actions.get(action, 0) for action in ("insert", "update"))
    unchanged = int(lines.is_priced.sum()) - inserted - updated
    published = Published(inserted, updated, unchanged, absence.missing, len(absence.delisted))
    ended = replace(
        ending,
        verdict=_recorded(ending.verdict, published, settled),
        counts={**ending.counts, "seen": len(lines.ordinals), "ranged": int(absence.ranged.sum())},
        now=publication.now,
    )
    end(connection, run, ended, undo=packed([*undo_before, undo]))
    return published


def _lock(connection: Connection, run: Run, now: datetime) -> int:
    """Locks the run's store, which it makes where there is none, then the run. Returns the store's id.

    The run's row has the id from here on: statements read it there (`seen.of_run`). Raises LeaseLost.
    """
    store_id = ensure_store(connection, run.company_id, run.store_code, now, timezone=run.timezone)
    if run.store_id not in (None, store_id):
        raise LeaseLost(run.id, "running", f"the row of its store, {run.store_id}, is gone")
    lock_store(connection, store_id)
    write_run(connection, run, store_id=store_id)
    return store_id


def _staged(connection: Connection, run: Run, ending: Ending) -> int:
    """How many rows the run staged. Raises StagingIncomplete unless these are as many as were handed over."""
    rows = select(func.count()).where(staged_items.c.run_id == run.id)
    count = int(connection.execute(rows).scalar_one())
    expected = int(ending.counts["staged"])
    if count != expected:
        raise StagingIncomplete(run.id, count, expected)
    return count


def _publication(connection: Connection, run: Run, store_id: int, now: datetime) -> Publication:
    now = _after(connection, store_id, now)
    last = connection.execute(not_rolled_back("complete", crawl_runs.c.store_id == store_id).limit(1)).one_or_none()
    looks = sightings.read(connection, [store_id])[store_id]
    return Publication(run, store_id, now, looks, last.id if last else None)


def _after(connection: Connection, store_id: int, now: datetime) -> datetime:
    """`now`, or the moment after the store's latest publish that was not rolled back, where that is later.

    The clock of the machine may have gone back.
    """
    runs, periods = crawl_runs.c, membership_periods.c
    looked = select(func.max(sightings_table.c.at)).join(crawl_runs, runs.id == sightings_table.c.run_id)
    looked = looked.where(sightings_table.c.store_id == store_id, runs.rolled_back_at.is_(None))
    founded = select(func.min(periods.from_at)).where(periods.store_id == store_id)
    latest, first = (connection.execute(time).scalar() for time in (looked, founded))
    return clock.after(max(now, first or now), latest)


def _settle(connection: Connection, publication: Publication, ending: Ending, *, has_published: bool) -> Settled | None:
    """Compares what a probe saw with the effective prices. None where the run is no probe, or was broken off.

    `has_published`: the run was resumed and has published before.
    """
    if not ending.counts.get("probe") or not ending.is_requested:  # a broken-off probe ends for another reason
        return None
    run, store_id, now = publication.run, publication.store_id, publication.now
    return probes.compare(connection, run, store_id, now, has_published=has_published)


def _recorded(verdict: Verdict, published: Published, settled: Settled | None) -> Verdict:
    """The verdict as the run's row has it: with what was published, and what its probe settled."""
    figures, reason = {**verdict.figures, "published": asdict(published)}, verdict.reason
    if settled is not None:
        figures, reason = figures | {"probe": settled.figures}, f"{code_of(reason)}: {settled.words}"
    return Verdict(verdict.status, reason, verdict.publishes, figures)


def _mark_slots(connection: Connection, publication: Publication, changes: Differences, absence: Absence) -> None:
    """Marks what this publish has changed of effective prices, here and in the members that this store anchors."""
    store_id, now = publication.store_id, publication.now
    anchor_id, members = group_of(connection, store_id)
    if changes.is_first:
        slot_marks.stores(connection, {store_id, *members}, now)
        return
    if changes.actions:
        slot_marks.listings_in(connection, DIFFERENCES, now)
    slot_marks.listings(connection, absence.delisted, now)
    if anchor_id != store_id and publication.looks.lines.any():
        slot_marks.seen_again(connection, SEEN, anchor_id, publication.looks.oldest, now)


def _record_sightings(
    connection: Connection, publication: Publication, lines: Lines, absence: Absence, flip: Flip, *, complete: bool
) -> None:
    """Records which lines the run saw with a price, and when.

    A complete run also repeats the last look at every line that it did not see. Lines of a resumed walk are dated by
    the run's start, unless the run has published them before.
    """
    run, looks = publication.run, publication.looks
    timezone = connection.execute(select(stores.c.timezone).where(stores.c.id == publication.store_id)).scalar_one()
    width = max(len(absence.ranged), len(looks.last_look))
    seen_now = flags(lines.ordinals[lines.is_priced & ~lines.is_resumed], width)
    seen_before = flags(lines.ordinals[lines.is_priced & lines.is_resumed], width)
    for layer in list(looks.layers(seen_before)):
        if layer.look.run_id == run.id:
            seen_before &= ~layer.lines
    crosses_flip = crosses(flip, timezone, run.started_at, publication.now)
    times = [(run.started_at if crosses_flip else publication.now, seen_now)]  # the first layer: `sightings.write`
    if seen_before.any():
        times.append((run.started_at, seen_before))
    layers = [Layer(Look(sightings.sighting(flip, timezone, at), run.id), bits) for at, bits in times]
    if complete:
        rest = fitted(looks.lines, width) & ~seen_now & ~seen_before
        rest[absence.gone] = False
        layers += looks.layers(rest)
    sightings.write(connection, publication.store_id, publication.now, layers, complete=complete)


def _store_before(connection: Connection, store_id: int) -> dict[str, Any]:
    """What `_end_store` overwrites, for a rollback."""
    row = connection.execute(select(stores).where(stores.c.id == store_id)).one()
    times = {name: getattr(row, name) for name in ("last_scraped", "next_try_at", "verified_at")}
    as_texts = {name: utc_text(when) if when else None for name, when in times.items()}
    return {**as_texts, "needs_rescraping": bool(row.needs_rescraping), "fail_count": row.fail_count}


def _end_store(connection: Connection, publication: Publication, ending: Ending, settled: Settled | None) -> None:
    """Frees the store. A complete run is its latest scrape; a probe that agrees verifies it, one that differs asks for
    its crawl.

    A partial run counts as a failure, unless the operator limited it or it ended with a shortfall: then the store is
    offered again as soon as another run may confirm that.
    """
    store_id, confirm_at = publication.store_id, confirm_time(ending.verdict)
    values: dict[str, Any] = {"lease_token": None, "lease_until": None}
    if ending.is_complete:
        values |= {"last_scraped": publication.now, "needs_rescraping": False, "fail_count": 0, "next_try_at": None}
    elif confirm_at is not None:
        values |= {"scheduled_at": None, "next_try_at": confirm_at}
    elif not ending.is_requested:
        count_failure(connection, store_id, publication.now, publication.run.failure_delay)
    if settled is not None and settled.outcome == AGREES:
        values["verified_at"] = publication.now
    if settled is not None and settled.outcome == DIFFERS:
        values["needs_rescraping"] = True
    connection.execute(update(stores).where(stores.c.id == store_id).values(**values))
