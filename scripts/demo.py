"""Crawls two stores of every chain from a sandbox into demo/splitcart.db, shows what landed, and splits a list.

Needs no internet. Each crawl is its own process, `scrapy crawl CHAIN -a store=CODE -a dev=1`, as in production.
"""

import argparse
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import _path
from _demo.report import Report
from _demo.shopping import sample
from _support.command import folder, integer, parser, run
from _support.crawls import ROOT, product_spiders, start
from _support.output import console as made_console
from _support.output import text
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from models.database import engine as engines
from models.slots.building import build
from sandbox.server import SandboxServer
from sandbox.world import World
from splitcart.printing import visible

MEANING = {2: "partial", 3: "the store is held by another run", 4: "blocked", 5: "network down"}
"""Exit codes of `scrapy crawl`; any other is a failure."""


@dataclass
class Job:
    """One crawl: its store, its log, its seconds and its exit code."""

    chain: str
    store_code: str
    store_name: str
    log: Path
    seconds: float = 0.0
    code: int | None = None


def jobs(world: World, chains: Sequence[str], stores: int, folder: Path) -> list[Job]:
    """The first stores of each chain that sell online."""
    made = []
    for chain in chains:
        online = [store for store in world.stores(chain) if store.is_online]
        for store in online[:stores]:
            made.append(Job(chain, store.store_code, store.name, folder / "logs" / f"{chain}-{store.store_code}.log"))
    return made


def crawl(job: Job, url: str, sandbox: str) -> None:
    """Runs one crawl to its end, and sets its exit code and seconds."""
    begun = time.monotonic()
    process = start(job.chain, job.store_code, database=url, sandbox=sandbox, log=job.log)
    job.code = process.wait()
    job.seconds = time.monotonic() - begun


def crawl_all(todo: Sequence[Job], report: Report, sandbox: str, console: Console) -> None:
    """Runs the crawls, two at a time, and shows the progress of each."""
    columns = (SpinnerColumn(finished_text="·"), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress, ThreadPoolExecutor(2) as pool:
        ended = threading.Event()

        def one(job: Job) -> None:
            task = progress.add_task(visible(f"{job.chain} {job.store_code}"), total=1)
            watched[job.chain, job.store_code] = task
            crawl(job, report.url, sandbox)
            watched.pop((job.chain, job.store_code))
            how = "done" if job.code == 0 else MEANING.get(job.code or 1, "failed")
            outcome = visible(f"{job.chain} {job.store_code} {job.store_name}: {how}")
            progress.update(task, description=outcome, completed=1)

        def watch() -> None:
            while not ended.wait(0.5):
                for key, rows in report.staged().items():
                    task = watched.get(key)
                    if task is not None:
                        progress.update(task, description=visible(f"{key[0]} {key[1]}: {rows:,} rows staged"))

        watched: dict[tuple[str, str], TaskID] = {}
        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        list(pool.map(one, todo))
        ended.set()
        watcher.join()


def failures(todo: Sequence[Job], report: Report, console: Console) -> int:
    """Prints each crawl that did not complete, with its reason and the end of its log; returns how many there are."""
    failed = [job for job in todo if job.code != 0]
    for job in failed:
        run = report.run(job.chain, job.store_code)
        why = run.reason if run is not None and run.reason else MEANING.get(job.code or 1, "failed")
        console.print()
        message = f"{job.chain} store {job.store_code} was not crawled: {why} (exit code {job.code})"
        console.print(text(message, "bold red"))
        tail = job.log.read_text(errors="replace").splitlines()[-8:]
        for line in (*tail, f"log: {os.path.relpath(job.log)}"):
            console.print(text(f"  {line[:160]}"))
    return len(failed)


def merge(url: str, console: Console) -> bool:
    """Merges store groups with scripts/merge_groups.py; returns whether it succeeded."""
    script = ROOT / "scripts" / "merge_groups.py"
    if not script.is_file():
        return True
    command = [sys.executable, str(script)]
    done = subprocess.run(command, env=os.environ | {"DATABASE_URL": url}, capture_output=True, text=True)
    console.rule("Store groups")
    for line in (done.stdout or done.stderr).rstrip().splitlines():
        console.print(text(line))
    return done.returncode == 0


def plan(url: str, folder: Path, stores: Sequence[tuple[str, str]], console: Console) -> bool:
    """Splits a sample list over the stores with scripts/split_cart.py; returns whether it succeeded."""
    engine = engines.create(url)
    build(engine)
    (folder / "list.txt").write_text(sample(engine), encoding="utf-8")
    engine.dispose()
    names = ",".join(f"{chain}:{store_code}" for chain, store_code in stores)
    script, page = ROOT / "scripts" / "split_cart.py", folder / "plan.html"
    command = [sys.executable, str(script), str(folder / "list.txt"), "--stores", names, "--html", str(page)]
    done = subprocess.run(command, env=os.environ | {"DATABASE_URL": url}, capture_output=True, text=True)
    console.rule("The cheapest way to buy list.txt")
    for line in (done.stdout or done.stderr).rstrip().splitlines():
        console.print(text(line))
    return done.returncode == 0


def fresh(folder: Path) -> str:
    """Replaces the last demo's logs and database by an empty, migrated SQLite file; returns its URL."""
    shutil.rmtree(folder / "logs", ignore_errors=True)
    (folder / "logs").mkdir(parents=True)
    for suffix in ("", "-wal", "-shm"):
        (folder / f"splitcart.db{suffix}").unlink(missing_ok=True)
    url = engines.file_url(folder / "splitcart.db")
    engines.create(url).dispose()
    return url


def show(options: argparse.Namespace, console: Console) -> int:
    """Runs the demo; returns its exit code."""
    folder = options.folder.absolute()
    world = World(seed=options.seed, products=options.products, stores=max(4, options.stores))
    todo = jobs(world, options.chain or list(product_spiders()), options.stores, folder)
    report = Report(fresh(folder), world)
    with SandboxServer(world) as sandbox:
        console.print(f"The sandbox answers for {len({job.chain for job in todo})} chains at {sandbox.url}")
        crawl_all(todo, report, sandbox.url, console)
    if failures(todo, report, console):
        return 1
    stores = [(job.chain, job.store_code) for job in todo]
    report.show_stores(console, stores, {(job.chain, job.store_code): job.seconds for job in todo})
    report.show_drops(console, stores)
    report.show_specials(console, stores)
    merged = merge(report.url, console)
    planned = plan(report.url, folder, stores, console)
    wrong = report.show_truth(console, stores) + report.show_soundness(console)
    place = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
    console.print()
    console.print(text(f"The plan, to read on a phone and to print: {place}/plan.html"))
    console.print(text(f"Left behind: {place}/splitcart.db (the prices), {place}/logs/ (one log a crawl)"))
    console.print(text("Any of scripts/*.py shows more, for example:"))
    console.print(text(f"  DATABASE_URL=sqlite:///{place}/splitcart.db .venv/bin/python scripts/find_products.py milk"))
    return 0 if merged and planned and not wrong else 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: every crawl completed, every price is right; 1: not so, with the reason; 2: wrong arguments."""
    made = parser((__doc__ or "").splitlines()[0], json="")
    made.add_argument("--stores", type=integer(1, 100), default=2, help="stores a chain (2)")
    made.add_argument("--products", type=integer(1, 200_000), default=400, help="products a chain sells (400)")
    made.add_argument("--seed", type=integer(-(10**15), 10**15), default=1, help="the seed of the sandbox (1)")
    made.add_argument("--chain", action="append", choices=product_spiders(), help="only this chain; may be repeated")
    made.add_argument("--folder", type=folder, default=ROOT / "demo", help="where its files go (demo)")
    return run(made, lambda options: show(options, made_console()), arguments)


if __name__ == "__main__":
    sys.exit(main())
