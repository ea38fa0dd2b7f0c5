"""What all scripts have in common: exit codes, --json, and errors of one line, for any arguments."""

import importlib.util
import json
import logging
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from _support import output
from _support.command import KNOWN, Refused, integer, parser, run, within, word

from models.errors import DatabaseRefused
from tests.support.tree import ROOT

SCRIPTS = sorted(path.stem for path in (ROOT / "scripts").glob("[!_]*.py"))
GTIN = "9300605123454"
ON_A_DATABASE = {
    "check_database": [], "merge_groups": [], "migrate": ["--check"], "reset_groups": [], "prune": [],
    "rollback_run": ["1"], "price_history": ["--gtin", GTIN], "next_store": ["--company=aldi"], "inspect_stores": [],
    "forget_fulfilment": ["--company=aldi", "--store=1"], "inspect_runs": [], "clear_schedule": ["--company=aldi"],
    "build_price_slots": [], "find_products": ["milk"],
}  # fmt: skip
LONG = "9" * 5000
EVERYWHERE = [
    ["--no-such"], ["--no-such=\x1b[31m"], ["extra", "\x1b[31mred", "more"], ["--", "--json", "x"], ["-x"],
    ["--json=1"], ["--help=x"], [f"--{LONG}"], [f"-{LONG}"], ["--\u202e"], ["--=", "="], ["--company"], ["--limit=1e9"],
    ["--store="], ["--\udcff"], ["-\x9b"], ["--json", "--", "", "", ""], ["--day=nan"], ["---"], ["-0x1"],
]  # fmt: skip
NONSENSE = {
    "check_database": [["--json=1"], ["x"]],
    "migrate": [["--check=1"], ["head"]],
    "prune": [[f"--{name}-days={n}"] for name in ("staging", "quarantine") for n in ("x", "-1", "nan", "inf", LONG)],
    "rollback_run": [[], ["x"], ["0"], ["-1"], ["1.5"], [LONG], ["\u0661"], ["1", "2"]],
    "merge_groups": [
        ["--threshold=x"], ["--threshold=98"], [f"--threshold={LONG}"], ["--threshold=1e999999999"],
        ["--threshold=0/0"], ["--fresh-hours=x"], ["--fresh-hours=-1"], [f"--fresh-hours={LONG}"],
        ["--company="], [f"--company={LONG}"],
        ["--company=\x1b[31m"], ["--explain=\udcff"], ["--explain="],
    ],
    "reset_groups": [["--company="], [f"--company={LONG}"], ["--company=\x9b"], ["--company", "a\nb"]],
    "price_history": [
        [], ["--gtin="], ["--gtin=93x"], [f"--gtin={LONG}"], ["--gtin=-1"], ["--gtin=\u0663"], ["--company=aldi"],
        ["--sku=1"], ["--company=aldi", "--sku="], ["--company=aldi", "--sku=\x1b"], ["--gtin=1", "--store="],
        ["--gtin=1", f"--store={LONG}"], ["--gtin=1", "--json", "--chart"],
    ],
    "build_price_slots": [
        ["--list="], ["--list=x"], ["--stores=coles"], ["--near=1"], ["--radius=0"], ["--radius=nan"], ["--all=1"],
        ["--stores=coles:1"], ["--list=x", f"--stores={LONG}"],
    ],
    "next_store": [
        [], ["--company="], [f"--company={LONG}"], ["--company=\x1b[31m"], ["--company=aldi", "--lockout-hours=x"],
        ["--company=aldi", "--lockout-hours=-1"], ["--company=aldi", f"--lockout-hours={LONG}"], ["aldi"],
    ],
    "crawl_worker": [
        [], ["--company="], ["--company=\x1b"], ["--company=aldi", "--policy=best"], ["--company=aldi", "--logs="],
        ["--company=aldi", "--scrapyd=ftp://a"], ["--company=aldi", "--scrapyd=http://u:p@a:6800"],
        ["--company=aldi", "--max-jobs=0"], ["--company=aldi", "--crawls=x"], ["--company=aldi", "--lockout-hours=-1"],
    ],
    "simulate_policies": [
        ["--company=spar"], ["--days=0"], ["--days=x"], ["--warm-up=-1"], ["--zones=0"], ["--lines-a-page=49"],
        ["--stores=0"], ["--seed=x"],
    ],
    "inspect_stores": [
        ["--company="], ["--company=\x9b"], ["--state="], ["--state=FRESH"], [f"--state={LONG}"], ["--reason=\x1b"],
        ["--reason=none"], ["--lockout-hours=nan"], ["aldi"],
    ],
    "inspect_runs": [
        ["--company="], ["--store="], ["--store=\x1b"], ["--status=done"], [f"--status={LONG}"], ["--limit=0"],
        ["--limit=x"], [f"--limit={LONG}"], ["7"],
    ],
    "find_products": [
        [], [""], [LONG], ["\x1b[31m"], ["milk", "--company="], ["milk", "--limit=0"], ["milk", "--limit=1001"],
        ["milk", "--store="], ["milk", f"--store={LONG}"], ["milk\n"], ["milk", "--limit=x"],
    ],
    "forget_fulfilment": [
        [], ["--company=aldi"], ["--store=1"], ["--company=aldi", "--store="], ["--company=aldi", "--store=\x1b"],
        ["--company=", "--store=1"], ["--company=aldi", f"--store={LONG}"], ["aldi", "1"],
    ],
    "clear_schedule": [[], ["--company="], [f"--company={LONG}"], ["--company=\x1b[31m"], ["aldi"]],
    "replay": [
        [], ["aldi"], ["spar", "x"], ["..", "x"], ["__init__", "x"], ["\x1b[31m", "x"],
        ["aldi", "x", "--now=yesterday"], ["aldi", "x", "--now="], ["aldi", "x", f"--now={LONG}"],
        ["aldi", "x", "--now=0001-01-01T00:00+14:00"],
        ["aldi", "x", "--store="], ["aldi", "x", "--store=\x1b"],
    ],
    "sandbox": [
        ["--port=x"], ["--port=-1"], ["--port=65536"], [f"--port={LONG}"], ["--products=0"], ["--products=-1"],
        ["--products=1.5"], ["--stores=0"], ["--stores=4000"], ["--zones=0"], ["--noise=nan"], ["--noise=2"],
        ["--day=x"], [f"--day={LONG}"], ["--seed=x"], ["--host="],
    ],
    "demo": [["--stores=0"], ["--products=x"], ["--seed=x"], ["--chain=spar"], ["--folder="], ["--folder=/dev/null/x"]],
    "split_cart": [
        [], ["x"], ["--slots="], ["--slots=/nowhere"], ["--slots=/dev/null"], ["--slots", "/", "--json"],
        ["--slots=a\x1b"], ["--max-stores=0"], ["--max-stores=x"], [f"--max-stores={LONG}"], ["--stores="],
        ["--stores=coles"], ["--stores=\x1b:1"], ["--fees="], ["--member="], ["--visit-cents=-1"],
        [f"--visit-cents={LONG}"], ["--home=1"], ["--home=nan,nan"], ["--home", "-91,0"], ["--cents-per-km=inf"],
        ["--worth-cents=1.5"], ["--deadline=0"], ["--deadline=1e9"], ["--deadline=nan"], ["--html="],
    ],
    "chaos": [
        ["--minutes=nan"], ["--minutes=-1"], ["--runs=0"], ["--runs=x"], ["--seed=x"], ["--products=0"], ["--stores=0"],
        ["--database=mysql"], ["--chain=spar"], ["--mishap=none"], ["--logs=/dev/null"],
    ],
}  # fmt: skip


def ended(script: str, arguments: list[str]) -> int:
    """The exit code of a script's main on its arguments."""
    spec = importlib.util.spec_from_file_location(f"scripts_{script}", ROOT / "scripts" / f"{script}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    try:
        return module.main(arguments)
    except SystemExit as exit_:
        return exit_.code


def test_every_script_is_tried_with_twenty_kinds_of_nonsense():
    assert set(SCRIPTS) == set(NONSENSE)
    assert len({tuple(arguments) for arguments in EVERYWHERE}) >= 20


@pytest.mark.parametrize("script", SCRIPTS)
def test_nonsense_exits_2_without_a_traceback_or_a_control_character(script, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/none.db")
    for arguments in [*NONSENSE[script], *EVERYWHERE]:
        assert ended(script, arguments) == 2, arguments
        out, err = capsys.readouterr()
        assert err.strip(), arguments
        assert out == ""
        assert "Traceback" not in err
        assert err.replace("\n", "").isprintable(), arguments
        assert len(err) < 2_000, arguments
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("script", ON_A_DATABASE)
@pytest.mark.parametrize(
    "url",
    [
        "some.db", "sqlite://", "sqlite:///:memory:", "sqlite:////tmp", "mysql://u:hunter2@h/d", "oracle://h", "://",
        "postgresql+asyncpg://u:hunter2@h/d", "postgresql://u:hunter2@h:port/d", "postgresql://u:hunter2/d",
        "postgresql://u:p@hunter2@h/d", "postgresql://h/d?port=hunter2", "postgresql://u@127.0.0.1:1/d?hunter2=hunter2",
        "sqlite:////tmp/x.db?password=hunter2", "sqlite:///\x1b[31m", "hunter2",
    ],
)  # fmt: skip
def test_a_database_url_that_cannot_serve_exits_2_with_the_remedy(script, url, capsys, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", url)
    assert ended(script, ON_A_DATABASE[script]) == 2
    out, err = capsys.readouterr()
    assert "DATABASE_URL" in err
    assert "hunter2" not in out + err
    assert "Traceback" not in err
    assert err.replace("\n", "").isprintable()


@pytest.fixture(scope="module")
def no_databases(tmp_path_factory, sqlite_template) -> dict[Path, str]:
    """Files that are no database of this project, with words of the error for each."""
    folder = tmp_path_factory.mktemp("files")
    messages = {
        "missing": "there is no database at", "missing/too": "there is no database at", "empty": "there is no database",
        "text": "not a database", "bytes": "not a database", "foreign": "another program", "older": "migrate.py",
        "newer": "newer code", "torn": "malformed",
    }  # fmt: skip
    files = {folder / name: words for name, words in messages.items()}
    (folder / "empty").touch()
    (folder / "text").write_text("Milk, $1.75\n" * 100)
    (folder / "bytes").write_bytes(bytes(range(256)) * 40)
    with closing(sqlite3.connect(folder / "foreign")) as connection:
        connection.execute("CREATE TABLE notes (note)")
    for name, number in (("older", "0001"), ("newer", "9999"), ("torn", "0001")):
        shutil.copyfile(sqlite_template, folder / name)
        with closing(sqlite3.connect(folder / name)) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", [number])
    torn = (folder / "torn").read_bytes()
    (folder / "torn").write_bytes(torn[:4096] + b"\xff" * (len(torn) - 4096))
    return files


@pytest.mark.parametrize("script", ON_A_DATABASE)
def test_a_file_that_is_no_database_of_ours_is_named_and_left_alone(script, no_databases, capsys, monkeypatch):
    for file, words in no_databases.items():
        before = file.read_bytes() if file.exists() else None
        monkeypatch.setenv("DATABASE_URL", f"sqlite:///{file}")
        assert ended(script, ON_A_DATABASE[script]) in (1, 2), file.name
        out, err = capsys.readouterr()
        assert out == ""
        assert words in err, file.name
        assert file.exists() == (before is not None), file.name
        assert before is None or file.read_bytes() == before, file.name


@pytest.mark.parametrize("script", ON_A_DATABASE)
@pytest.mark.parametrize(
    ("kind", "remedy"), [("latin1_url", "createdb -T"), ("ascii_url", "createdb -T"), ("guest_url", "GRANT TEMPORARY")]
)
def test_a_database_or_a_role_that_cannot_serve_exits_2_with_the_remedy(
    script, kind, remedy, request, capsys, monkeypatch
):
    monkeypatch.setenv("DATABASE_URL", request.getfixturevalue(kind))
    assert ended(script, ON_A_DATABASE[script]) == 2
    assert remedy in capsys.readouterr().err


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_run_as_a_process_ends_as_its_main_does(script, tmp_path):
    command = [sys.executable, str(ROOT / "scripts" / f"{script}.py"), "--no-such=\x1b[31m"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"error: " in done.stderr
    assert b"\x1b" not in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (DatabaseRefused("DATABASE_URL is wrong"), 2, "DATABASE_URL is wrong"),
        (ConnectionError("gone\x1b[31m"), 7, "gone\\x1b[31m"),
        (ValueError("unknown"), 7, "unknown"),
        (PermissionError(13, "Permission denied", "/x"), 7, "Permission denied"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_an_error_that_an_operator_can_correct_is_one_line_and_an_exit_code(error, code, message, capsys):
    def work(_):
        raise error

    assert run(parser("d"), work, [], failed=7) == code
    assert message in capsys.readouterr().err


def test_arguments_that_only_the_work_can_check_are_refused_like_a_wrong_argument(capsys):
    def work(_):
        raise Refused("name one\x1b[31m")

    with pytest.raises(SystemExit) as ended:
        run(parser("d"), work, [])
    assert ended.value.code == 2
    assert "error: name one\\x1b[31m" in capsys.readouterr().err


def test_a_fault_of_ours_shows_a_traceback_that_moves_no_cursor_and_shows_no_secret(tmp_path):
    code = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "from _support.command import parser, run\n"
        "run(parser('d'), lambda _: {}['\\x9b postgresql://u:hunter2@h/d hunter3'], [])"
    )
    environ = {"DATABASE_URL": "postgresql://u:hunter3@h/d", "PATH": ""}
    command = [sys.executable, "-c", code, str(ROOT), str(ROOT / "scripts")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environ)
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "\x9b" not in done.stderr
    assert "hunter" not in done.stderr


def test_a_fault_of_ours_keeps_its_traceback():
    def work(_):
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        run(parser("d"), work, [])
    assert KeyError not in KNOWN


def test_a_warning_of_a_package_moves_no_cursor(capsys):
    root = logging.getLogger()
    handlers, root.handlers = root.handlers, []
    try:
        run(parser("d"), lambda _: logging.getLogger("models").warning("failed (%s)", "\x1b[31m") or 0, [])
    finally:
        root.handlers = handlers
    assert capsys.readouterr().err == "failed (\\x1b[31m)\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_terminal_that_lacks_a_letter_shows_its_escape(encoding, tmp_path):
    code = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "from _support.command import parser, run\n"
        "from _support.output import console, print_lines, table\n"
        "def work(_):\n"
        "    print_lines('Nestl\\u00e9 \\u5bb6 \\ud800')\n"
        "    console().print(table(['a'], [['\\u5bb6']]))\n"
        "    return 0\n"
        "sys.exit(run(parser('d'), work, []))"
    )
    environ = {"PYTHONIOENCODING": encoding, "PATH": ""}
    command = [sys.executable, "-c", code, str(ROOT), str(ROOT / "scripts")]
    done = subprocess.run(command, capture_output=True, timeout=120, env=environ)
    assert done.returncode == 0, done.stderr
    assert b"Nestl" in done.stdout


def test_a_reader_who_leaves_early_causes_no_traceback(tmp_path):
    code = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "from _support.command import parser, run\n"
        "from _support.output import print_lines\n"
        "sys.exit(run(parser('d'), lambda _: print_lines(*['x' * 1000] * 1000) or 0, []))"
    )
    command = [sys.executable, "-c", code, str(ROOT), str(ROOT / "scripts")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(120) == 1
        assert process.stderr.read() == b""


def test_json_is_exact_and_of_harmless_characters_alone(capsys):
    value = {"a": "\x1b[31m\x7f\x9b\u202e\ud800 [/] é", "b": [1.5, None, -3]}
    output.print_json(value)
    shown = capsys.readouterr().out
    assert shown.strip().isascii()
    assert shown.strip().isprintable()
    assert json.loads(shown) == value


def test_csv_defuses_text_and_keeps_numbers(capsys):
    output.print_csv(["name", "cents"], [["=1+1", -5], ["-196 Lemon", 1.5], ["a\x1b[31m", None]])
    assert capsys.readouterr().out == "name,cents\n'=1+1,-5\n'-196 Lemon,1.5\na\\x1b[31m,\n"


@pytest.mark.parametrize("read", [integer(1, 9), within(1, 9), word])
def test_an_argument_in_its_range_is_taken(read):
    assert str(read("5"))[0] == "5"


def test_no_script_needs_a_package_that_was_removed_from_the_requirements():
    gone = ("typer", "stdnum", "python-stdnum")
    for name in ("requirements.in", "requirements.txt", "requirements-dev.in", "requirements-dev.txt"):
        lines = (ROOT / name).read_text().splitlines()
        assert [line for line in lines if line.partition("=")[0] in gone] == []
        assert [line for line in lines if any(f"via {one}" in line for one in gone)] == []
    for path in Path(ROOT / "scripts").rglob("*.py"):
        assert not any(f"import {one}" in path.read_text() for one in gone), path
