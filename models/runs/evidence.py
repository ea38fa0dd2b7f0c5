"""What the verdict needs from the database: the store's earlier runs, and the staged rows against its prices."""

from collections import defaultdict
from datetime import datetime
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Column, ColumnElement, Connection, Engine, Row, ScalarSelect, Select, and_, func, select

from models.database.retry import retried
from models.runs.chosen_rows import chosen_rows
from models.runs.run import Run, last_complete_runs, not_rolled_back
from models.tables import (
    companies,
    crawl_run_categories,
    crawl_runs,
    listings,
    missing_listings,
    prices,
    staged_items,
    store_ranges,
    stores,
)
from splitcart.bits import flags, unpack
from splitcart.periods import Flip, crosses
from splitcart.runs.verdict import Counts, History, Shortfall

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

RUNS_REMEMBERED = 5


def history(engine: Engine, run: Run) -> History:
    """What the store's earlier runs saw, this one and rolled-back ones left out."""
    return retried(engine, lambda: _history(engine, run), what=f"reading the history of run {run.id}")


def _history(engine: Engine, run: Run) -> History:
    with engine.connect() as connection:
        complete = _runs(connection, run, "complete", RUNS_REMEMBERED)
        last = complete[0] if complete else None
        return History(
            last_complete=(last.counts or {}).get("listings") if last is not None else None,
            categories=_category_counts(connection, [row.id for row in reversed(complete)]),
            shortfall=_shortfall(connection, run, last.id if last is not None else 0),
            company_usual=_company_usual(connection, run) if last is None else None,
        )


def _company_usual(connection: Connection, run: Run) -> float | None:
    """Median of the listings of each other store's last complete run."""
    runs = connection.execute(last_complete_runs(run.company_id))
    found = ((row.counts or {}).get("listings") or 0 for row in runs if row.store_code != run.store_code)
    counts = [listings for listings in found if listings > 0]
    return float(median(counts)) if counts else None


def _runs(connection: Connection, run: Run, status: str, limit: int) -> list[Row[Any]]:
    table = crawl_runs.c
    earlier = (table.company_id == run.company_id, table.store_code == run.store_code, table.id != run.id)
    return list(connection.execute(not_rolled_back(status, *earlier).limit(limit)))


def _category_counts(connection: Connection, run_ids: list[int]) -> dict[str, tuple[int, ...]]:
    table = crawl_run_categories.c
    wanted = select(table.run_id, table.key, table.seen).where(table.run_id.in_(run_ids), table.held.is_(True))
    seen: dict[str, dict[int, int]] = defaultdict(dict)
    for row in connection.execute(wanted):
        seen[row.key][row.run_id] = row.seen
    return {key: tuple(counts.get(run_id, 0) for run_id in run_ids) for key, counts in sorted(seen.items())}


def _shortfall(connection: Connection, run: Run, after: int) -> Shortfall | None:
    for row in _runs(connection, run, "partial", 50):
        found = (row.figures or {}).get("shortfall")
        if row.id > after and found:
            since = datetime.fromisoformat(found["at"])
            return Shortfall(found["listings"], since, frozenset(found["missing"]), found.get("unseen"))
    return None


def measure(engine: Engine, run: Run) -> Counts:
    """Counts the staged rows in the database, and compares them with what the store had before.

    `accepted` equals `staged` here; the pipeline, which knows how many rows it handed over, replaces it. known, changed
    and median_ratio are taken over the listings that have a price now and had an own row before.
    """
    return retried(engine, lambda: _measure(engine, run), what=f"measuring run {run.id}")


def _measure(engine: Engine, run: Run) -> Counts:
    with engine.connect() as connection:
        row = staged_items.c
        counts = (func.count(), func.count(row.sku.distinct()), func.count().filter(row.is_unreadable.is_(True)))
        staged, skus, unreadable = connection.execute(select(*counts).where(row.run_id == run.id)).one()
        seen, old, new = _beside_known(connection, run)
        ranged, unseen = _turnover(connection, run, seen)
        flipped = _flipped(connection, run)
    return Counts(
        accepted=staged,
        staged=staged,
        listings=skus,
        known=len(old),
        changed=int((old != new).sum()),
        median_ratio=float(np.median(new / old)) if len(old) else None,
        flipped=flipped,
        unreadable=unreadable,
        ranged=ranged,
        unseen=unseen,
    )


def _beside_known(connection: Connection, run: Run) -> tuple[Ints, Floats, Floats]:
    """Ordinals of the known listings that were seen; the old and the new price of those that have both."""
    store_id = connection.execute(_store_row(run, stores.c.id)).scalar()
    if store_id is None:
        return np.empty(0, np.int64), np.empty(0), np.empty(0)
    chosen = chosen_rows(run.id).subquery("chosen")

    # Each look-up is a scalar subquery: of a join, PostgreSQL might read all rows of a run, or of a company, that is
    # newer than its statistics once for each sku. For the same reason the company is read from the run's row.
    def of_listing(column: Column[int]) -> ScalarSelect[int]:
        its = and_(listings.c.company_id == crawl_runs.c.company_id, listings.c.sku == chosen.c.sku)
        return select(column).where(its).correlate(chosen, crawl_runs).scalar_subquery()

    seen = staged_items.c
    new = select(seen.price_cents).where(seen.run_id == chosen.c.run_id, seen.seq == chosen.c.seq).scalar_subquery()
    listing_id = of_listing(listings.c.id)
    old = select(prices.c.price_cents).where(prices.c.store_id == store_id, prices.c.listing_id == listing_id)
    wanted = select(of_listing(listings.c.ordinal), func.coalesce(old.scalar_subquery(), 0), func.coalesce(new, 0))
    rows = connection.execute(wanted.join_from(chosen, crawl_runs, crawl_runs.c.id == chosen.c.run_id)).all()
    table = np.array([tuple(row) for row in rows if row[0] is not None], np.int64).reshape(-1, 3)
    pairs = table[(table[:, 1] > 0) & (table[:, 2] > 0), 1:].astype(float)
    return table[:, 0], pairs[:, 0], pairs[:, 1]


def _turnover(connection: Connection, run: Run, seen: Ints) -> tuple[int, int]:
    """How many listings the store ranged after its last complete run, and how many of those it ranges were not seen.

    The first leaves out what incomplete runs have added since; else a second look would make a shortfall smaller. Both
    leave out what a confirmed shortfall lacked: it was judged then, though it is ranged until it is delisted.
    """
    wanted = _store_row(run, store_ranges.c.ranged).join(store_ranges, store_ranges.c.store_id == stores.c.id)
    ranged = unpack(connection.execute(wanted).scalar(), int(seen.max(initial=-1)) + 1)
    last = next(iter(_runs(connection, run, "complete", 1)), None)
    before = (last.counts or {}).get("ranged") if last is not None else None
    judged = ranged & flags(_confirmed_missing(connection, run, len(ranged)), len(ranged))
    unseen = int(np.count_nonzero(ranged & ~judged & ~flags(seen, len(ranged))))
    ranged_before = int(np.count_nonzero(ranged)) if before is None else int(before)
    return max(0, ranged_before - int(np.count_nonzero(judged))), unseen


def _confirmed_missing(connection: Connection, run: Run, width: int) -> Ints:
    """Ordinals below `width` of the listings that a run with a confirmed shortfall missed and no run has seen since."""
    run_of, missing = crawl_runs.c, missing_listings.c
    confirmed = (run_of.status == "complete", run_of.reason.startswith("shortfall_confirmed"))
    theirs = select(run_of.id).where(
        run_of.company_id == run.company_id, run_of.store_code == run.store_code, *confirmed
    )
    wanted = select(listings.c.ordinal).join(missing_listings, missing.listing_id == listings.c.id)
    wanted = wanted.join(stores, stores.c.id == missing.store_id).where(*_is_of(run), missing.delisted_at.is_(None))
    wanted = wanted.where(missing.crawl_run_id.in_(theirs), listings.c.ordinal < width)
    return np.array(list(connection.execute(wanted).scalars()), np.int64)


def _store_row(run: Run, *columns: Column[Any]) -> Select[Any]:
    return select(*columns).where(*_is_of(run))


def _is_of(run: Run) -> tuple[ColumnElement[bool], ...]:
    return stores.c.company_id == run.company_id, stores.c.store_code == run.store_code


def _flipped(connection: Connection, run: Run) -> bool:
    """Whether the company's specials changed between the store's last complete run and the start of this one.

    Without a complete run: since the start of the first run that published anything, whose prices are compared.
    """
    last = connection.execute(_store_row(run, stores.c.id, stores.c.last_scraped, stores.c.timezone)).one_or_none()
    since = None if last is None else last.last_scraped or _first_published(connection, last.id)
    if last is None or since is None:
        return False
    company = connection.execute(select(companies).where(companies.c.id == run.company_id)).one()
    flip = Flip(company.flip_weekday, company.flip_hour)
    return crosses(flip, last.timezone, since, run.started_at)


def _first_published(connection: Connection, store_id: int) -> datetime | None:
    runs = crawl_runs.c
    mine = (runs.store_id == store_id, runs.undo.is_not(None), runs.rolled_back_at.is_(None))
    return connection.execute(select(func.min(runs.started_at)).where(*mine)).scalar()
