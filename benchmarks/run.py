"""Runs every benchmark, shows the figures as a table and writes them to build/bench.json.

A benchmark is a module benchmarks/bench_NAME.py with `run() -> Iterable[dict]`; each dict is a row:
name, value, unit, against (what it is compared with), ratio (value to that), aim (in words), holds (True, False or None
where there is no aim). The run fails when an aim does not hold.
"""

import argparse
import importlib
import json
import os
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.figures import KEYS, Figure

HERE = Path(__file__).resolve().parent
OUT = HERE.parent / "build" / "bench.json"


def names(folder: Path = HERE) -> list[str]:
    """The names of the benchmarks: NAME of each bench_NAME.py."""
    return sorted(path.stem.removeprefix("bench_") for path in folder.glob("bench_*.py"))


def rows_of(name: str) -> list[Figure]:
    """Runs one benchmark. Raises ValueError for a row without exactly the promised keys."""
    rows = [dict(row) for row in importlib.import_module(f"benchmarks.bench_{name}").run()]
    for row in rows:
        if set(row) != set(KEYS):
            raise ValueError(f"benchmarks/bench_{name}.py: a row has {sorted(row)}, not {sorted(KEYS)}")
    return rows


def _figure(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return (
        f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str("" if value is None else value)
    )


def table(rows: Iterable[Figure]) -> Table:
    """The rows as a table; red where an aim does not hold."""
    shown = Table("benchmark", *KEYS[1:], title="Benchmarks")
    for row in rows:
        holds = {True: "[green]yes", False: "[bold red]NO", None: ""}[row["holds"]]
        figures = [_figure(row[key]) for key in KEYS[1:6]]
        shown.add_row(row["name"], *figures, holds)
    return shown


def run(chosen: Sequence[str], console: Console, out: Path = OUT) -> bool:
    """Runs the chosen benchmarks and writes `out`; returns whether every aim holds."""
    rows: list[Figure] = []
    for name in chosen:
        begun = time.perf_counter()
        rows += rows_of(name)
        console.print(f"[dim]{name}: {time.perf_counter() - begun:.1f} s[/dim]")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(rows, indent=1) + "\n")
    console.print(table(rows))
    console.print(f"{len(rows)} rows in build/{out.name}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    return all(row["holds"] is not False for row in rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when every aim holds, else 1."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--only", action="append", choices=names(), metavar="NAME", help=f"one of: {', '.join(names())}"
    )
    chosen = parser.parse_args(arguments).only or names()
    return 0 if run(chosen, Console()) else 1


if __name__ == "__main__":
    sys.exit(main())
