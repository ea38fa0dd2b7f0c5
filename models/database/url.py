"""DATABASE_URL in a single normal form, or refused with the reason."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote

from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from models.errors import DatabaseRefused

DRIVERS = {"sqlite": "pysqlite", "postgresql": "psycopg2"}
WANTED = "write sqlite:////path/to/file.db or postgresql://host/name"


def url_from(environ: Mapping[str, str]) -> str:
    """The database's URL: DATABASE_URL, else a SQLite file in the user's data folder."""
    if url := environ.get("DATABASE_URL"):
        return normalise(url)
    home = environ.get("XDG_DATA_HOME") or str(Path(environ.get("HOME") or Path.home()) / ".local" / "share")
    return file_url(Path(home).absolute() / "splitcart" / "splitcart.db")


def file_url(file: Path) -> str:
    """The URL of a SQLite file, whatever characters its path has."""
    return f"sqlite:///{quote(str(file))}"


def normalise(url: str) -> str:
    """The URL with its driver named (psycopg2) and a SQLite path made absolute: a job's working folder may change.

    Raises DatabaseRefused if it names no suitable database. The message quotes only the scheme: any other part, if it
    is misplaced, may belong to a password.
    """
    scheme, found, rest = url.strip().partition("://")
    backend, _, driver = scheme.lower().partition("+")
    if not found:
        raise DatabaseRefused(f"DATABASE_URL is not a URL, it has no ://: {WANTED}")
    if any(ord(sign) < 32 or ord(sign) == 127 for sign in unquote(rest)):
        raise DatabaseRefused(f"DATABASE_URL has a control character in it: {WANTED}")
    if backend == "postgres":
        backend = "postgresql"
    if backend not in DRIVERS:
        raise DatabaseRefused(f"DATABASE_URL begins {_begins(scheme)}, which is not a supported database: {WANTED}")
    if driver not in ("", DRIVERS[backend]):
        raise DatabaseRefused(
            f"DATABASE_URL begins {_begins(scheme)}, but the driver here is {DRIVERS[backend]}: write {backend}://"
        )
    return _file_url(rest) if backend == "sqlite" else _server_url(rest)


def _begins(scheme: str) -> str:
    return f"{scheme}://" if scheme.replace("+", "").isalnum() and len(scheme) <= 40 else "with another scheme"


def _file_url(rest: str) -> str:
    """A SQLite URL with an absolute path: each connection, of any process, must find the same file."""
    path = rest.removeprefix("/")
    if rest in ("", "/") or ":memory:" in path:
        raise DatabaseRefused(f"DATABASE_URL names a database in memory, which is gone with its process: {WANTED}")
    if not rest.startswith("/"):
        raise DatabaseRefused(f"DATABASE_URL names a host, but SQLite has none: {WANTED}")
    if "?" in path or path.startswith("file:"):
        raise DatabaseRefused(f"DATABASE_URL has options, but a SQLite file takes none here: {WANTED}")
    try:
        file = Path(unquote(path)).expanduser().absolute()
        is_folder = file.is_dir() or path.endswith("/")
    except (OSError, RuntimeError, ValueError) as error:
        raise DatabaseRefused(f"DATABASE_URL names an impossible path: {error}: {WANTED}") from None
    if is_folder:
        raise DatabaseRefused(f"DATABASE_URL names the folder {file}, not a file: {WANTED}")
    return file_url(file)


def _server_url(rest: str) -> str:
    """A PostgreSQL URL that can be parsed in one way only."""
    url = f"postgresql+psycopg2://{rest}"
    try:
        parts = make_url(url)
        PGDialect_psycopg2().create_connect_args(parts)  # parses ports among the options, too
    except (SQLAlchemyError, ValueError):
        parts = None
    if parts is None or "@" in f"{parts.host}{parts.database}":
        raise DatabaseRefused(
            "DATABASE_URL has a port that is not a number, or characters in its user or password that must be "
            f"escaped (@ as %40, : as %3A, / as %2F, ? as %3F): {WANTED}"
        )
    if parts.port is not None and not 1 <= parts.port <= 65535:
        raise DatabaseRefused(f"DATABASE_URL's port is {str(parts.port)[:20]}: 1 to 65535 is wanted, 5432 as a rule")
    return url
