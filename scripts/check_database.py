"""Checks every invariant of the database, prints what is broken. Exit code 0: nothing; 1: something; 2: no answer."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import _path  # noqa: F401
from _database import database, guarded

from models.checks import check
from models.clocks import server_time


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print a JSON list of {check, promise, count, examples}")
    options = parser.parse_args(arguments)
    return guarded(lambda: _run(as_json=options.json), refused=2)


def now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


def _run(*, as_json: bool) -> int:
    with database() as engine, engine.connect() as connection:
        server = server_time(connection)
        found = list(check(connection, min(now(), server) if server else now()))
    if as_json:
        print(json.dumps([asdict(one) for one in found], indent=2))
    else:
        for one in found:
            print(f"{one.check}: {one.promise}; broken {one.count} times, e.g. {'; '.join(one.examples)}")
        print(f"{len(found)} broken promises" if found else "every promise holds")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
