"""Brings the database named by DATABASE_URL to this code's schema; SQLite files migrate themselves on first use."""

import argparse
import os
import sys
from collections.abc import Sequence

import _path
from _support.command import parser, run
from _support.database import check_there
from _support.output import print_lines

from models.database import engine as engines
from models.database.servers import shown


def migrate(url: str, *, check: bool) -> str:
    """Migrates (or only checks) the database at `url`; returns what was done, in words.

    Raises StorageError, OperationalError; ConnectionError where there is nothing to check.
    """
    if check:  # a check creates nothing, not even an empty file
        check_there(url)
    engine = engines.create(url)
    try:
        before = None if check else engines.revision(engine)
        if not check and before != engines.SCHEMA_REVISION:
            engines.migrate(engine)
        engines.check_schema(engine)
    finally:
        engine.dispose()
    done = "is at" if check or before == engines.SCHEMA_REVISION else f"went from {before or 'no schema'} to"
    return f"{shown(engine)} {done} revision {engines.SCHEMA_REVISION}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: the schema is this code's; 1: it is not, or the database does not answer; 2: it cannot be used."""
    made = parser(__doc__, json="")
    made.add_argument("--check", action="store_true", help="change nothing; exit 1 when the schema is not this code's")
    return run(made, _migrate, arguments)


def _migrate(options: argparse.Namespace) -> int:
    print_lines(migrate(engines.url_from(os.environ), check=options.check))
    return 0


if __name__ == "__main__":
    sys.exit(main())
