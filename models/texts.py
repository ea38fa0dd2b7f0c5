"""A listing's text changes only when two complete runs on different days agree; until then the new text is pending."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from models import bulk, slot_marks
from models.brand_rows import brand_ids
from models.category_rows import add_to_categories, category_ids
from models.dialect import among, is_postgres, listed, temporary
from models.identify import identified
from models.run import Run
from models.same_sku import taught
from models.staged_texts import Staged, Told
from models.tables.products import TEXTS
from models.types import UtcDateTime, utc_text
from splitcart import identity
from splitcart.identity import Listing

_COLUMNS = ("id", "product_id", "category_id", *TEXTS)
WRITTEN = ("product_id", "category_id", *TEXTS, "pending", "pending_at")
"""The columns of a listing that a run may change."""


@dataclass(frozen=True, slots=True)
class Change:
    """One listing's row before, and what becomes of it."""

    before: Mapping[str, Any]
    adopted: Mapping[str, Any]
    """Texts that two runs agree on; `path` for the category."""
    pending: Mapping[str, Any]


def agree(connection: Connection, run: Run, company: str, told: Sequence[Told], now: datetime) -> dict[str, Any]:
    """Weighs what a complete run says of known listings.

    Returns what a rollback needs, nothing for most runs: `texts`, of each listing its id and by column what was there
    and what was written; `product_categories`, the rows that were added.
    """
    staged = {one.listing_id: one.staged for one in told}
    rows = _lock(connection, sorted(staged)) if staged else []
    changes = [change for row in rows if (change := _weigh(row, staged[row["id"]], now, run.timezone)) is not None]
    if not changes:
        return {}
    said = [_as_told(change, staged[change.before["id"]]) for change in changes]
    category_id = category_ids(connection, run.company_id, said)
    product_id = _products(connection, run, company, changes, said, now)
    written = _write(connection, changes, said, product_id, category_id)
    products = ((change.before["product_id"], product_id[one.sku]) for change, one in zip(changes, said, strict=True))
    slot_marks.products(connection, {one for pair in products if pair[0] != pair[1] for one in pair}, now)
    pairs = {(product_id[one.sku], category) for one in said if (category := category_id[one.path]) is not None}
    added = add_to_categories(connection, pairs)
    return {
        "texts": [_undo(change.before, after) for change, after in zip(changes, written, strict=True)],
        "product_categories": sorted(added),
    }


def _undo(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Any]:
    """The listing's id and, of each column that changed, [what was there, what was written]."""
    plain = {name: before[name] for name in WRITTEN} | {
        "pending_at": utc_text(before["pending_at"]) if before["pending_at"] is not None else None
    }
    return [before["id"], {name: [plain[name], after[name]] for name in WRITTEN if plain[name] != after[name]}]


def _lock(connection: Connection, ids: list[int]) -> list[dict[str, Any]]:
    """The listings in id order, locked until the publish commits: others of the company wait for that moment only."""
    lock = "FOR UPDATE OF l" if is_postgres(connection) else ""
    names = ", ".join(f"l.{name}" for name in (*_COLUMNS, "sku", "pending", "pending_at"))
    sql = f"""SELECT {names}, k.path FROM listings l LEFT JOIN categories k ON k.id = l.category_id
        WHERE {among(connection, "l.id", "ids")} ORDER BY l.id {lock}"""  # noqa: S608 fixed text
    statement = text(sql).columns(pending_at=UtcDateTime())
    rows = [dict(row) for row in connection.execute(statement, {"ids": listed(connection, ids)}).mappings()]
    for row in rows:
        row["pending"] = json.loads(row["pending"]) if isinstance(row["pending"], str) else row["pending"]
    return rows


def _weigh(row: Mapping[str, Any], staged: Staged, now: datetime, timezone: str) -> Change | None:
    """What the run changes of a listing; None for nothing. A field the run does not tell stays as it is."""
    pending = dict(row["pending"] or {})
    adopted: dict[str, Any] = {}
    for name in (*TEXTS, "path"):
        value = getattr(staged, name)
        if value is None:
            continue
        noted = pending.pop(name, None)
        if value == row[name]:
            continue
        if row[name] is None:  # told for the first time: nothing is contradicted
            adopted[name] = value
        elif noted is None or noted["value"] != value:
            pending[name] = {"value": value, "at": utc_text(now)}
        elif _day(noted["at"], timezone) == _day(utc_text(now), timezone):
            pending[name] = noted
        else:
            adopted[name] = value
    if not adopted and pending == (row["pending"] or {}):
        return None
    return Change(row, adopted, pending)


def _day(when: str, timezone: str) -> str:
    return datetime.fromisoformat(when).astimezone(ZoneInfo(timezone)).date().isoformat()


def _as_told(change: Change, staged: Staged) -> Staged:
    """The listing as it will stand."""
    values = {name: change.adopted.get(name, change.before[name]) for name in (*TEXTS, "path")}
    return staged._replace(sku=change.before["sku"], **values)


def _listing(company: str, staged: Staged | Mapping[str, Any]) -> Listing:
    told = staged if isinstance(staged, Mapping) else {name: getattr(staged, name) for name in ("sku", *TEXTS)}
    return Listing(company, told["sku"], told["name"], told["brand"], told["size"], told["gtin"])


def _products(
    connection: Connection, run: Run, company: str, changes: Sequence[Change], said: Sequence[Staged], now: datetime
) -> dict[str, int]:
    """The product of each listing by sku: the same as before, unless what it is called now vetoes that."""
    product_id: dict[str, int] = {}
    moved: list[Staged] = []
    for change, one in zip(changes, said, strict=True):
        before, after = _listing(company, change.before), _listing(company, one)
        decision = identity.decide(before, after) if before != after else None
        product_id[one.sku] = int(change.before["product_id"])
        if decision is not None and decision.same:
            taught(connection, run, product_id[one.sku], one.sku, before, after, decision.learned, now)
        elif decision is not None:
            moved.append(one)
    if moved:
        keys = [identity.normalized_key(one.brand, one.name, one.size) for one in moved]
        brands = brand_ids(connection, [one.brand for one in moved])
        now_of = identified(connection, company, moved, keys, brands)
        for one, its in zip(moved, now_of, strict=True):
            taught(connection, run, product_id[one.sku], one.sku, None, None, frozenset(), now)
            product_id[one.sku] = its
    return product_id


def _write(
    connection: Connection,
    changes: Sequence[Change],
    said: Sequence[Staged],
    product_id: Mapping[str, int],
    category_id: Mapping[str | None, int | None],
) -> list[dict[str, Any]]:
    """Writes the listings. Returns of each what WRITTEN hold now, times as texts."""
    names = ("listing_id", *WRITTEN)
    types = ("INTEGER", "INTEGER", "INTEGER", *("TEXT" for _ in (*TEXTS, "pending", "pending_at")))
    temporary(connection, "publish_texts", ", ".join(map(" ".join, zip(names, types, strict=True))))
    rows, written = [], []
    for change, one in zip(changes, said, strict=True):
        category = category_id[one.path] if "path" in change.adopted else change.before["category_id"]
        pending = json.dumps(change.pending, ensure_ascii=False, sort_keys=True) if change.pending else None
        latest = max((noted["at"] for noted in change.pending.values()), default=None)
        texts = (getattr(one, name) for name in TEXTS)
        rows.append((change.before["id"], product_id[one.sku], category, *texts, pending, latest))
        written.append(dict(zip(WRITTEN, (*rows[-1][1:-2], dict(change.pending) or None, latest), strict=True)))
    bulk.insert(connection, "publish_texts", names, rows)
    cast = {"pending": "::jsonb", "pending_at": "::timestamptz"} if is_postgres(connection) else {}
    values = ", ".join(f"{name} = t.{name}{cast.get(name, '')}" for name in names[1:])
    connection.execute(text(f"UPDATE listings SET {values} FROM publish_texts t WHERE listings.id = t.listing_id"))  # noqa: S608
    return written
