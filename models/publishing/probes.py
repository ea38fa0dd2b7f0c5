"""A probe and the database: which pages are worth drawing, and whether what it saw agrees with the known prices."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, Engine, case, select

from models.database.retry import retried
from models.groups import membership
from models.lines import sightings
from models.prices import effective
from models.publishing.seen import SEEN
from models.runs.run import Run
from models.tables import categories, companies, listings, store_ranges, stores
from models.tables.base import same_terms
from splitcart.bits import Bits, unpack
from splitcart.observed import CONTESTED, Sighting
from splitcart.periods import Flip, crosses
from splitcart.scheduling.probes import UNDECIDED, Plan, Settled, Tally, is_evidence, settle


def plan(engine: Engine, run: Run, products: Mapping[str, int]) -> Plan:
    """What the choice of pages depends on. `products`: the number of products by category key in the last crawls."""

    def work() -> Plan:
        with engine.connect() as connection:
            return Plan(products, open_lines(connection, run.store_id) if run.store_id is not None else {})

    return retried(engine, work, what=f"planning the probe of store {run.store_code}")


def open_lines(connection: Connection, store_id: int) -> dict[str, int]:
    """The number of lines by category key that a store ranges and that are contested, or not ranged by its anchor.

    Empty for a store that is its own anchor: its prices are its own.
    """
    place = membership.places(connection, [store_id])[store_id]
    anchor_id = effective.anchor_of(place)
    if anchor_id == store_id:
        return {}
    own, its = (_ranged(connection, one) for one in (store_id, anchor_id))
    line = effective.lines().subquery("line")
    wanted = (
        select(line.c.source, listings.c.ordinal, categories.c.key)
        .join_from(line, listings, listings.c.id == line.c.listing_id)
        .join(categories, categories.c.id == listings.c.category_id)
        .where(categories.c.key.is_not(None))
    )
    return Counter(
        str(key)
        for values in effective.parameters(connection, [place])
        for source, ordinal, key in connection.execute(wanted, values)
        if _has(own, ordinal) and (source == CONTESTED or not _has(its, ordinal))
    )


def _ranged(connection: Connection, store_id: int) -> Bits:
    return unpack(connection.execute(select(store_ranges.c.ranged).where(store_ranges.c.store_id == store_id)).scalar())


def _has(bits: Bits, ordinal: int) -> bool:
    return ordinal < len(bits) and bool(bits[ordinal])


def compare(connection: Connection, run: Run, store_id: int, now: datetime, *, has_published: bool) -> Settled:
    """Compares what a probe saw (publish_seen) with the effective prices of its store, before any of it is written.

    `has_published`: the run has published before, so that the effective prices hold what it saw itself.
    """
    company = connection.execute(select(companies).where(companies.c.id == run.company_id)).one()
    flip = Flip(company.flip_weekday, company.flip_hour)
    wanted = select(stores.c.id, stores.c.timezone).where(stores.c.company_id == run.company_id)
    zones = {int(one): str(zone) for one, zone in connection.execute(wanted)}
    if has_published:
        return Settled(UNDECIDED, "its probe settles nothing: the run had published a part of it before")
    if crosses(flip, zones[store_id], run.started_at, now):
        return Settled(UNDECIDED, "its probe settles nothing: specials changed while it ran")
    return settle(_compared(connection, run, store_id, sightings.sighting(flip, zones[store_id], now), flip, zones))


def _compared(
    connection: Connection, run: Run, store_id: int, look: Sighting, flip: Flip, zones: Mapping[int, str]
) -> Tally:
    line = effective.lines(only=SEEN).subquery("line")
    deviates = case((same_terms(SEEN, line), 0), else_=1)
    wanted = (
        select(line.c.source, line.c.observed_at, line.c.observed_by, deviates, SEEN.c.category_path)
        .join_from(line, SEEN, SEEN.c.listing_id == line.c.listing_id)
        .where(SEEN.c.price_cents.is_not(None))
    )
    tally, fit = Tally(), dict[tuple[int, datetime], bool]()
    for values in effective.parameters(connection, membership.places(connection, [store_id]).values()):
        for source, observed_at, observed_by, differs, path in connection.execute(wanted, values):
            seen = (observed_by, observed_at)
            if seen not in fit:
                fit[seen] = is_evidence(sightings.sighting(flip, zones[observed_by], observed_at), look)
            department = str(json.loads(path)[0]) if path else ""
            tally.add(department, source, deviates=bool(differs), is_evidence=fit[seen])
    return tally
