"""What scripts and a crawl print: outside text as text, and no secret of DATABASE_URL, whatever goes wrong."""

import json
import subprocess
import sys
import traceback
import unicodedata
from pathlib import Path

import check_database
import merge_groups
import migrate
import price_history
import prune
import psycopg2
import pytest
import reset_groups
import rollback_run
from _demo.report import Report
from rich.console import Console
from sqlalchemy import Engine, text

import demo
from models.database import engine as engines
from sandbox.server import SandboxServer
from sandbox.world import World
from tests.support import processes
from tests.support.storage import crawl, day, query, row
from tests.support.tree import ROOT

HOSTILE = "[/] [bold]Milk[/bold] \x1b[31m\x9b2J\x07\u202e[link=http://x]y :boom: \\"
SHOWN = r"[/] [bold]Milk[/bold] \x1b[31m\x9b2J\x07\u202e[link=http://x]y :boom: "
SECRETS = ("hunter2", "hunter3", "hunter4")


def unsafe(shown: str) -> set[str]:
    """The characters of an output that a terminal would obey."""
    return {sign for sign in shown if sign != "\n" and unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}


@pytest.fixture
def hostile(engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Two stores whose every text came from an attacker, in the database that DATABASE_URL names."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "400")
    for store in ("1", "2"):
        crawl(engine, [row(1, 100, name=HOSTILE, was_price_cents=150), row(2, 200, name=HOSTILE)], store=store)
        crawl(engine, [row(1, 90, name=HOSTILE, was_price_cents=150)], store=store, now=day(1))
    with engine.begin() as connection:
        for table, column in (
            ("companies", "name"),
            ("listings", "name"),
            ("listings", "size"),
            ("stores", "store_name"),
        ):
            connection.execute(text(f"UPDATE {table} SET {column} = :hostile"), {"hostile": HOSTILE})
        connection.execute(text("UPDATE stores SET store_code = :hostile WHERE store_code = '2'"), {"hostile": HOSTILE})
        connection.execute(text("UPDATE listings SET sku = :hostile WHERE sku = '2'"), {"hostile": HOSTILE})
    return engine


SHOWING = [
    (price_history, ["--company", "woolworths", "--sku", "1"], 0),
    (price_history, ["--company", "woolworths", "--sku", "1", "--chart"], 0),
    (merge_groups, ["--dry-run", "--explain", "1", "--fresh-hours", "100000"], 0),
    (merge_groups, ["--company", "spar"], 1),
    (reset_groups, [], 0),
    (rollback_run, ["2", "--dry-run"], 0),
    (prune, [], 0),
    (migrate, ["--check"], 0),
    (check_database, [], 1),
]


@pytest.mark.parametrize(("script", "arguments", "code"), SHOWING)
def test_text_from_a_storefront_is_shown_and_never_obeyed(hostile, script, arguments, code, capsys):
    assert script.main(arguments) == code
    out, err = capsys.readouterr()
    assert unsafe(out + err) == set()
    if script is reset_groups or "--sku" in arguments[:3]:
        assert r"\x1b[31m" in out


def test_a_table_shows_markup_as_it_was_sent(hostile, capsys, monkeypatch):
    monkeypatch.setattr(price_history, "console", lambda: Console(width=600))
    assert price_history.main(["--company", "woolworths", "--sku", "1"]) == 0
    assert SHOWN in capsys.readouterr().out


def test_broken_promises_of_hostile_rows_are_shown_and_never_obeyed(hostile, capsys):
    with hostile.begin() as connection:
        connection.execute(text("UPDATE prices SET price_cents = 1"))
        connection.execute(text("DELETE FROM membership_periods"))
    assert check_database.main([]) == 1
    assert unsafe(capsys.readouterr().out) == set()


def test_json_keeps_hostile_text_exactly(hostile, capsys):
    assert price_history.main(["--company", "woolworths", "--sku", "1", "--json"]) == 0
    out = capsys.readouterr().out
    assert unsafe(out) == set()
    assert {one["name"] for one in json.loads(out)} == {HOSTILE}
    assert {one["store_id"] for one in json.loads(out)} == {"1", HOSTILE}
    assert reset_groups.main(["--json"]) == 0
    assert list(json.loads(capsys.readouterr().out)["stores_reset"]) == [HOSTILE]


def test_the_demo_shows_hostile_names_and_never_obeys_them(hostile, database_url):
    console = Console(record=True, width=600, file=open("/dev/null", "w"))  # noqa: SIM115
    report = Report(database_url, World(products=20))
    keys = [("woolworths", "1")]
    report.show_specials(console, keys)
    report.show_stores(console, keys, {keys[0]: 1.0})
    report.show_drops(console, keys)
    report.show_soundness(console)
    report.engine.dispose()
    console.file.close()
    shown = console.export_text()
    assert SHOWN[:50] in shown
    assert unsafe(shown) == set()


def test_the_demo_shows_a_failed_crawl_of_a_hostile_store_and_its_log(tmp_path):
    world = World(products=20)
    job = demo.Job("woolworths", world.stores("woolworths")[0].store_code, HOSTILE, tmp_path / "logs" / "crawl.log")
    console = Console(record=True, width=600, file=open("/dev/null", "w"))  # noqa: SIM115
    report = Report(demo.fresh(tmp_path), world)
    with SandboxServer(world) as sandbox:
        sandbox.faults.add("block")
        demo.crawl_all([job], report, sandbox.url, console)
    job.log.write_text(f"{HOSTILE}\n")
    assert demo.failures([job], report, console) == 1
    console.file.close()
    shown = console.export_text()
    assert shown.count(SHOWN) == 2
    assert unsafe(shown) == set()


def secretive(url: str) -> str:
    """The URL of a server that trusts us, with secrets at every place that may have one."""
    place, _, options = url.replace("splitcart@", "splitcart:hunter2@").partition("?")
    return f"{place}?{options}&password=hunter3&sslpassword=hunter4&options=-c%20application_name%3Dhunter4"


BROKEN = [
    "postgresql://u:hunter2@127.0.0.1:1/d?password=hunter3&sslpassword=hunter4",
    "postgresql://u:hunter2@127.0.0.1:1/d?pas%73word=hunter3&PASSFILE=/hunter4",
    "postgresql://u:hunter2@no-such-host.invalid/d?passfile=/hunter3/x",
    "postgresql://u:p@hunter2@127.0.0.1:1/d",
    "postgresql://u:hunter2/d",
    "postgresql://u:x%40hunter2%2F@127.0.0.1:1/d?dbname=host%3D127.0.0.1%20port%3D1%20password%3Dhunter3",
    "postgresql+asyncpg://u:hunter2@h/d?password=hunter3",
    "mysql://u:hunter2@h/d?password=hunter3",
]


@pytest.mark.parametrize("url", ["secretive", *BROKEN])
def test_no_script_prints_a_secret(url, request, capsys, monkeypatch):
    monkeypatch.setenv(
        "DATABASE_URL", secretive(request.getfixturevalue("postgres_url")) if url == "secretive" else url
    )
    for script, arguments in (
        (check_database, []), (migrate, []), (migrate, ["--check"]), (prune, []), (rollback_run, ["1"]),
        (merge_groups, []), (reset_groups, []), (price_history, ["--gtin", "1"]),
    ):  # fmt: skip
        code = script.main(arguments)
        assert code in ((0, 1) if url == "secretive" else (1, 2))
        out, err = capsys.readouterr()
        assert out + err
        assert not [secret for secret in SECRETS if secret in out + err]


@pytest.mark.parametrize("url", ["secretive", *BROKEN])
@pytest.mark.parametrize("level", ["DEBUG"])
def test_no_crawl_prints_a_secret(url, level, request, tmp_path):
    wanted = url == "secretive"
    database = secretive(request.getfixturevalue("postgres_url")) if wanted else url
    world = World(seed=3, products=20, stores=1)
    with SandboxServer(world) as server:
        store = world.stores("iga")[0].store_code
        options = ("-a", f"store={store}", "-a", "dev=1", "-s", f"LOG_LEVEL={level}")
        crawl = processes.start("iga", *options, log=tmp_path / "log", database=database, sandbox=server.url)
        assert crawl.code() == (0 if wanted else 1)
        assert bool(server.log) == wanted
    assert not [secret for secret in SECRETS if secret in crawl.log]
    if not wanted:
        assert "Traceback" not in crawl.log
        assert "DATABASE_URL" in crawl.log or "127.0.0.1" in crawl.log or "no-such-host" in crawl.log


def test_no_traceback_repeats_what_the_driver_was_given(monkeypatch):
    def refuse(*_, **options):
        raise psycopg2.OperationalError(f"cannot connect with {options} or dsn password={options.get('password')}")

    engine = engines.create("postgresql://u:hunter%322@127.0.0.1:1/d?sslpassword=hunter3")
    monkeypatch.setattr(psycopg2, "connect", refuse)
    with pytest.raises(ConnectionError) as refused:
        engines.check_schema(engine)
    shown = "".join(traceback.format_exception(refused.value))
    assert "cannot connect with" in shown
    assert "hunter" not in shown.replace("hunter%322", "").replace("sslpassword=hunter3", "")
    engine.dispose()


def test_a_crawl_logs_what_a_site_sends_as_text_with_its_tracebacks(tmp_path):
    code = (
        "import logging, sys; sys.path.insert(0, sys.argv[1])\n"
        "from splitcart_spiders.extensions import safe_log\n"
        "safe_log.install('postgresql://u:hunter2@h/d')\n"
        "logging.basicConfig()\n"
        "hostile = '\\x1b[31m\\x9b\\u202e password=hunter3 '\n"
        "logging.error('%s hunter2', hostile)\n"
        "try:\n"
        "    raise ValueError(hostile + 'hunter2')\n"
        "except ValueError:\n"
        "    logging.exception('failed', stack_info=True)\n"
        "logging.error('x' * 100_000)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(ROOT)], capture_output=True, text=True, timeout=60)
    assert done.stderr.count(r"\x1b[31m\x9b\u202e") == 2
    assert "Traceback" in done.stderr
    assert unsafe(done.stderr) == set()
    assert "hunter2" not in done.stderr
    assert "hunter3" not in done.stderr
    assert len(done.stderr) < 30_000


def test_only_the_shared_helpers_print():
    """A bare print or a console of one's own lets markup and control characters through."""
    allowed = {"replay.py": 1}
    for path in Path(ROOT / "scripts").glob("[!_]*.py"):
        assert path.read_text().count(" print(") == allowed.get(path.name, 0), path


def test_a_run_that_could_not_be_opened_keeps_no_secret(postgres_url, tmp_path):
    engine = engines.create(secretive(postgres_url))
    assert "hunter" not in repr(query(engine, "SELECT * FROM crawl_runs"))
    engine.dispose()
