"""What the pipelines cost a crawl, and how much memory a large one takes."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, row

ROOT = Path(__file__).resolve().parents[1]
PRODUCTS = 20_000
ROUNDS = 3


def crawl(sandbox_url: str, store: str, mode: str) -> dict[str, Any]:
    """The figures of one crawl in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "benchmarks.crawl_once",
            sandbox_url,
            f"sqlite:///{folder}/bench.db",
            store,
            mode,
        ]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    figures = json.loads(done.stdout.splitlines()[-1])
    if mode == "full" and figures["status"] != "complete":
        raise SystemExit(f"the benchmark's crawl ended {figures['status']}: {figures['reason']}")
    return figures


def best(sandbox_url: str, store: str, mode: str) -> dict[str, Any]:
    """The fastest of ROUNDS crawls: other processes slowed the others down."""
    return min((crawl(sandbox_url, store, mode) for _ in range(ROUNDS)), key=lambda found: found["seconds"])


@contextmanager
def sandbox(products: int) -> Iterator[tuple[str, str, int]]:
    """A sandbox in a process of its own: its URL, the id of a Woolworths store, and the process's id."""
    command = [
        sys.executable,
        "scripts/sandbox.py",
        "--port",
        "0",
        "--products",
        str(products),
        "--stores",
        "1",
        "--json",
    ]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        yield ready["url"], ready["chains"]["woolworths"]["stores"][0], process.pid
    finally:
        process.terminate()
        process.wait()


def run() -> Iterable[Figure]:
    """Items a second with and without pipelines; peak memory of 20,000 products and of a tenth."""
    with sandbox(PRODUCTS) as (url, store, _):
        crawl(url, store, "off")
        full, off = best(url, store, "full"), best(url, store, "off")
    with sandbox(PRODUCTS // 10) as (url, store, _):
        tenth = crawl(url, store, "full")
    speed, bare = full["items"] / full["seconds"], off["items"] / off["seconds"]
    name, against = "crawl: items a second, full stack on SQLite", f"{bare:.0f} items/s with pipelines off"
    ratio = speed / bare
    yield row(name, round(speed), "items/s", against, round(ratio, 2), "ratio >= 0.7", ratio >= 0.7)
    peak, more = full["peak_mb"], full["peak_mb"] - tenth["peak_mb"]
    yield memory(f"crawl: peak memory of {full['items']} items", peak, 300)
    yield memory(f"crawl: memory above a crawl of {tenth['items']} items", more, 30)


def memory(name: str, megabytes: float, limit: float) -> Figure:
    """One row about memory against its limit."""
    ratio = megabytes / limit
    return row(name, round(megabytes, 1), "MB", f"{limit:.0f} MB", round(ratio, 2), "ratio <= 1", ratio <= 1)
