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
from models.errors import StagingIncomplete
from models.groups.membership import group_of
from models.lines import fingerprints, sightings, slot_marks
from models.lines.sightings import Layer, Look
from models.publishing import availability, differences, new_listings, probes, seen, texts
from models.publishing.availability import Absence
from models.publishing.differences import Found, Publication
from models.publishing.seen import Lines
from models.runs.endings import Ending, end, has_ended
from models.runs.leases import count_failure
from models.runs.run import Run, check_token, not_rolled_back
from models.runs.undo import packed, unpacked
from models.stores.founding import ensure_store
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

    Retried whole after a lost connection, a deadlock or a serialisation failure; calling it again after the commit
    returns the same answer. Raises LeaseLost, StagingIncomplete (the database does not hold `ending.counts["staged"]`
    rows) and ListingsMissing; then nothing is published.
    """
    verdict = ending.verdict
    if verdict.publishes not in ("all", "seen"):
        raise ValueError(f"verdict {verdict.status} publishes {verdict.publishes!r}: end the run with finish() instead")

    def work() -> Published:
        with engine.connect() as connection:
            with connection.begin():
                company = connection.execute(select(companies).where(companies.c.id == run.company_id)).one()
                seen.gather(connection, run)
                new = seen.without_listing(connection)
            connection.execution_options(splitcart_writes=True)
            new_listings.add(connection, run, company.name, new, ending.now)
            with connection.begin():
                return _committed(connection, run, verdict) or _publish(connection, run, ending, company)

    return retried(engine, work, what=f"publishing run {run.id}")


def _committed(connection: Connection, run: Run, verdict: Verdict) -> Published | None:
    """The answer of an earlier try that was committed though its answer was lost."""
    if not has_ended(connection, run, verdict):
        return None
    figures = connection.execute(select(crawl_runs.c.figures).where(crawl_runs.c.id == run.id)).scalar_one()
    return Published(**figures["published"])


def _publish(connection: Connection, run: Run, ending: Ending, company: Row[Any]) -> Published:
    """The transaction that makes a run live and ends it. Raises LeaseLost, StagingIncomplete and ListingsMissing."""
    publication, earlier, staged = _begin(connection, run, ending)
    lines = seen.lines(connection, run, staged)
    settled = _settle(connection, publication, ending, is_again=bool(earlier))
    found = differences.find(connection, publication)
    differences.write(connection, publication, found)
    absence = availability.judge(connection, publication, lines, absent=ending.is_complete)
    flip = Flip(company.flip_weekday, company.flip_hour)
    _record_sightings(connection, publication, lines, absence, flip, complete=ending.is_complete)
    _mark_slots(connection, publication, found, absence)
    if found.actions or "ranged" in absence.undo:
        fingerprints.refresh(connection, publication.store_id)
    store = _store_before(connection, publication)
    undo: dict[str, Any] = absence.undo | {"store": store, "at": utc_text(publication.now)}
    if ending.is_complete:
        undo |= texts.apply_confirmed(connection, run, company.name, publication.now)
    _end_store(connection, publication, ending, settled)
    inserted, updated = (found.actions.get(action, 0) for action in ("insert", "update"))
    unchanged = int(lines.is_priced.sum()) - inserted - updated
    published = Published(inserted, updated, unchanged, absence.missing, absence.delisted)
    ending = replace(
        ending,
        verdict=_recorded(ending.verdict, published, settled),
        counts={**ending.counts, "seen": len(lines.ordinals), "ranged": int(absence.ranged.sum())},
        now=publication.now,
    )
    end(connection, run, ending, undo=packed([*earlier, undo]))
    return published


def _settle(connection: Connection, publication: Publication, ending: Ending, *, is_again: bool) -> Settled | None:
    """What the run settles where it was a probe of the whole store and saw what it was asked to."""
    if not ending.counts.get("probe") or not ending.is_requested:
        return None
    return probes.settle(connection, publication.run, publication.store_id, publication.now, is_again=is_again)


def _recorded(verdict: Verdict, published: Published, settled: Settled | None) -> Verdict:
    """The verdict as the run's row has it: with what was published, and what its probe settled."""
    figures, reason = {**verdict.figures, "published": asdict(published)}, verdict.reason
    if settled is not None:
        figures, reason = figures | {"probe": settled.figures}, f"{code_of(reason)}: {settled.words}"
    return Verdict(verdict.status, reason, verdict.publishes, figures)


def _begin(connection: Connection, run: Run, ending: Ending) -> tuple[Publication, list[dict[str, Any]], int]:
    """Locks the store and the run, in this order; checks the lease and counts the staged rows.

    Returns also what the run's earlier publishes overwrote, where it was resumed, and the number of staged rows.
    """
    store_id = ensure_store(connection, run.company_id, run.store_code, ending.now, timezone=run.timezone)
    lock_store(connection, store_id)
    check_token(connection, run, store_id=store_id)
    staged = select(func.count()).where(staged_items.c.run_id == run.id)
    count = int(connection.execute(staged).scalar_one())
    expected = ending.counts.get("staged", count)
    if count != expected:
        raise StagingIncomplete(run.id, count, int(expected))
    earlier = unpacked(connection.execute(select(crawl_runs.c.undo).where(crawl_runs.c.id == run.id)).scalar())
    now = _after(connection, store_id, ending.now)
    last = connection.execute(not_rolled_back("complete", crawl_runs.c.store_id == store_id).limit(1)).one_or_none()
    looks = sightings.read(connection, [store_id])[store_id]
    return Publication(run, store_id, now, looks, last.id if last else None), earlier, count


def _after(connection: Connection, store_id: int, now: datetime) -> datetime:
    """`now`, or the first moment after the last publish of the store that stands: its clock may have gone back."""
    runs, periods = crawl_runs.c, membership_periods.c
    looked = select(func.max(sightings_table.c.at)).join(crawl_runs, runs.id == sightings_table.c.run_id)
    looked = looked.where(sightings_table.c.store_id == store_id, runs.rolled_back_at.is_(None))
    began = select(func.min(periods.from_at)).where(periods.store_id == store_id)
    latest, first = (connection.execute(wanted).scalar() for wanted in (looked, began))
    return clock.after(max(now, first or now), latest)


def _mark_slots(connection: Connection, publication: Publication, found: Found, absence: Absence) -> None:
    """Marks what this publish has changed of effective prices, here and in the members that follow this store."""
    store_id, now = publication.store_id, publication.now
    anchor_id, members = group_of(connection, store_id)
    if found.is_first:
        slot_marks.stores(connection, {store_id, *members}, now)
        return
    if found.actions:
        slot_marks.changed(connection, now)
    slot_marks.listings(connection, absence.ended, now)
    if anchor_id != store_id and publication.looks.lines.any():
        slot_marks.seen_again(connection, anchor_id, publication.looks.oldest, now)


def _record_sightings(
    connection: Connection, publication: Publication, lines: Lines, absence: Absence, flip: Flip, *, complete: bool
) -> None:
    """Records which lines the run saw with a price, and when; a complete run also when the others were seen last."""
    run, looks = publication.run, publication.looks
    timezone = connection.execute(select(stores.c.timezone).where(stores.c.id == publication.store_id)).scalar_one()
    width = max(len(absence.ranged), len(looks.last_look))
    now = flags(lines.ordinals[lines.is_priced & ~lines.is_adopted], width)
    before = flags(lines.ordinals[lines.is_priced & lines.is_adopted], width)
    for layer in looks.layers(before):  # what this run has published already keeps its time
        if layer.look.run_id == run.id:
            before &= ~layer.lines
    crosses_flip = crosses(flip, timezone, run.started_at, publication.now)
    times = [(run.started_at if crosses_flip else publication.now, now)]
    if before.any():
        times.append((run.started_at, before))
    layers = [Layer(Look(sightings.sighting(flip, timezone, at), run.id), bits) for at, bits in times]
    if complete:
        rest = fitted(looks.lines, width) & ~now & ~before
        rest[absence.gone] = False
        layers += looks.layers(rest)
    sightings.write(connection, publication.store_id, publication.now, layers, complete=complete)


def _store_before(connection: Connection, publication: Publication) -> dict[str, Any]:
    row = connection.execute(select(stores).where(stores.c.id == publication.store_id)).one()
    times = {name: getattr(row, name) for name in ("last_scraped", "next_try_at", "verified_at")}
    texts_of_times = {name: utc_text(when) if when else None for name, when in times.items()}
    return {**texts_of_times, "needs_rescraping": bool(row.needs_rescraping), "fail_count": row.fail_count}


def _end_store(connection: Connection, publication: Publication, ending: Ending, settled: Settled | None) -> None:
    """Frees the store; a complete run is its latest scrape, a partial one nobody asked for counts as a failure.

    A shortfall does not: the store waits until another run may confirm it. A probe that agrees verifies the store; one
    that differs asks for its crawl.
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
