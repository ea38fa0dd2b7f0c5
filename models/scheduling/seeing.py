"""What operators look at: every store with its state and why it is not offered, and the runs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from models.scheduling.reading import read
from models.tables import companies, crawl_runs, store_group_memberships, store_groups, stores
from splitcart.scheduling.rule import Rules, queue, state


def company_stores(connection: Connection, company: Any, rules: Rules, now: datetime) -> list[dict[str, Any]]:
    """Each store of a company (a row of companies): those offered in their turn, then the others by when they free."""
    known, found = read(connection, company, now)
    queued = queue(found, known, rules, now)
    names, answered = _names(connection, company.id), _answered(connection, company.id)
    not_offered = [each for each in found if each.store_code in queued.not_offered]
    last = datetime.max.replace(tzinfo=now.tzinfo)
    not_offered.sort(key=lambda each: (queued.not_offered[each.store_code].until or last, each.id))
    told = []
    for each in (*queued.offered, *not_offered):
        why, (name, anchor) = queued.not_offered.get(each.store_code), names[each.id]
        told.append(
            {
                "company": company.slug,
                "store_id": each.store_code,
                "store_name": name,
                "state": state(each, known, now),
                "offered": why is None,
                "why_not": why.reason if why else None,
                "free_at": why.until if why else None,
                "last_scraped": each.last_scraped,
                "verified_at": each.verified_at,
                "answered_for": answered.get(each.store_code),
                "group_anchor": anchor,
                "lease_until": each.lease_until,
                "fail_count": each.fail_count,
                "needs_rescraping": bool(each.needs_rescraping),
            }
        )
    return told


def _names(connection: Connection, company_id: int) -> Mapping[int, tuple[str, str | None]]:
    """The name of each store, and the chain's id of its group's anchor."""
    anchors = stores.alias("anchors")
    joined = (
        stores.outerjoin(store_group_memberships, store_group_memberships.c.store_id == stores.c.id)
        .outerjoin(store_groups, store_groups.c.id == store_group_memberships.c.group_id)
        .outerjoin(anchors, anchors.c.id == store_groups.c.anchor_id)
    )
    wanted = select(stores.c.id, stores.c.store_name, anchors.c.store_code.label("anchor")).select_from(joined)
    found = connection.execute(wanted.where(stores.c.company_id == company_id))
    return {row.id: (row.store_name, row.anchor) for row in found}


def _answered(connection: Connection, company_id: int) -> Mapping[str, str]:
    """Which store answered last for each store, by store code."""
    run = crawl_runs.c
    told = (run.company_id == company_id, run.answered_for.is_not(None))
    last = select(func.max(run.id)).where(*told).group_by(run.store_code)
    return {
        row[0]: row[1] for row in connection.execute(select(run.store_code, run.answered_for).where(run.id.in_(last)))
    }


def recent_runs(
    connection: Connection,
    now: datetime,
    *,
    company_ids: list[int],
    store: str | None = None,
    status: str | None = None,
    most: int = 50,
) -> list[dict[str, Any]]:
    """The latest runs of the companies, the latest first; of one store and one status where these are given."""
    run = crawl_runs.c
    wanted = select(crawl_runs, companies.c.slug).join(companies, companies.c.id == run.company_id)
    wanted = wanted.where(run.company_id.in_(company_ids))
    if store is not None:
        wanted = wanted.where(run.store_code == store)
    if status is not None:
        wanted = wanted.where(run.status == status)
    found = connection.execute(wanted.order_by(run.started_at.desc(), run.id.desc()).limit(most))
    return [_run(row, now) for row in found]


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
