"""What a database may and may not hold after a crawl that something went wrong with."""

from typing import Any

import _oracle
from sqlalchemy import Engine, distinct, func, select

from models.checks import check
from models.tables import crawl_run_categories, crawl_runs, staged_items


def unsound(engine: Engine) -> list[str]:
    """What the database itself shows to be broken."""
    with engine.connect() as connection:
        return [f"{one.check}: {one.promise}, broken {one.count} times" for one in check(connection)]


def categories(engine: Engine, run_id: int) -> int:
    """How many categories a run proved."""
    query = select(func.count()).where(crawl_run_categories.c.run_id == run_id)
    with engine.connect() as connection:
        return connection.execute(query).scalar_one()


def untrue(before: dict[str, Any], found: dict[str, Any], truth: dict[str, Any], allowed: int) -> list[str]:
    """What a complete run may not leave: another price than today's, or more than `allowed` listings missing."""
    missing = {sku for sku in truth.keys() - found.keys() if truth[sku][0] is not None}
    if len(missing) <= allowed:
        truth = {sku: price for sku, price in truth.items() if sku not in missing}
    return _oracle.differences(before, found, truth)


def unseen(before: dict[str, Any], found: dict[str, Any], truth: dict[str, Any]) -> list[str]:
    """What a partial run may not do: take a price away, or write one that is neither the old nor today's."""
    lines = [f"{sku} was taken away by a partial run" for sku in sorted(before.keys() - found.keys())]
    for sku, price in sorted(found.items()):
        if price not in (before.get(sku), truth.get(sku)):
            lines.append(f"{sku}: {price} is neither {before.get(sku)} nor {truth.get(sku)}")
    return lines


def left_over(engine: Engine) -> list[str]:
    """What no run may leave behind once every store has been crawled again in peace."""
    runs = select(crawl_runs.c.status, func.count(distinct(crawl_runs.c.id)), func.count(staged_items.c.seq))
    query = runs.outerjoin_from(crawl_runs, staged_items, staged_items.c.run_id == crawl_runs.c.id)
    with engine.connect() as connection:
        found = {row[0]: row[1:] for row in connection.execute(query.group_by(crawl_runs.c.status))}
    lines = [f"{found['running'][0]} runs are still running"] if "running" in found else []
    staged = found.get("abandoned", (0, 0))[1]
    return [*lines, f"abandoned runs left {staged} staged rows"] if staged else lines
