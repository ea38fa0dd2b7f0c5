"""A PostgreSQL database, a role or a URL that cannot serve is refused before any work, with the remedy."""

import pytest
from sqlalchemy.engine import make_url

from models.database import engine as engines
from models.errors import DatabaseRefused


def refusal(url: str, **options) -> str:
    engine = engines.create(url)
    try:
        with pytest.raises(DatabaseRefused) as refused:
            engines.check_schema(engine, **options)
        return str(refused.value)
    finally:
        engine.dispose()


@pytest.mark.parametrize("kind", ["latin1_url", "ascii_url"])
def test_a_database_of_another_encoding_is_refused_before_it_is_migrated(kind, request):
    url = request.getfixturevalue(kind)
    assert "createdb -T template0 -E UTF8" in refusal(url)
    engine = engines.create(url)
    with pytest.raises(DatabaseRefused, match="which cannot keep every name"):
        engines.migrate(engine)
    assert engines.revision(engine) is None
    engine.dispose()


@pytest.mark.parametrize("writes", [True, False])
def test_a_role_without_temporary_tables_is_refused_with_the_grant(guest_url, writes):
    message = refusal(guest_url, writes=writes)
    assert (
        f'GRANT TEMPORARY ON DATABASE "{make_url(guest_url).database}" TO "{make_url(guest_url).username}"' in message
    )


def test_a_role_that_may_not_write_a_table_is_refused_for_work_that_writes(guest_url, postgres_url, postgres_server):
    role, database = make_url(guest_url).username, make_url(guest_url).database
    postgres_server.execute(f'GRANT TEMPORARY ON DATABASE "{database}" TO {role}')
    admin = engines.create(postgres_url)
    with admin.begin() as connection:
        connection.exec_driver_sql(f"REVOKE INSERT ON price_changes FROM {role}")
    assert f"the role {role} may not write price_changes" in refusal(guest_url)
    reader = engines.create(guest_url)
    engines.check_schema(reader, writes=False)
    with admin.begin() as connection:
        connection.exec_driver_sql(f"GRANT INSERT ON price_changes TO {role}")
        connection.exec_driver_sql(f"REVOKE ALL ON SEQUENCE crawl_runs_id_seq FROM {role}")
    assert f"the role {role} may not write crawl_runs_id_seq" in refusal(guest_url)
    with admin.begin() as connection:
        connection.exec_driver_sql(f"GRANT USAGE ON SEQUENCE crawl_runs_id_seq TO {role}")
    engines.check_schema(reader)
    for engine in (reader, admin):
        engine.dispose()


def test_a_role_whose_transactions_are_read_only_is_refused_for_work_that_writes(guest_url, postgres_server):
    role, database = make_url(guest_url).username, make_url(guest_url).database
    postgres_server.execute(f'GRANT TEMPORARY ON DATABASE "{database}" TO {role}')
    postgres_server.execute(f"ALTER ROLE {role} SET default_transaction_read_only = on")
    assert "is read-only" in refusal(guest_url)


@pytest.mark.parametrize(
    "option", ["passwrd=hunter2", "PASSWORD=hunter2", "connect_timeout=x", "sslmode=x", "target_session_attrs=x"]
)
def test_an_option_that_the_driver_refuses_is_a_refusal_without_a_secret(option):
    message = refusal(f"postgresql://u:hunter3@127.0.0.1:1/d?{option}")
    assert "DATABASE_URL is not usable: " in message
    assert "hunter" not in message


def test_a_server_that_does_not_answer_is_named_without_its_password():
    engine = engines.create("postgresql://u:hunter2@127.0.0.1:1/d?sslpassword=hunter3&options=-c%20a.b%3Dhunter4")
    with pytest.raises(ConnectionError, match=r"cannot read the database at .*u:\*\*\*@127\.0\.0\.1:1/d") as caught:
        engines.check_schema(engine)
    assert "hunter" not in f"{caught.value}{caught.value.__cause__}"
    engine.dispose()
