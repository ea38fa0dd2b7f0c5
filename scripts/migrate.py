"""Brings the database named by DATABASE_URL to this code's schema; SQLite files migrate themselves on first use."""

import argparse
import os
import sys
from collections.abc import Sequence

import _path  # noqa: F401
from _database import guarded

from models import engine as engines


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit 1 when the schema is not this code's"
    )
    return parser


def migrate(url: str, *, check: bool) -> str:
    """Migrates (or only checks) the database at `url`; says what was done. Raises SchemaMismatch, OperationalError."""
    engine = engines.create(url)
    try:
        shown = engine.url.render_as_string(hide_password=True)
        before = None if check else engines.revision(engine)
        if not check and before != engines.SCHEMA_REVISION:
            engines.migrate(engine)
        engines.check_schema(engine)
    finally:
        engine.dispose()
    done = "is at" if check or before == engines.SCHEMA_REVISION else f"went from {before or 'no schema'} to"
    return f"{shown} {done} revision {engines.SCHEMA_REVISION}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: the schema is this code's; 1: it is not, or the database does not answer."""
    options = _parser().parse_args(arguments)

    def work() -> int:
        print(migrate(engines.url_from(os.environ), check=options.check))
        return 0

    return guarded(work)


if __name__ == "__main__":
    sys.exit(main())
