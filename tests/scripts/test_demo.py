import re
import subprocess
import sys

from _demo.report import Report
from rich.console import Console

import demo
from models.database import engine as engines
from sandbox.server import SandboxServer
from sandbox.world import World
from tests.support.tree import ROOT

CHAIN = "woolworths"


def test_the_demo_crawls_two_stores_and_finds_every_price_right(tmp_path):
    command = [sys.executable, "scripts/demo.py", "--chain", CHAIN, "--products", "40", "--folder", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"price by price: \d+ products, all equal", done.stdout)
    assert done.stdout.count("complete") == 2
    assert "splitcart.db" in done.stdout
    assert len(list((tmp_path / "logs").iterdir())) == 2


def test_a_crawl_that_fails_is_named_with_its_reason_and_its_log(tmp_path):
    world = World(products=40)
    store = world.stores(CHAIN)[0]
    job = demo.Job(CHAIN, store.store_code, store.name, tmp_path / "logs" / "crawl.log")
    console = Console(record=True, width=160)
    report = Report(demo.fresh(tmp_path), world)
    with SandboxServer(world) as sandbox:
        sandbox.faults.add("block")
        demo.crawl_all([job], report, sandbox.url, console)
    assert demo.failures([job], report, console) == 1
    shown = console.export_text()
    assert f"woolworths store {store.store_code} was not crawled: blocked" in shown
    assert "exit code 4" in shown
    assert "crawl.log" in shown


def test_a_demo_starts_afresh_and_leaves_a_folders_other_files_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    first = engines.create(demo.fresh(tmp_path))
    with first.begin() as connection:
        connection.exec_driver_sql("INSERT INTO companies (name, slug) VALUES ('ALDI', 'aldi')")
    first.dispose()
    second = engines.create(demo.fresh(tmp_path))
    with second.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM companies").scalar_one() == 0
    second.dispose()
    assert (tmp_path / "notes.txt").read_text() == "mine"
