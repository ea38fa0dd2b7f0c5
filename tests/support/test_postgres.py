import subprocess
import sys
import time
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import create_engine, text

from tests.support import postgres
from tests.support.postgres import Server, ServerMissing
from tests.support.tree import ROOT


def _count(url):
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return connection.execute(text("SELECT count(*) FROM things")).scalar_one()
    finally:
        engine.dispose()


def test_a_copy_of_a_template_is_a_database_of_its_own(postgres_server):
    template = postgres_server.create_database()
    engine = create_engine(postgres_server.url(template))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE things (id integer)"))
    engine.dispose()
    first, second = (postgres_server.create_database(template) for _ in range(2))
    engine = create_engine(postgres_server.url(first))
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO things VALUES (1)"))
    engine.dispose()
    assert _count(postgres_server.url(first)) == 1
    assert _count(postgres_server.url(second)) == 0
    for name in (first, second, template):
        postgres_server.drop_database(name)


def test_a_missing_server_names_the_remedy(monkeypatch, tmp_path):
    monkeypatch.setattr(postgres, "_candidates", lambda: iter(()))
    monkeypatch.setattr(postgres, "_wheel", lambda: None)
    with pytest.raises(ServerMissing, match="make setup"):
        postgres.find_binaries(tmp_path)


def test_the_wheels_server_starts_where_nothing_else_is_installed(monkeypatch):
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    monkeypatch.setattr(postgres, "_candidates", lambda: iter(()))
    with Server() as server:
        home = server._home
        before = server.create_database()
        server.restart()
        psycopg2.connect(server.url(before).replace("+psycopg2", "")).close()
    assert not home.exists()


def test_a_killed_test_run_leaves_no_server(monkeypatch):
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    code = (
        "from tests.support.postgres import Server\nimport sys\n"
        "with Server(in_memory=True) as s:\n    print(s._process.pid, s._data, flush=True)\n    sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    pid, data = child.stdout.readline().split()
    child.kill()
    child.communicate()
    deadline = time.monotonic() + 60
    while Path(data, "postmaster.pid").exists() and postgres._alive(int(pid)):
        assert time.monotonic() < deadline, "the server outlived its test run"
        time.sleep(0.02)
    with Server():
        assert not Path(data).parent.exists()
