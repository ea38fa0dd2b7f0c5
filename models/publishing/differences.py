"""Which of the offers that a run saw differ from the store's own rows, and writing exactly those.

All is written in key order. Only rows of the store itself are read and written, whatever group it is in.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    Text,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from models.database import bulk
from models.database.dialect import emptied, temporary_table
from models.lines.sightings import LastLooks
from models.publishing.seen import SEEN, of_run
from models.runs.run import Run
from models.tables import crawl_runs, price_changes, prices
from models.tables.base import OFFER, TERMS, offer_columns
from models.tables.types import UtcDateTime

DIFFERENCES = temporary_table(
    "publish_diff",
    Column("listing_id", Integer, nullable=False),
    Column("ordinal", Integer, nullable=False),
    # insert, update: the price is new or another one, and the history gets an entry.
    # refresh: it costs the same, and the rest of the offer is another.
    Column("action", Text, nullable=False),
    *offer_columns(priced=True),
)
_LAST_LOOKS = temporary_table(
    "publish_last_looks",
    Column("listing_id", Integer, primary_key=True),
    Column("run_id", Integer),
)
"""For each listing whose price changes or ends, the run that last saw the old offer."""


@dataclass(frozen=True, slots=True)
class Publication:
    """One publish of a store: by which run, when, and what earlier runs saw of the store."""

    run: Run
    store_id: int
    now: datetime
    looks: LastLooks
    """The last look at each line before this run."""
    last_complete: int | None
    """The id of the last complete run before this one."""

    def last_seen_by(self, ordinal: int) -> int | None:
        """The run that saw a line last; the last complete one where the line never showed a price."""
        look = self.looks.at(ordinal)
        return self.last_complete if look is None else look.run_id


class Differences(NamedTuple):
    """What a run changes of a store's prices; the rows are in publish_diff."""

    actions: dict[str, int]
    """The number of listings by action."""
    is_first: bool
    """The store had no price before."""


def find(connection: Connection, publication: Publication) -> Differences:
    """Fills publish_diff with the offers that differ from the store's rows.

    An anti-join instead of INSERT ... ON CONFLICT DO UPDATE ... WHERE, which locks each row that it leaves alone.
    """
    own, seen, store = prices.c, SEEN.c, of_run(publication.run, crawl_runs.c.store_id)
    action = case(
        (own.listing_id.is_(None), "insert"),
        (or_(*(seen[name].is_distinct_from(own[name]) for name in TERMS)), "update"),
        (or_(*(seen[name].is_distinct_from(own[name]) for name in OFFER)), "refresh"),
    )
    compared = (
        select(seen.listing_id, seen.ordinal, action.label("action"), *(seen[name] for name in OFFER))
        .join_from(SEEN, prices, and_(own.store_id == store, own.listing_id == seen.listing_id), isouter=True)
        .where(seen.price_cents.is_not(None))
        .subquery()
    )
    differing = select(compared).where(compared.c.action.is_not(None)).order_by(compared.c.listing_id)
    emptied(connection, DIFFERENCES)
    connection.execute(insert(DIFFERENCES).from_select(DIFFERENCES.c.keys(), differing))
    counts = select(DIFFERENCES.c.action, func.count()).group_by(DIFFERENCES.c.action)
    actions = {action: int(count) for action, count in connection.execute(counts)}
    priced = connection.execute(select(exists().where(own.store_id == publication.store_id))).scalar()
    return Differences(actions, is_first=not priced)


def write(connection: Connection, publication: Publication, found: Differences) -> None:
    """Writes the differences to prices and their history."""
    if found.actions:
        _append_history(connection, publication)
        _insert_prices(connection, publication)
        _update_prices(connection, publication)


def _append_history(connection: Connection, publication: Publication) -> None:
    """An entry for each listing that costs something else than before, and for each new one."""
    changed = select(DIFFERENCES.c.listing_id, DIFFERENCES.c.ordinal).where(DIFFERENCES.c.action == "update")
    looks = [(listing, publication.last_seen_by(ordinal)) for listing, ordinal in connection.execute(changed)]
    _put_last_looks(connection, looks)
    values = {
        "store_id": literal(publication.store_id),
        "listing_id": DIFFERENCES.c.listing_id,
        "changed_at": literal(publication.now, UtcDateTime()),
        **{name: DIFFERENCES.c[name] for name in OFFER},
        "crawl_run_id": literal(publication.run.id),
        # A new listing has no last look: the last complete run did not see it.
        "seen_before": func.coalesce(_LAST_LOOKS.c.run_id, literal(publication.last_complete, Integer())),
    }
    entries = (
        select(*values.values())
        .join_from(DIFFERENCES, _LAST_LOOKS, _LAST_LOOKS.c.listing_id == DIFFERENCES.c.listing_id, isouter=True)
        .where(DIFFERENCES.c.action != "refresh")
        .order_by(DIFFERENCES.c.listing_id)
    )
    connection.execute(insert(price_changes).from_select(list(values), entries))


def _insert_prices(connection: Connection, publication: Publication) -> None:
    values = {
        "store_id": literal(publication.store_id),
        "listing_id": DIFFERENCES.c.listing_id,
        **{name: DIFFERENCES.c[name] for name in OFFER},
        "changed_at": literal(publication.now, UtcDateTime()),
        "crawl_run_id": literal(publication.run.id),
    }
    new = select(*values.values()).where(DIFFERENCES.c.action == "insert").order_by(DIFFERENCES.c.listing_id)
    connection.execute(insert(prices).from_select(list(values), new))


def _update_prices(connection: Connection, publication: Publication) -> None:
    now = literal(publication.now, UtcDateTime())
    mine = prices.c.store_id == of_run(publication.run, crawl_runs.c.store_id)
    its = and_(mine, prices.c.listing_id == DIFFERENCES.c.listing_id, DIFFERENCES.c.action != "insert")
    values = {
        **{name: DIFFERENCES.c[name] for name in OFFER},
        "changed_at": case((DIFFERENCES.c.action == "update", now), else_=prices.c.changed_at),
        "crawl_run_id": publication.run.id,
    }
    connection.execute(update(prices).where(its).values(values))


def _put_last_looks(connection: Connection, looks: Iterable[tuple[int, int | None]]) -> None:
    emptied(connection, _LAST_LOOKS)
    bulk.insert(connection, _LAST_LOOKS, ("listing_id", "run_id"), list(looks))


def delist(connection: Connection, publication: Publication, listings: Iterable[tuple[int, int | None]]) -> None:
    """Ends the history of (listing_id, run that last saw its price) and deletes the price rows."""
    _put_last_looks(connection, listings)
    own, store = prices.c, of_run(publication.run, crawl_runs.c.store_id)
    no = literal(False, price_changes.c.is_estimated.type)
    values = {
        "store_id": own.store_id,
        "listing_id": own.listing_id,
        "changed_at": literal(publication.now, UtcDateTime()),
        "price_basis": own.price_basis,
        "is_estimated": no,
        "is_on_special": no,
        "crawl_run_id": literal(publication.run.id),
        "seen_before": _LAST_LOOKS.c.run_id,
    }
    ended = select(*values.values()).join_from(_LAST_LOOKS, prices, own.listing_id == _LAST_LOOKS.c.listing_id)
    entries = ended.where(own.store_id == store).order_by(own.listing_id)
    connection.execute(insert(price_changes).from_select(list(values), entries))
    theirs = (own.store_id == store, own.listing_id.in_(select(_LAST_LOOKS.c.listing_id)))
    connection.execute(delete(prices).where(*theirs))
