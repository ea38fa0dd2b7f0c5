"""The operator's scripts on the storage: what they print, and their exit codes. Backups come back complete."""

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import check_database
import find_products
import merge_groups
import migrate
import price_history
import prune
import pytest
import reset_groups
import rollback_run
from sqlalchemy import Engine, text, update
from sqlalchemy.engine import make_url

from models.database import engine as engines
from models.tables import crawl_runs, stores
from tests.support.groups import merge
from tests.support.storage import cents, check_sound, crawl, day, query, row

GTIN = "09300605123454"


@pytest.fixture
def crawled(engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setenv("DATABASE_URL", database_url)
    crawl(engine, [row(1, 150, gtin=GTIN), row(2, 200)])
    crawl(engine, [row(1, 100, gtin=GTIN, was_price_cents=150), row(2, 200)], now=day(1))
    return engine


def test_check_database_names_what_is_broken_and_exits_1(crawled: Engine, capsys) -> None:
    assert check_database.main([]) == 0
    assert "every promise holds" in capsys.readouterr().out
    with crawled.begin() as connection:
        connection.execute(text("UPDATE prices SET price_cents = 1 WHERE listing_id = 2"))
    assert check_database.main(["--json"]) == 1
    found = {one["check"]: one for one in json.loads(capsys.readouterr().out)}
    assert found["price_without_history"]["count"] == 1


def test_check_database_reports_a_time_in_the_future_and_rollback_run_puts_it_right(crawled: Engine, capsys) -> None:
    with crawled.begin() as connection:
        connection.execute(update(stores).values(scheduled_at=day(3650)))
    assert check_database.main([]) == 1
    out = capsys.readouterr().out
    assert "future: no time lies in the future: scripts/rollback_run.py heals" in out
    assert "table=stores id=1 scheduled_at=2036-11-20" in out
    assert rollback_run.main(["2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["healed"] == 1
    assert check_database.main([]) == 0


def test_a_sqlite_file_that_is_not_there_is_no_sound_database(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/mistyped.db")
    assert check_database.main([]) == 2
    assert "no database at" in capsys.readouterr().err
    assert not (tmp_path / "mistyped.db").exists()


def test_check_database_without_an_answer_exits_2(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert check_database.main([]) == 2
    assert "127.0.0.1" in capsys.readouterr().err


def test_a_dry_rollback_reports_and_a_rollback_does_it_once(crawled: Engine, capsys) -> None:
    assert rollback_run.main(["2", "--dry-run"]) == 0
    assert "would put back 1 prices" in capsys.readouterr().out
    assert cents(crawled) == {"1": 100, "2": 200}
    assert rollback_run.main(["2", "--json"]) == 0
    done = json.loads(capsys.readouterr().out)
    nothing_else = dict.fromkeys(("removed", "texts", "aliases", "healed"), 0)
    assert done == {"run_id": 2, "store_id": 1, "history": 1, "restored": 1, "dry_run": False} | nothing_else
    assert cents(crawled) == {"1": 150, "2": 200}
    assert rollback_run.main(["2"]) == 1
    assert "already" in capsys.readouterr().err


def test_price_history_by_gtin_and_by_sku(crawled: Engine, capsys) -> None:
    assert price_history.main(["--gtin", GTIN.lstrip("0"), "--json"]) == 0
    assert [one["price_cents"] for one in json.loads(capsys.readouterr().out)] == [150, 100]
    assert price_history.main(["--company", "Woolworths", "--sku", "1", "--store", "1147", "--chart"]) == 0
    assert "$1.50" in capsys.readouterr().out
    assert price_history.main(["--company", "woolworths", "--sku", "1"]) == 0
    assert "$1.00" in capsys.readouterr().out
    assert price_history.main(["--gtin", "1"]) == 1


def test_price_history_fits_80_columns_without_cutting_its_dates(crawled: Engine, capsys) -> None:
    assert price_history.main(["--gtin", GTIN]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "Woolworths 1  Product 1" in lines[0]
    assert max(map(len, lines)) <= 80
    assert [f"{day(n):%Y-%m-%d %H:%M}" in line for n, line in zip((0, 1), lines[-3:-1], strict=True)] == [True, True]


def test_products_are_found_by_words_with_sku_gtin_and_price_by_store(crawled: Engine, capsys) -> None:
    crawl(crawled, [row(3, 470, name="Crème 100% Fat_Free", brand="Élan", size="2L")], store="2", now=day(2))
    for words in (["crème"], ["CRÈME"], ["élan", "2l"], ["100%"], ["fat_free", "ÉLAN"]):
        assert find_products.main([*words, "--json"]) == 0
        [found] = json.loads(capsys.readouterr().out)
        assert (found["company"], found["sku"], found["store_id"], found["price_cents"]) == (
            "woolworths",
            "3",
            "2",
            470,
        )
    for words in (["crème", "1l"], ["fatxfree"], ["1000%"], ["product", "\\"]):
        assert find_products.main(words) == 1
        assert "give fewer" in capsys.readouterr().err
    assert find_products.main(["product", "--limit", "1"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[0] == "woolworths:1  Product 1 500g"
    assert f"gtin {GTIN}" in out
    assert "store 1147              $1.00   own, seen" in out
    assert max(map(len, out.splitlines())) <= 80
    assert "there are more" in err
    assert find_products.main(["product", "--store", "2"]) == 1
    assert find_products.main(["product", "--company", "spar"]) == 1
    assert "company 'spar' is unknown" in capsys.readouterr().err


def test_price_history_of_a_member_states_how_each_price_is_known(crawled: Engine, capsys) -> None:
    """Its anchor's change counts as inferred; of all stores each change is what the store showed itself."""
    for store, number in (("2", 1.1), ("1147", 1.15)):
        crawl(crawled, [row(1, 100, gtin=GTIN, was_price_cents=150), row(2, 200)], store=store, now=day(number))
    assert merge(crawled, day(1.2)).merged == 1
    crawl(crawled, [row(1, 120, gtin=GTIN, was_price_cents=150), row(2, 200)], store="2", now=day(1.3))
    known = {}
    for store in (["--store", "1147"], []):
        assert price_history.main(["--company", "woolworths", "--sku", "1", "--json", *store]) == 0
        found = json.loads(capsys.readouterr().out)
        known[len(store)] = [(one["store_id"], one["price_cents"], one["source"]) for one in found]
    assert known[2] == [("1147", 150, "own"), ("1147", 100, "own"), ("1147", 120, "inferred")]
    assert known[0] == [("1147", 150, "own"), ("1147", 100, "own"), ("2", 100, "own"), ("2", 120, "own")]
    assert price_history.main(["--company", "woolworths", "--sku", "1", "--store", "1147"]) == 0
    assert "inferred" in capsys.readouterr().out


def test_prune_reports_what_it_deletes(crawled: Engine, capsys) -> None:
    assert prune.main(["--staging-days", "0", "--dry-run"]) == 0
    with crawled.begin() as connection:
        connection.execute(update(crawl_runs).values(started_at=day(-9), finished_at=day(-9)))
    assert prune.main(["--json", "--staging-days", "2"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["staged"] == 4
    assert query(crawled, "SELECT count(*) FROM price_changes") == [(3,)]


@pytest.mark.parametrize(
    ("script", "arguments", "message"),
    [
        (rollback_run, ["99"], "run 99 is unknown: the table crawl_runs"),
        (price_history, ["--gtin", GTIN, "--store", "9"], "store '9' is unknown: the chain's own id is wanted"),
        (
            price_history,
            ["--company", "woolworths", "--sku", "1", "--store", "9"],
            "store '9' is unknown at woolworths",
        ),
        (price_history, ["--company", "spar", "--sku", "1"], "company 'spar' is unknown; there is woolworths"),
        (price_history, ["--company", "woolworths", "--sku", "9"], "nothing is known of it"),
    ],
)
def test_what_is_unknown_is_named_and_exits_1(crawled: Engine, capsys, script, arguments, message) -> None:
    assert script.main(arguments) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("days", ["-1", "x", "nan", "inf"])
def test_days_that_are_none_are_refused_before_anything_is_deleted(crawled: Engine, capsys, days) -> None:
    with pytest.raises(SystemExit) as ended:
        prune.main(["--staging-days", days])
    assert ended.value.code == 2
    assert f"'{days}' is no number of days or hours" in capsys.readouterr().err
    assert query(crawled, "SELECT count(*) FROM staged_items") == [(4,)]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("some.db", "DATABASE_URL is not a URL, it has no ://: write sqlite:////path/to/file.db or"),
        ("mysql://h/d", "DATABASE_URL begins mysql://, which is not a supported database: write sqlite:"),
        ("postgresql://nobody@127.0.0.1:1/none", "cannot read the database at postgresql+psycopg2://nobody@127.0.0.1"),
        ("sqlite:////tmp", "DATABASE_URL names the folder /tmp, not a file"),
    ],
)
@pytest.mark.parametrize(
    ("script", "arguments", "code"),
    [
        (check_database, [], 2), (merge_groups, [], 1), (migrate, ["--check"], 1), (reset_groups, [], 1),
        (price_history, ["--gtin", GTIN], 1), (prune, [], 1), (rollback_run, ["1"], 1),
    ],
)  # fmt: skip
def test_a_database_that_cannot_be_used_is_one_line_with_the_remedy(
    monkeypatch, capsys, script, arguments, code, url, message
):
    """Exit code 2 where DATABASE_URL is at fault; a server that does not answer may answer later."""
    monkeypatch.setenv("DATABASE_URL", url)
    assert script.main(arguments) == (code if "nobody" in url else 2)
    err = capsys.readouterr().err
    assert message in err
    assert "sqlalche.me" not in err


def restored(url: str) -> dict[str, int]:
    """The prices of a restored database, which must be sound."""
    engine = engines.create(url)
    engines.check_schema(engine)
    check_sound(engine)
    found = cents(engine)
    engine.dispose()
    return found


def backed_up(file: str, copy: Path) -> int:
    """The exit code of the very command that docs/operate.md gives."""
    lines = (Path(__file__).parents[2] / "docs" / "operate.md").read_text().splitlines()
    [command] = [shlex.split(line) for line in lines if "VACUUM INTO" in line and line.startswith("    ")]
    assert (command[0], command[-2:]) == ("python", ["splitcart.db", "backup.db"])
    return subprocess.run([sys.executable, *command[1:-2], file, str(copy)], capture_output=True).returncode


def test_a_sqlite_backup_taken_while_a_crawl_writes_comes_back_complete(sqlite_url: str, tmp_path: Path) -> None:
    engine = engines.create(sqlite_url)
    crawl(engine, [row(1, 150), row(2, 200)])
    with engine.begin() as writing:
        writing.execute(text("UPDATE prices SET price_cents = 1"))
        assert backed_up(engine.url.database or "", tmp_path / "backup.db") == 0
        writing.rollback()
    assert restored(f"sqlite:///{tmp_path}/backup.db") == {"1": 150, "2": 200}
    engine.dispose()
    assert backed_up(str(tmp_path / "mistyped.db"), tmp_path / "nothing.db") == 1
    assert not list(tmp_path.glob("[mn]*.db"))


def test_a_postgresql_dump_comes_back_complete(
    postgres_url: str, empty_postgres_url: str, postgres_server, tmp_path
) -> None:
    engine = engines.create(postgres_url)
    crawl(engine, [row(1, 150), row(2, 200)])
    engine.dispose()
    folder = getattr(postgres_server, "_bin", None)
    dump = str(folder / "pg_dump") if folder else shutil.which("pg_dump")
    restore = str(folder / "pg_restore") if folder else shutil.which("pg_restore")
    assert dump, "pg_dump is missing: install the PostgreSQL client"
    assert restore, "pg_restore is missing: install the PostgreSQL client"
    plain = [
        make_url(url).set(drivername="postgresql").render_as_string(False) for url in (postgres_url, empty_postgres_url)
    ]
    file = tmp_path / "splitcart.dump"
    subprocess.run([dump, "-Fc", "--no-unlogged-table-data", "-f", str(file), plain[0]], check=True)
    subprocess.run([restore, "--no-owner", "-d", plain[1], str(file)], check=True)
    assert restored(empty_postgres_url) == {"1": 150, "2": 200}
