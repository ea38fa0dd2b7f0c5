"""Rows that the database refused, kept with the reason, so that the fault of a mapping can be found and replayed."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert

from models.tables import quarantined_items


@dataclass(frozen=True, slots=True)
class Poison:
    """One refused row."""

    seq: int
    row: dict[str, Any]
    reason: str


def _storable(value: Any) -> Any:
    """The value as JSON that both databases take: other types as text, without NUL and lone surrogates."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return json.loads(text.encode("utf-8", "replace").decode().replace("\\u0000", "\ufffd"))


def quarantine(connection: Connection, run_id: int, first: int, last: int, rows: list[Poison]) -> None:
    """Keeps the refused rows of one batch, in place of what an earlier try of the same batch kept."""
    table = quarantined_items
    connection.execute(delete(table).where(table.c.run_id == run_id, table.c.seq.between(first, last)))
    now = datetime.now(UTC)
    if rows:
        values = [
            {
                "run_id": run_id,
                "seq": poison.seq,
                "sku": _storable(str(poison.row.get("sku"))),
                "reason": _storable(poison.reason)[:500],
                "row": _storable(poison.row),
                "created_at": now,
            }
            for poison in rows
        ]
        connection.execute(insert(table), values)
