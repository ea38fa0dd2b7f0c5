"""Checks every invariant of the database, prints what is broken. Exit code 0: nothing; 1: something; 2: no answer."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict

import _path  # noqa: F401
from sqlalchemy.exc import OperationalError

from models import engine as engines
from models.checks import Violation, check
from models.errors import SchemaMismatch


def violations(url: str) -> list[Violation]:
    """All violations in the database at `url`. Raises SchemaMismatch, OperationalError."""
    engine = engines.create(url)
    try:
        engines.check_schema(engine)
        with engine.connect() as connection:
            return list(check(connection))
    finally:
        engine.dispose()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print a JSON list of {check, promise, count, examples}")
    options = parser.parse_args(arguments)
    try:
        found = violations(engines.url_from(os.environ))
    except (SchemaMismatch, OperationalError, ConnectionError) as error:
        print(error, file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps([asdict(one) for one in found], indent=2))
    else:
        for one in found:
            print(f"{one.check}: {one.promise}; broken {one.count} times, e.g. {'; '.join(one.examples)}")
        print(f"{len(found)} broken promises" if found else "every promise holds")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
