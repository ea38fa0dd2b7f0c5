"""Reads what the rule of which store comes next needs of a company, in a few statements for all of its stores."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from statistics import median
from typing import Any

from sqlalchemy import Connection, select

from models.runs.run import last_complete_runs
from models.tables import crawl_runs, store_group_memberships, store_groups, stores
from splitcart.periods import Flip
from splitcart.runs.verdict import EVERY_STORE
from splitcart.scheduling import pauses
from splitcart.scheduling.rule import Company, Queue, Rules, Store, queue

_OF_STORE = (
    "id", "store_code", "timezone", "is_online", "closed_at", "needs_rescraping", "last_scraped", "verified_at",
    "scheduled_at", "next_try_at", "fail_count", "lease_until",
)  # fmt: skip
"""Columns of stores that are fields of the rule's Store."""


def read(connection: Connection, company: Any, now: datetime) -> tuple[Company, list[Store]]:
    """The facts of a company (a row of companies) and of each of its stores for the rule, stores in order of ids."""
    running = _running(connection, company.id)
    requests = _requests(connection, company.id)
    anchors = _anchors(connection, company.id)
    followers = Counter(anchor.store_code for store_id, anchor in anchors.items() if anchor.id != store_id)
    facts, handed_out = [], 0
    query = select(*(stores.c[name] for name in _OF_STORE)).where(stores.c.company_id == company.id)
    for row in connection.execute(query.order_by(stores.c.id)):
        values = dict(zip(_OF_STORE, row, strict=True))
        code, until, run_until = row.store_code, row.lease_until, running.get(row.store_code)
        handed_out += run_until is None and until is not None and until > now
        if run_until is not None:
            values["lease_until"] = run_until if until is None else max(until, run_until)
        if anchor := anchors.get(row.id):
            values |= {"anchor": anchor.store_code, "anchor_scraped": anchor.last_scraped}
        facts.append(Store(**values, requests=requests.get(code), followers=followers[code]))
    known = Company(
        flip=Flip(company.flip_weekday, company.flip_hour),
        live=handed_out + sum(until > now for until in running.values()),
        usual_requests=median(requests.values()) if requests else None,
        paused_until=paused_until(connection, company.id, now),
    )
    return known, facts


def queued(connection: Connection, company: Any, rules: Rules, now: datetime) -> Queue:
    """The company's stores at `now`, offered or held."""
    known, of_stores = read(connection, company, now)
    return queue(of_stores, known, rules, now)


def _running(connection: Connection, company_id: int) -> Mapping[str, datetime]:
    """The end of the lease of each running run, the locator's included, by store code."""
    run = crawl_runs.c
    query = select(run.store_code, run.lease_until).where(run.company_id == company_id, run.status == "running")
    return {row.store_code: row.lease_until for row in connection.execute(query)}


def _anchors(connection: Connection, company_id: int) -> Mapping[int, Any]:
    """The anchor (id, store_code, last_scraped) of each store of the company that is in a group."""
    member, group, anchor = store_group_memberships.c, store_groups.c, stores.alias("anchors")
    joined = store_group_memberships.join(store_groups, group.id == member.group_id)
    joined = joined.join(anchor, anchor.c.id == group.anchor_id)
    query = select(member.store_id.label("of"), anchor.c.id, anchor.c.store_code, anchor.c.last_scraped)
    return {row.of: row for row in connection.execute(query.select_from(joined).where(group.company_id == company_id))}


def _requests(connection: Connection, company_id: int) -> Mapping[str, int]:
    """How many requests each store's last complete run made, by store code."""
    runs = connection.execute(last_complete_runs(company_id))
    counts = {row.store_code: (row.counts or {}).get("requests") for row in runs}
    return {code: n for code, n in counts.items() if isinstance(n, int) and not isinstance(n, bool) and n > 0}


def paused_until(connection: Connection, company_id: int, now: datetime) -> datetime | None:
    """The end of the company's pause after runs that its site blocked; None if it has none."""
    run = crawl_runs.c
    lately = (run.company_id == company_id, run.finished_at > now - pauses.LOOK_BACK)
    query = select(run.started_at, run.finished_at).where(*lately, run.status == "blocked")
    blocked = [pauses.Span(*row) for row in connection.execute(query)]
    if not blocked:
        return None
    seen = (run.status.in_(("complete", "partial")), run.store_code != EVERY_STORE)
    return pauses.paused_until(blocked, connection.execute(select(run.started_at).where(*lately, *seen)).scalars())
