"""Merges a company's groups: one merger at a time, with a record of when it was done."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, select, update

from models.database.dialect import insert_ignoring
from models.database.retry import retried
from models.errors import MergeHeld
from models.groups.merging import Clock, Merger, Summary
from models.runs.leases import Holder, is_dead
from models.tables import crawl_runs, group_merges
from splitcart.grouping.health import Progress, silent
from splitcart.grouping.rules import Rules
from splitcart.runs.verdict import EVERY_STORE

PUBLISHING_TIME = timedelta(minutes=5)
"""Time that publishing may take. A run that a merge saw as running may carry an end date up to this much earlier."""
LEASE_TIME = timedelta(hours=1)
"""Time that a merge may take. If its process is gone on this host, its lease ends at once. Two merges at once would do
no harm."""


def merge(
    engine: Engine, company: Any, rules: Rules, clock: Clock, holder: Holder, progress: Progress = silent
) -> Summary:
    """Merges the groups of a company (a row of companies). Raises MergeHeld while another process merges them."""
    with the_only_merger(engine, company, clock, holder):
        return Merger(engine, company, rules, clock, progress).run()


@contextmanager
def the_only_merger(engine: Engine, company: Any, clock: Clock, holder: Holder) -> Iterator[None]:
    """Within the block no other process merges the company's groups. Raises MergeHeld.

    Leaving it without an error records `merged_at`, when the block began, and `seen_until`: the merge has seen every
    run that ended by then.
    """
    began, token = clock(), secrets.token_hex(16)
    lease = {"lease_token": token, "lease_until": began + LEASE_TIME, "host": holder.host, "pid": holder.pid}
    free = {"lease_token": None, "lease_until": None, "host": None, "pid": None}
    of_company = group_merges.c.company_id == company.id

    def begin() -> datetime:
        with engine.begin() as connection:
            connection.execute(insert_ignoring(connection, group_merges).values(company_id=company.id))
            row = connection.execute(select(group_merges).where(of_company).with_for_update()).one()
            if row.lease_token not in (None, token) and not is_dead(row, holder, began):
                raise MergeHeld(company.name, row.host, row.pid, row.lease_until)
            connection.execute(update(group_merges).where(of_company).values(**lease))
            return began - PUBLISHING_TIME if _any_running(connection, company.id) else began

    def end(**values: Any) -> None:
        def work() -> None:
            with engine.begin() as connection:
                while_held = update(group_merges).where(of_company, group_merges.c.lease_token == token)
                connection.execute(while_held.values(**free, **values))

        retried(engine, work, what=f"ending a merge of {company.slug}")

    seen_until = retried(engine, begin, what=f"beginning a merge of {company.slug}")
    try:
        yield
    except BaseException:
        end()
        raise
    end(merged_at=began, seen_until=seen_until)


def _any_running(connection: Connection, company_id: int) -> bool:
    run = crawl_runs.c
    query = select(run.id).where(run.company_id == company_id, run.status == "running", run.store_code != EVERY_STORE)
    return connection.execute(query.limit(1)).first() is not None
