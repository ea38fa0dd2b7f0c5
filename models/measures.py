"""What the verdict needs to know of the database: the store's earlier runs, and staging against its live prices."""

from collections import defaultdict
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Column, Connection, Engine, Row, Select, func, select, text

from models.dialect import by_hash, looked_up, unguessed
from models.offers import chosen
from models.ranges import unpack
from models.retry import retried
from models.run import Run
from models.tables import companies, crawl_run_categories, crawl_runs, store_ranges, stores
from splitcart.periods import Flip, crosses
from splitcart.runs import Counts, History, Shortfall

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
        )


def _runs(connection: Connection, run: Run, status: str, limit: int) -> list[Row[Any]]:
    table = crawl_runs.c
    mine = (table.company_id == run.company_id, table.store_code == run.store_code, table.id != run.id)
    wanted = select(crawl_runs).where(*mine, table.status == status, table.rolled_back_at.is_(None))
    return list(connection.execute(wanted.order_by(table.finished_at.desc(), table.id.desc()).limit(limit)))


def _category_counts(connection: Connection, run_ids: list[int]) -> dict[str, tuple[int, ...]]:
    table = crawl_run_categories.c
    wanted = select(table.run_id, table.key, table.seen).where(table.run_id.in_(run_ids), table.held.is_(True))
    seen: dict[str, dict[int, int]] = defaultdict(dict)
    for row in connection.execute(wanted):
        seen[row.key][row.run_id] = row.seen
    return {key: tuple(counts.get(run_id, 0) for run_id in run_ids) for key, counts in sorted(seen.items())}


def _shortfall(connection: Connection, run: Run, after: int) -> Shortfall | None:
    for row in _runs(connection, run, "partial", 50):
        told = (row.figures or {}).get("shortfall")
        if row.id > after and told:
            return Shortfall(told["listings"], datetime.fromisoformat(told["at"]), frozenset(told["missing"]))
    return None


def measure(engine: Engine, run: Run) -> Counts:
    """The staged rows counted in the database, and how their prices compare with what the store had before.

    `accepted` is the same as `staged`: only the pipeline knows how many it handed over. known, changed and the median
    are taken over the listings that have a price now and an effective price (own, or the anchor's) before.
    """
    return retried(engine, lambda: _measure(engine, run), what=f"measuring run {run.id}")


def _measure(engine: Engine, run: Run) -> Counts:
    with engine.connect() as connection:
        sql = "SELECT count(*), count(DISTINCT sku) FROM staged_items WHERE run_id = :run"
        staged, listings = connection.execute(text(sql), {"run": run.id}).one()
        old, new = _old_and_new(connection, run)
        flipped = _flipped(connection, run)
    return Counts(
        accepted=staged,
        staged=staged,
        listings=listings,
        known=len(old),
        changed=int((old != new).sum()),
        median_ratio=float(np.median(new / old)) if len(old) else None,
        flipped=flipped,
    )


def _old_and_new(connection: Connection, run: Run) -> tuple[np.ndarray, np.ndarray]:
    store_id = connection.execute(_store_row(run, stores.c.id)).scalar()
    if store_id is None:
        return np.empty(0), np.empty(0)
    mine = f"l.company_id = {unguessed(connection, 'company')} AND l.sku = chosen.sku"
    sql = f"""
        WITH chosen AS ({chosen(connection)})
        SELECT l.ordinal, own.price_cents, anchor.price_cents, seen.price_cents
        FROM chosen JOIN staged_items seen ON seen.run_id = :run AND seen.seq = chosen.seq
        {looked_up(connection, "l", "listings", "l.id, l.ordinal", mine, outer=False)}
        LEFT JOIN prices own ON own.store_id = :store AND own.listing_id = l.id
        LEFT JOIN prices anchor ON anchor.listing_id = l.id AND anchor.store_id = (
            SELECT g.anchor_id FROM store_group_memberships m JOIN store_groups g ON g.id = m.group_id
            WHERE m.store_id = :store)
        WHERE seen.price_cents > 0
    """  # noqa: S608 fixed text
    with by_hash(connection, groups=True, looks_up=True):
        rows = connection.execute(text(sql), {"run": run.id, "company": run.company_id, "store": store_id}).all()
    told = unpack(connection.execute(select(store_ranges.c.priced).where(store_ranges.c.store_id == store_id)).scalar())
    follows = set(np.flatnonzero(told).tolist())
    known = ((anchor if own is None and at in follows else own, new) for at, own, anchor, new in rows)
    pairs = np.array([(old, new) for old, new in known if old], dtype=float).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _store_row(run: Run, *columns: Column[Any]) -> Select[Any]:
    return select(*columns).where(stores.c.company_id == run.company_id, stores.c.store_id == run.store_code)


def _flipped(connection: Connection, run: Run) -> bool:
    """Whether the company's specials changed between the store's last complete run and the start of this one.

    Without a complete run, since the first that published anything: its prices are what this one is compared with.
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
