"""Views for operators: every store with its state and why it is not offered, and the latest runs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from models.scheduling.reading import read
from models.tables import companies, crawl_runs, stores
from splitcart.scheduling.rule import Rules, queue, state


def company_stores(connection: Connection, company: Any, rules: Rules, now: datetime) -> list[dict[str, Any]]:
    """The stores of a company (a row of companies): those offered in their turn, then the others by when they are free.

    One dictionary for each store, with the keys of scripts/inspect_stores.py --json.
    """
    known, of_stores = read(connection, company, now)
    queued = queue(of_stores, known, rules, now)
    query = select(stores.c.id, stores.c.store_name).where(stores.c.company_id == company.id)
    names = {row.id: row.store_name for row in connection.execute(query)}
    answered_for = _answered_for(connection, company.id)
    others = [store for store in of_stores if store.store_code in queued.not_offered]
    last = datetime.max.replace(tzinfo=now.tzinfo)
    others.sort(key=lambda store: (queued.not_offered[store.store_code].until or last, store.id))
    return [
        {
            "company": company.slug,
            "store_id": store.store_code,
            "store_name": names[store.id],
            "state": state(store, known, now),
            "offered": why is None,
            "why_not": why.reason if why else None,
            "free_at": why.until if why else None,
            "last_scraped": store.last_scraped,
            "verified_at": store.verified_at,
            "answered_for": answered_for.get(store.store_code),
            "group_anchor": store.anchor,
            "lease_until": store.lease_until,
            "fail_count": store.fail_count,
            "needs_rescraping": store.needs_rescraping,
        }
        for store, why in ((store, queued.not_offered.get(store.store_code)) for store in (*queued.offered, *others))
    ]


def _answered_for(connection: Connection, company_id: int) -> Mapping[str, str]:
    """By store code: the store that answered in the latest of the store's runs in which any store answered."""
    run = crawl_runs.c
    answered = (run.company_id == company_id, run.answered_for.is_not(None))
    last = select(func.max(run.id)).where(*answered).group_by(run.store_code)
    rows = connection.execute(select(run.store_code, run.answered_for).where(run.id.in_(last)))
    return {row.store_code: row.answered_for for row in rows}


def recent_runs(
    connection: Connection,
    now: datetime,
    *,
    company_ids: list[int],
    store: str | None = None,
    status: str | None = None,
    most: int = 50,
) -> list[dict[str, Any]]:
    """The latest `most` runs of the companies, the latest first; of one store or status if these are given."""
    run = crawl_runs.c
    query = select(crawl_runs, companies.c.slug).join(companies, companies.c.id == run.company_id)
    query = query.where(run.company_id.in_(company_ids))
    if store is not None:
        query = query.where(run.store_code == store)
    if status is not None:
        query = query.where(run.status == status)
    rows = connection.execute(query.order_by(run.started_at.desc(), run.id.desc()).limit(most))
    return [_run(row, now) for row in rows]


def _run(row: Any, now: datetime) -> dict[str, Any]:
    return {
        "run": row.id,
        "company": row.slug,
        "store_id": row.store_code,
        "spider": row.spider,
        "status": row.status,
        "reason": row.reason,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
        "seconds": round(((row.finished_at or now) - row.started_at).total_seconds(), 1),
        "answered_for": row.answered_for,
        "counts": row.counts or {},
        "changes": (row.figures or {}).get("published"),
        "rolled_back_at": row.rolled_back_at,
    }
