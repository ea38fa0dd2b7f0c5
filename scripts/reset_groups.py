"""Puts every store into a group of its own. No price changes: what was inferred becomes a row that says so.

One transaction a store: killed at any point, the rest are still in the groups they were in.
"""

import json
import sys
from collections.abc import Sequence

import _path  # noqa: F401
from _database import database, guarded
from _groups import Progress, now, parser

from models.group_reading import named_companies
from models.merging import reset


def _reset(company: str | None, *, as_json: bool) -> int:
    left = {}
    with database() as engine:
        with engine.connect() as connection:
            chosen = named_companies(connection, company)
        for one in chosen:
            left[one.name] = reset(engine, one, now, Progress(one.name))
    if as_json:
        print(json.dumps({"stores_reset": left}))
        return 0
    for name, count in left.items():
        print(f"{name}: {count} stores left a group")
    if not left:
        print("no company yet: crawl a store first")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: every store is alone; 1: an unknown company, or the database does not answer."""
    options = parser(__doc__).parse_args(arguments)
    return guarded(lambda: _reset(options.company, as_json=options.json))


if __name__ == "__main__":
    sys.exit(main())
