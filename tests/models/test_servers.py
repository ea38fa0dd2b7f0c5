"""A PostgreSQL database, a role or a URL that cannot serve is refused before any work, with the remedy."""

import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy.engine import make_url

from models import engine as engines
from models.errors import DatabaseRefused


@pytest.fixture(params=["LATIN1", "SQL_ASCII"])
def other_encoding(request, postgres_server) -> Iterator[str]:
    """An empty database that cannot keep every text."""
    name = f"splitcart_{uuid.uuid4().hex[:16]}"
    encoded = f"ENCODING '{request.param}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    postgres_server.execute(f"CREATE DATABASE {name} {encoded}")
    yield postgres_server.url(name)
    postgres_server.drop_database(name)


@pytest.fixture
def guest(postgres_server, postgres_url) -> Iterator[str]:
    """A role that may read and write every table, but not make temporary ones: the URL with which it connects."""
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


def refusal(url: str, **options) -> str:
    engine = engines.create(url)
    try:
        with pytest.raises(DatabaseRefused) as refused:
            engines.check_schema(engine, **options)
        return str(refused.value)
    finally:
        engine.dispose()


def test_a_database_of_another_encoding_is_refused_before_it_is_migrated(other_encoding):
    assert "createdb -T template0 -E UTF8" in refusal(other_encoding)
    engine = engines.create(other_encoding)
    with pytest.raises(DatabaseRefused, match="which cannot keep every name"):
        engines.migrate(engine)
    assert engines.revision(engine) is None
    engine.dispose()


@pytest.mark.parametrize("writes", [True, False])
def test_a_role_without_temporary_tables_is_refused_with_the_grant(guest, writes):
    told = refusal(guest, writes=writes)
    assert f'GRANT TEMPORARY ON DATABASE "{make_url(guest).database}" TO "{make_url(guest).username}"' in told


def test_a_role_that_may_not_write_a_table_is_refused_for_work_that_writes(guest, postgres_url, postgres_server):
    role, database = make_url(guest).username, make_url(guest).database
    postgres_server.execute(f'GRANT TEMPORARY ON DATABASE "{database}" TO {role}')
    admin = engines.create(postgres_url)
    with admin.begin() as connection:
        connection.exec_driver_sql(f"REVOKE INSERT ON price_changes FROM {role}")
    assert f"the role {role} may not write price_changes" in refusal(guest)
    reader = engines.create(guest)
    engines.check_schema(reader, writes=False)
    with admin.begin() as connection:
        connection.exec_driver_sql(f"GRANT INSERT ON price_changes TO {role}")
    engines.check_schema(reader)
    for engine in (reader, admin):
        engine.dispose()


def test_a_role_whose_transactions_are_read_only_is_refused_for_work_that_writes(guest, postgres_server):
    role, database = make_url(guest).username, make_url(guest).database
    postgres_server.execute(f'GRANT TEMPORARY ON DATABASE "{database}" TO {role}')
    postgres_server.execute(f"ALTER ROLE {role} SET default_transaction_read_only = on")
    assert "is read-only" in refusal(guest)


@pytest.mark.parametrize(
    "option", ["passwrd=hunter2", "PASSWORD=hunter2", "connect_timeout=x", "sslmode=x", "target_session_attrs=x"]
)
def test_an_option_that_the_driver_refuses_is_a_refusal_without_a_secret(option):
    told = refusal(f"postgresql://u:hunter3@127.0.0.1:1/d?{option}")
    assert "DATABASE_URL cannot be meant: " in told
    assert "hunter" not in told


def test_a_server_that_does_not_answer_is_named_without_its_password():
    engine = engines.create("postgresql://u:hunter2@127.0.0.1:1/d?sslpassword=hunter3&options=-c%20a.b%3Dhunter4")
    with pytest.raises(ConnectionError, match=r"cannot read the database at .*u:\*\*\*@127\.0\.0\.1:1/d") as told:
        engines.check_schema(engine)
    assert "hunter" not in f"{told.value}{told.value.__cause__}"
    engine.dispose()
