"""The schema that migrations make is the schema the code is written for, on both databases, from an egg too."""

import os
import subprocess
import sys
import zipfile
from itertools import chain
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from models.database import engine as engines
from models.database import migrator
from models.errors import SchemaMismatch
from models.tables import metadata

ROOT = Path(engines.__file__).parents[2]
PG_SHAPE = """
    SELECT 'column', table_name, column_name,
        data_type || coalesce(column_default, '') || is_nullable || ordinal_position
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT 'table', relname, relpersistence::text, coalesce(reloptions::text, '')
    FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1, 2, 3, 4"""
SQLITE_SHAPE = "SELECT type, tbl_name, name, sql FROM sqlite_master ORDER BY 1, 2, 3"


def shape(engine: Engine) -> list[tuple[str, ...]]:
    sql = SQLITE_SHAPE if engine.dialect.name == "sqlite" else PG_SHAPE
    with engine.connect() as connection:
        rows = connection.execute(text(sql)).all()
    return [tuple(" ".join(str(value).split()) for value in row) for row in rows if "alembic_version" not in row[1]]


def test_schema_revision_is_alembics_head() -> None:
    assert migrator.head() == engines.SCHEMA_REVISION


def test_migrated_sqlite_is_the_metadata(sqlite_url: str, tmp_path: Path) -> None:
    plain = create_engine(f"sqlite:///{tmp_path}/plain.db")
    metadata.create_all(plain)
    assert shape(engines.create(sqlite_url)) == shape(plain)


def test_migrated_postgresql_is_the_metadata(postgres_url: str, empty_postgres_url: str) -> None:
    plain = create_engine(empty_postgres_url)
    metadata.create_all(plain)
    made = engines.create(postgres_url)
    assert shape(made) == shape(plain)
    assert ("table", "staged_items", "u", "") in [(*row[:3], "") for row in shape(made)]
    plain.dispose()
    made.dispose()


def test_a_new_sqlite_file_is_created_and_migrated_on_first_use(tmp_path: Path) -> None:
    engine = engines.create(f"sqlite:///{tmp_path}/deep/er/new.db")
    engines.check_schema(engine)


def test_another_schema_is_refused_with_its_remedy(engine: Engine) -> None:
    engines.check_schema(engine)
    for other, remedy in (("0000", "migrate.py"), ("9999", "update this checkout")):
        with engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": other})
        with pytest.raises(SchemaMismatch, match=remedy):
            engines.check_schema(engine)


def test_a_postgresql_without_schema_is_refused_not_migrated(empty_postgres_url: str) -> None:
    engine = engines.create(empty_postgres_url)
    with pytest.raises(SchemaMismatch, match=r"missing.*migrate\.py"):
        engines.check_schema(engine)
    engine.dispose()


def test_migrations_run_from_a_zipped_egg(tmp_path: Path) -> None:
    egg = tmp_path / "splitcart.egg"
    with zipfile.ZipFile(egg, "w") as packed:
        for path in chain((ROOT / "models").rglob("*"), (ROOT / "splitcart").rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                packed.write(path, path.relative_to(ROOT))
    code = (
        "import models; assert '.egg' in models.__file__; from models.database import engine;"
        f"engine.check_schema(engine.create('sqlite:///{tmp_path}/egg.db'))"
    )
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"PYTHONPATH": str(egg)}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, env=environ)


def test_urls_name_their_driver_and_an_absolute_file() -> None:
    assert engines.normalise("postgresql://h/d") == "postgresql+psycopg2://h/d"
    assert engines.normalise("postgres://h/d") == "postgresql+psycopg2://h/d"
    assert engines.normalise("sqlite:///some.db") == f"sqlite:///{Path.cwd()}/some.db"
    assert engines.url_from({"HOME": "/home/x"}) == "sqlite:////home/x/.local/share/splitcart/splitcart.db"
    assert engines.url_from({"DATABASE_URL": "postgresql://h/d"}) == "postgresql+psycopg2://h/d"
    with pytest.raises(ValueError, match="is not a URL"):
        engines.normalise("some.db")
