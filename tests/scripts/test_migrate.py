import migrate
import pytest
from sqlalchemy import create_engine, text

from models.database import engine as engines
from models.errors import SchemaMismatch


def test_an_empty_postgres_is_migrated_and_then_left_alone(empty_postgres_url):
    with pytest.raises(SchemaMismatch, match=r"scripts/migrate\.py"):
        migrate.migrate(empty_postgres_url, check=True)
    assert "from no schema to" in migrate.migrate(empty_postgres_url, check=False)
    assert "is at revision" in migrate.migrate(empty_postgres_url, check=False)
    assert engines.SCHEMA_REVISION in migrate.migrate(empty_postgres_url, check=True)


def test_a_newer_schema_is_refused_with_the_remedy(postgres_url, monkeypatch, capsys):
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    assert migrate.main(["--check"]) == 1
    assert "newer code" in capsys.readouterr().err


def test_a_database_that_does_not_answer_is_an_error_without_a_traceback(monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/none")
    assert migrate.main([]) == 1
    error = capsys.readouterr().err
    assert "127.0.0.1" in error
    assert "secret" not in error


def test_a_check_of_no_database_makes_none(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/new/splitcart.db")
    assert migrate.main(["--check"]) == 1
    assert "there is no database at" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert migrate.main([]) == 0
    assert migrate.main(["--check"]) == 0
