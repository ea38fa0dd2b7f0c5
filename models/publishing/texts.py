"""A listing's text changes only when two complete runs on different days agree; until then the new text is pending."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Column, Connection, Integer, select, update

from models.database import bulk
from models.database.dialect import emptied, is_one_of, temporary_table
from models.lines import slot_marks
from models.products.aliases import add_text_change_aliases, record_departure
from models.products.brands import brand_ids
from models.products.catalogue import identified
from models.products.categories import add_to_categories, category_ids
from models.publishing import seen
from models.runs.run import Run
from models.staging.rows import SeenSku
from models.tables import categories, listings
from models.tables.products import TEXTS
from models.tables.types import utc_text
from splitcart.identity import matching
from splitcart.identity.matching import Listing

WRITTEN = ("product_id", "category_id", *TEXTS, "pending", "pending_at")
"""The columns of a listing that a run may change."""
_LISTINGS = temporary_table(
    "publish_texts",
    Column("listing_id", Integer, primary_key=True),
    *(Column(name, listings.c[name].type) for name in WRITTEN),
)
"""The new values of the columns WRITTEN."""


@dataclass(frozen=True, slots=True)
class Change:
    """One listing's row before, and what becomes of it."""

    before: Mapping[str, Any]
    confirmed: Mapping[str, Any]
    """New texts that two runs agree on; `path` is the category's."""
    pending: Mapping[str, Any]
    """Other texts that one run has reported so far: by column its value and time."""


def apply_confirmed(connection: Connection, run: Run, company: str, now: datetime) -> dict[str, Any]:
    """Compares what a complete run reports of known listings with their texts, and writes what changes.

    Returns what a rollback needs, {} for most runs. `texts`: for each listing its id and, by column, what was there and
    what was written. `product_categories`: the rows that were added.
    """
    staged = {one.listing_id: one for one in seen.with_other_texts(connection) if one.listing_id is not None}
    rows = _lock(connection, sorted(staged)) if staged else []
    changes = [change for row in rows if (change := _weigh(row, staged[row["id"]], now, run.timezone)) is not None]
    if not changes:
        return {}
    after = [_after(change, staged[change.before["id"]]) for change in changes]
    category_id = category_ids(connection, run.company_id, after)
    product_id = _products(connection, run, company, changes, after, now)
    written = _write(connection, changes, after, product_id, category_id)
    products = ((change.before["product_id"], product_id[one.sku]) for change, one in zip(changes, after, strict=True))
    slot_marks.products(connection, {one for pair in products if pair[0] != pair[1] for one in pair}, now)
    shelved = ((product_id[one.sku], category_id[one.category_path]) for one in after)
    pairs = {(product, category) for product, category in shelved if category is not None}
    added = add_to_categories(connection, pairs)
    return {
        "texts": [_undo(change.before, wrote) for change, wrote in zip(changes, written, strict=True)],
        "product_categories": sorted(added),
    }


def _undo(before: Mapping[str, Any], written: Mapping[str, Any]) -> list[Any]:
    """The listing's id and, of each column that changed, [what was there, what was written]."""
    plain = {name: before[name] for name in WRITTEN} | {
        "pending_at": utc_text(before["pending_at"]) if before["pending_at"] is not None else None
    }
    return [before["id"], {name: [plain[name], written[name]] for name in WRITTEN if plain[name] != written[name]}]


def _lock(connection: Connection, ids: list[int]) -> list[dict[str, Any]]:
    """The listings in id order, locked until the publish commits."""
    columns = (listings.c[name] for name in ("id", "sku", *WRITTEN))
    wanted = select(*columns, categories.c.path.label("path"))
    wanted = wanted.outerjoin(categories, categories.c.id == listings.c.category_id)
    wanted = wanted.where(is_one_of(connection, listings.c.id, ids)).order_by(listings.c.id)
    return [dict(row) for row in connection.execute(wanted.with_for_update(of=listings)).mappings()]


def _weigh(row: Mapping[str, Any], staged: SeenSku, now: datetime, timezone: str) -> Change | None:
    """What the run changes of a listing; None for nothing. A field that the run does not report stays as it is."""
    pending = dict(row["pending"] or {})
    confirmed: dict[str, Any] = {}
    for name in (*TEXTS, "path"):
        value = staged.category_path if name == "path" else getattr(staged, name)
        if value is None:
            continue
        noted = pending.pop(name, None)
        if value == row[name]:  # what was pending is dropped
            continue
        if row[name] is None:  # reported for the first time: it contradicts nothing
            confirmed[name] = value
        elif noted is None or noted["value"] != value:
            pending[name] = {"value": value, "at": utc_text(now)}
        elif _day(noted["at"], timezone) == _day(utc_text(now), timezone):
            pending[name] = noted
        else:
            confirmed[name] = value
    if not confirmed and pending == (row["pending"] or {}):
        return None
    return Change(row, confirmed, pending)


def _day(when: str, timezone: str) -> str:
    return datetime.fromisoformat(when).astimezone(ZoneInfo(timezone)).date().isoformat()


def _after(change: Change, staged: SeenSku) -> SeenSku:
    """The listing as it will be."""
    texts = {name: change.confirmed.get(name, change.before[name]) for name in (*TEXTS, "path")}
    key = matching.normalized_key(texts["brand"], texts["name"], texts["size"])
    return staged._replace(category_path=texts.pop("path"), normalized_key=key, **texts)


def _listing(company: str, texts: Mapping[str, Any]) -> Listing:
    return Listing(company, *(texts[name] for name in ("sku", "name", "brand", "size", "gtin")))


def _products(
    connection: Connection, run: Run, company: str, changes: Sequence[Change], after: Sequence[SeenSku], now: datetime
) -> dict[str, int]:
    """The product of each listing by sku: the same as before, unless a veto of matching makes it another."""
    product_id: dict[str, int] = {}
    moved: list[SeenSku] = []
    for change, one in zip(changes, after, strict=True):
        was, becomes = _listing(company, change.before), _listing(company, one._asdict())
        decision = matching.decide(was, becomes) if was != becomes else None
        product_id[one.sku] = int(change.before["product_id"])
        if decision is not None and decision.same:
            add_text_change_aliases(connection, run, product_id[one.sku], was, becomes, decision.learned, now)
        elif decision is not None:
            moved.append(one)
    if moved:
        matches = identified(connection, company, moved, brand_ids(connection, [one.brand for one in moved]))
        for one, match in zip(moved, matches, strict=True):
            record_departure(connection, run, product_id[one.sku], one.sku, now)
            product_id[one.sku] = match.product_id
    return product_id


def _write(
    connection: Connection,
    changes: Sequence[Change],
    after: Sequence[SeenSku],
    product_id: Mapping[str, int],
    category_id: Mapping[str | None, int | None],
) -> list[dict[str, Any]]:
    """Writes the listings. Returns the columns WRITTEN of each, times as texts."""
    rows, written = [], []
    for change, one in zip(changes, after, strict=True):
        category = category_id[one.category_path] if "path" in change.confirmed else change.before["category_id"]
        pending = json.dumps(change.pending, ensure_ascii=False, sort_keys=True) if change.pending else None
        latest = max((noted["at"] for noted in change.pending.values()), default=None)
        texts = (getattr(one, name) for name in TEXTS)
        rows.append((change.before["id"], product_id[one.sku], category, *texts, pending, latest))
        written.append(dict(zip(WRITTEN, (*rows[-1][1:-2], dict(change.pending) or None, latest), strict=True)))
    emptied(connection, _LISTINGS)
    bulk.insert(connection, _LISTINGS, ("listing_id", *WRITTEN), rows)
    values = {name: _LISTINGS.c[name] for name in WRITTEN}
    connection.execute(update(listings).where(listings.c.id == _LISTINGS.c.listing_id).values(values))
    return written
