"""Engines on SQLite and PostgreSQL that behave alike in URL, schema and transactions.

`engine.begin()` is for writers (SQLite: BEGIN IMMEDIATE, so that a transaction that first reads cannot fail when it
writes); `engine.connect()` is for readers, which see one state and never wait for a writer.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import psycopg2
from sqlalchemy import Connection, Dialect, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from models.database import migrator
from models.database.retry import original
from models.database.secrets import without_secrets
from models.database.servers import check_may_write, check_server, shown
from models.database.sqlite_file import SqliteFile
from models.database.url import WANTED, file_url, normalise, url_from
from models.errors import DatabaseRefused, SchemaMismatch

__all__ = [
    "DatabaseRefused", "SchemaMismatch", "check_file", "check_schema", "create", "file_url", "migrate", "normalise",
    "revision", "url_from",
]  # fmt: skip

SCHEMA_REVISION = "0012"
"""The revision this code is written for; a test keeps it equal to Alembic's head."""

BUSY_SECONDS = 30
# A server whose machine or network is gone is detected within two minutes: TCP alone would wait for hours.
CONNECT = {
    "application_name": "splitcart",
    "client_encoding": "utf8",
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
# What libpq reports when it refuses an option before it connects.
_MEANINGLESS = re.compile(r"\binvalid (?:[\w-]+ )?(?:value|option|port|connection option)\b")
PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "cache_size=-6144", "temp_store=MEMORY")


class SplitcartEngine(Engine):
    """An Engine whose `begin()` starts a writing transaction."""

    file: SqliteFile | None = None
    """The watched file of SQLite; None for PostgreSQL."""

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        with self.connect() as connection:
            writer = connection.execution_options(splitcart_writes=True)
            with writer.begin():
                yield writer


def create(url: str) -> Engine:
    """An engine on the database. A new SQLite file is created and migrated; PostgreSQL is only connected to.

    Nothing is checked beyond that: a crawl calls `check_schema`. Raises DatabaseRefused.
    """
    url = normalise(url)
    return _create_sqlite(url) if url.startswith("sqlite") else _create_postgres(url)


def _create_postgres(url: str) -> Engine:
    connect = {name: value for name, value in CONNECT.items() if name not in make_url(url).query}
    plain = create_engine(url, pool_pre_ping=True, pool_use_lifo=True, connect_args=connect)
    event.listen(plain, "do_connect", partial(_connect_postgres, url))
    event.listen(plain.pool, "connect", _prepare_postgres)
    return SplitcartEngine(plain.pool, plain.dialect, plain.url)


def _create_sqlite(url: str) -> Engine:
    file = Path(make_url(url).database or "")
    arguments = {"timeout": BUSY_SECONDS, "check_same_thread": False}
    # The last used connection first: each has its own page cache, and using them in turn would fill all the caches.
    plain = create_engine(url, pool_use_lifo=True, connect_args=arguments)
    event.listen(plain.pool, "connect", _prepare_sqlite)
    engine = SplitcartEngine(plain.pool, plain.dialect, plain.url)
    event.listen(engine, "begin", _begin_sqlite)
    engine.file = SqliteFile(str(file))
    engine.file.watch(engine)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _refuse_foreign(file)
        if revision(engine) is None:
            migrate(engine)
    except (OSError, DatabaseError) as error:
        engine.dispose()
        if isinstance(error, OSError) or "not a database" in str(original(error)):
            reason = error.strerror if isinstance(error, OSError) else original(error)
            raise DatabaseRefused(f"{file} cannot be a SQLite database ({reason}): check DATABASE_URL") from None
        raise
    return engine


def _refuse_foreign(file: Path) -> None:
    """Raises DatabaseRefused for a file with tables of another program.

    The file is read without our pragmas, one of which would change it.
    """
    if not file.exists():
        return
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as plain:
        names = {name for (name,) in plain.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")}
        if names and "alembic_version" not in names:
            raise DatabaseRefused(
                f"{file} is another program's database, it has a table {min(names)}: check DATABASE_URL"
            )


def check_file(engine: Engine | None) -> None:
    """Raises DatabaseReplaced unless a SQLite database is still in the files that were opened."""
    file = getattr(engine, "file", None)
    if file is not None:
        file.check()


def _connect_postgres(url: str, dialect: Dialect, _record: Any, arguments: Any, options: Any) -> Any:
    """Connects. An error of the driver may repeat the URL: its secrets are removed here, at the source."""
    try:
        return dialect.connect(*arguments, **options)
    except (psycopg2.Error, ValueError) as error:
        message = without_secrets(str(error), url).strip()
        if not isinstance(error, psycopg2.OperationalError) or _MEANINGLESS.search(message):
            raise DatabaseRefused(f"DATABASE_URL is not usable: {message}: {WANTED}") from None
        error.args = (message, *error.args[1:])
        raise


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # The driver would begin transactions itself, deferred and only before a write.
    connection.isolation_level = None
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()


def _prepare_postgres(connection: Any, _record: Any) -> None:
    # No statement of ours runs long enough to be worth compiling; without statistics the planner assumes otherwise.
    # The default cost of a page is that of a spinning disk: the planner would read a whole table to look up 300 rows.
    with connection.cursor() as cursor:
        cursor.execute("SET jit = off; SET random_page_cost = 1.1")
    connection.commit()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("splitcart_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def revision(engine: Engine) -> str | None:
    """The revision that the database records; None for a database without a schema."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def migrate(engine: Engine) -> None:
    """Brings the schema to this code's revision in one transaction: all of it or nothing, even if two start at once.

    Raises DatabaseRefused (see `check_server`).
    """
    check_server(engine)
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('splitcart-migrate'))"))
        migrator.upgrade(connection)


def check_schema(engine: Engine, *, writes: bool = True) -> None:
    """Raises SchemaMismatch, which names the remedy, unless the database has exactly this code's schema.

    `writes`: the role must be allowed to write every table. Raises DatabaseRefused if the server is unsuitable (see
    `check_server`), ConnectionError if the database cannot be read.
    """
    try:
        check_server(engine)
        found = revision(engine)
    except SQLAlchemyError as error:
        message = str(original(error)).strip()
        raise ConnectionError(f"cannot read the database at {shown(engine)}: {message}") from error
    if found != SCHEMA_REVISION:
        raise SchemaMismatch(found, SCHEMA_REVISION)
    if writes:
        check_may_write(engine)
