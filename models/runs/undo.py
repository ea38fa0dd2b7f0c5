"""What a publish overwrote and price_changes cannot tell, packed into the run's row."""

import json
import zlib
from typing import Any


def packed(entries: list[dict[str, Any]]) -> bytes:
    """The entries, oldest first: a run that was gone on with published more than once."""
    return zlib.compress(json.dumps(entries, default=str, separators=(",", ":")).encode())


def unpacked(data: bytes | None) -> list[dict[str, Any]]:
    return json.loads(zlib.decompress(data)) if data else []
