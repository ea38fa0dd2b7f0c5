"""Databases for tests: a real PostgreSQL and SQLite files; each test gets a fresh copy of a migrated template."""

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from tests.support.compiled import share_compiled_statements
from tests.support.postgres import Server, ServerMissing

# A busy machine is no failure, and two runs of the same tree try the same examples.
settings.register_profile("tests", deadline=None, derandomize=True)
settings.load_profile("tests")
share_compiled_statements()

LONGEST = (
    "splitcart_spiders/test_exit_codes.py",
    "splitcart_spiders/spiders/test_faults.py",
    "splitcart_spiders/extensions/test_sightings.py",
    "splitcart_spiders/spiders/test_truth.py",
    "splitcart_spiders/extensions/test_lease.py",
    "models/prices/test_days.py",
    "splitcart/cart/test_oracles.py",
    "splitcart_spiders/sessions/test_browser.py",
    "splitcart_spiders/downloads/test_tls.py",
    "chaos/test_chaos.py",
    "test_scrapyd.py",
)
"""Files that begin first: a file stays with one worker, and the other would wait for a long one that began last."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    tests = Path(__file__).parent
    turns = {tests / name: turn for turn, name in enumerate(LONGEST)}
    items.sort(key=lambda item: turns.get(item.path, len(turns)))


def _migrate(url: str) -> None:
    from models.database import engine as engines

    engine = engines.create(url)
    try:
        engines.migrate(engine)
    finally:
        engine.dispose()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """The session's server. A missing one fails the tests that need it, naming the remedy."""
    try:
        server = Server(in_memory=True).__enter__()
    except ServerMissing as missing:
        pytest.fail(str(missing), pytrace=False)
    try:
        yield server
    finally:
        server.__exit__(None, None, None)


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Server) -> Iterator[str]:
    """The name of a migrated database that nobody is connected to."""
    name = postgres_server.create_database()
    try:
        _migrate(postgres_server.url(name))
        yield name
    finally:
        postgres_server.drop_database(name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file whose write-ahead log is folded in."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def postgres_url(postgres_server: Server, postgres_template: str) -> Iterator[str]:
    """A fresh, migrated PostgreSQL database."""
    name = postgres_server.create_database(postgres_template)
    try:
        yield postgres_server.url(name)
    finally:
        postgres_server.drop_database(name)


@pytest.fixture
def empty_postgres_url(postgres_server: Server) -> Iterator[str]:
    """A fresh PostgreSQL database without tables."""
    name = postgres_server.create_database()
    try:
        yield postgres_server.url(name)
    finally:
        postgres_server.drop_database(name)


@pytest.fixture
def latin1_url(postgres_server: Server) -> Iterator[str]:
    """An empty PostgreSQL database that can keep western letters only."""
    yield from _encoded(postgres_server, "LATIN1")


@pytest.fixture
def ascii_url(postgres_server: Server) -> Iterator[str]:
    """An empty PostgreSQL database that takes any bytes for letters."""
    yield from _encoded(postgres_server, "SQL_ASCII")


def _encoded(server: Server, encoding: str) -> Iterator[str]:
    name = f"splitcart_{uuid.uuid4().hex[:16]}"
    server.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    try:
        yield server.url(name)
    finally:
        server.drop_database(name)


@pytest.fixture
def guest_url(postgres_server: Server, postgres_url: str) -> Iterator[str]:
    """A role that may read and write every table, but not make temporary ones: the URL with which it connects."""
    from models.database import engine as engines

    role = f"guest_{uuid.uuid4().hex[:8]}"
    database = make_url(postgres_url).database
    postgres_server.execute(f"CREATE ROLE {role} LOGIN")
    postgres_server.execute(f'REVOKE TEMPORARY ON DATABASE "{database}" FROM PUBLIC')
    admin = engines.create(postgres_url)
    with admin.begin() as connection:
        for what in ("TABLES", "SEQUENCES"):
            connection.exec_driver_sql(f"GRANT ALL ON ALL {what} IN SCHEMA public TO {role}")
    yield make_url(postgres_url).set(username=role).render_as_string(hide_password=False)
    with admin.begin() as connection:
        connection.exec_driver_sql(f"DROP OWNED BY {role}")
    admin.dispose()
    postgres_server.execute(f"DROP ROLE {role}")


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A fresh, migrated SQLite file."""
    path = tmp_path / "splitcart.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Each database in turn: a test on this fixture holds its promise on both."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on a fresh, migrated database."""
    from models.database import engine as engines

    created = engines.create(database_url)
    try:
        yield created
    finally:
        created.dispose()
