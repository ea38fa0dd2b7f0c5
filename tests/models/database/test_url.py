"""DATABASE_URL in one form, or refused with the remedy before anything is opened, and no part of it repeated."""

from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from models.database import engine as engines
from models.database.url import normalise, url_from
from models.errors import DatabaseRefused


@pytest.mark.parametrize(
    "url",
    ["sqlite:///relative.db", "sqlite+pysqlite:///relative.db", "SQLite:///./relative.db", " sqlite:///relative.db "],
)
def test_a_relative_sqlite_path_is_absolute_however_the_driver_is_named(url):
    assert normalise(url) == f"sqlite:///{Path.cwd()}/relative.db"


@pytest.mark.parametrize("url", ["postgres://h/d", "postgresql://h/d", "PostgreSQL+psycopg2://h/d"])
def test_a_postgresql_url_names_its_driver(url):
    assert normalise(url) == "postgresql+psycopg2://h/d"


@pytest.mark.parametrize("name", ["a b.db", "50%.db", "a%20b.db", "what?.db", "a@b:c.db", "ü#.db"])
def test_a_sqlite_file_may_have_any_name(name, tmp_path):
    url = normalise(engines.file_url(tmp_path / name))
    assert make_url(url).database == str(tmp_path / name)
    assert normalise(url) == url
    engines.create(url).dispose()
    assert (tmp_path / name).is_file()


def test_the_default_is_a_file_in_the_users_data_folder():
    assert url_from({"HOME": "/home/x"}) == "sqlite:////home/x/.local/share/splitcart/splitcart.db"
    assert url_from({"XDG_DATA_HOME": "/data", "HOME": "/home/x"}) == "sqlite:////data/splitcart/splitcart.db"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("some.db", "it has no ://"),
        ("://h", "not a supported database"),
        ("mysql://u:hunter2@h/d", "begins mysql://, which is not a supported database"),
        ("u:hunter2@h://d", "begins with another scheme"),
        ("sqlite://", "a database in memory"),
        ("sqlite:///", "a database in memory"),
        ("sqlite:///:memory:", "a database in memory"),
        ("sqlite+pysqlite:///:memory:", "a database in memory"),
        ("sqlite:///file:x?mode=memory&uri=true", "takes none here"),
        ("sqlite:///file:x.db", "takes none here"),
        ("sqlite:////tmp/x.db?cache=shared", "takes none here"),
        ("sqlite:////tmp/x.db?password=hunter2", "takes none here"),
        ("sqlite://relative.db", "SQLite has none"),
        ("sqlite:////tmp", "names the folder /tmp"),
        ("sqlite:////tmp/", "names the folder /tmp"),
        ("sqlite:///~nobody_of_this_name/x.db", "names an impossible path"),
        ("sqlite:////tmp/%00.db", "has a control character"),
        ("sqlite:////tmp/\x1b[31m.db", "has a control character"),
        ("sqlite+aiosqlite:///x.db", "the driver here is pysqlite: write sqlite://"),
        ("postgresql+asyncpg://u:hunter2@h/d", "the driver here is psycopg2: write postgresql://"),
        ("postgresql+psycopg://h/d", "the driver here is psycopg2: write postgresql://"),
        ("postgresql://h:port/d", "a port that is not a number"),
        ("postgresql://u:hunter2/d", "a port that is not a number"),
        ("postgresql://u:p@hunter2@h/d", "must be escaped"),
        ("postgresql://u:p@a/hunter2@h/d", "must be escaped"),
        ("postgresql://h/d?port=hunter2", "a port that is not a number"),
        ("postgresql://h/d?host=a:1&host=b:hunter2", "a port that is not a number"),
        ("postgresql://h:5432x/d", "a port that is not a number"),
        ("postgresql://h:" + "9" * 5000 + "/d", "a port that is not a number"),
        ("postgresql://h:0/d", "port is 0: 1 to 65535 is wanted"),
        ("postgresql://h:65536/d", "port is 65536: 1 to 65535 is wanted"),
        ("postgresql://u:hunter2%00@h/d", "has a control character"),
    ],
)
def test_a_url_that_cannot_serve_is_refused_with_the_remedy_and_without_a_secret(url, why):
    with pytest.raises(DatabaseRefused) as refused:
        normalise(url)
    assert why in str(refused.value)
    assert "hunter2" not in str(refused.value)
    assert (
        "write sqlite://" in str(refused.value)
        or "as a rule" in str(refused.value)
        or "write postgresql://" in str(refused.value)
    )
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


@pytest.mark.parametrize("where", ["README.md", "no/folder/can/be/here"])
def test_a_file_that_is_not_a_database_is_refused(where, tmp_path):
    (tmp_path / "README.md").write_text("# A text that is long enough to be no database header\n" * 50)
    (tmp_path / "no").write_text("a file")
    with pytest.raises(DatabaseRefused, match=r"cannot be a SQLite database \(.+\): check DATABASE_URL"):
        engines.create(f"sqlite:///{tmp_path}/{where}")
