"""What a publish overwrote and price_changes does not record, as `crawl_runs.undo` keeps it: compressed JSON."""

import json
import zlib
from typing import Any


def packed(entries: list[dict[str, Any]]) -> bytes:
    """The column's value. `entries`: one for each publish of the run, oldest first; a resumed run has several."""
    return zlib.compress(json.dumps(entries, default=str, separators=(",", ":")).encode())


def unpacked(data: bytes | None) -> list[dict[str, Any]]:
    return json.loads(zlib.decompress(data)) if data else []
