"""Crawls a sandbox while faults happen, round after round, and checks after each that the database is true.

What must hold: every row of a store is what it was before the crawl or what is true after it; a complete run leaves all
rows true; nothing that is sold is taken away; every run ends with a reason; every invariant of the database holds.
"""

import argparse
import contextlib
import logging
import os
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from random import Random

from _support.command import folder, integer, parser, run, within
from _support.crawls import ROOT, product_spiders
from _support.output import print_json, text
from rich.console import Console

from sandbox.server import SandboxServer
from sandbox.world import World
from tests.chaos.judge import left_over
from tests.chaos.mishaps import MISHAPS
from tests.chaos.report import summary, table
from tests.chaos.rounds import PEACE, Mishap, Outcome, play
from tests.chaos.scene import Scene, scene

DAYS = (0, 0, 0, 1, 1, 2)
"""How many days may pass between two rounds."""
LEASE = 130.0
"""Seconds after which a lease without a heartbeat is over."""


def targets(world: World, chains: Sequence[str], count: int) -> list[tuple[str, str]]:
    """The stores that take part: the first of each chain that sell online."""
    online = {chain: [store.store_code for store in world.stores(chain) if store.is_online] for chain in chains}
    return [(chain, store_code) for chain, stores in online.items() for store_code in stores[:count]]


def mishaps(scene: Scene, names: Sequence[str] | None, plan: Random) -> Iterator[Mishap]:
    """The mishaps that can happen here (of those named), for ever, each time round in a new order."""
    possible = [one for one in MISHAPS if scene.can(one) and (not names or one.name in names)]
    while possible:
        plan.shuffle(possible)
        yield from possible


def rage(scene: Scene, options: argparse.Namespace, runs: int | None, until: float) -> Iterator[Outcome]:
    """Plays rounds until the runs or the time are up; half of them are followed by the next crawl at once.

    It begins with undisturbed crawls of half of the stores and ends with undisturbed crawls of all. Each round is drawn
    for itself, so the time that another round took changes nothing.
    """
    plan, begun = Random(f"{options.seed}/{scene.name}"), 0
    stores = targets(scene.sandbox.world, options.chain or list(product_spiders()), options.stores)
    for store in stores[::2]:
        begun += 1
        yield play(scene, PEACE, *store)
    for number, (mishap, store) in enumerate(zip(mishaps(scene, options.mishap, plan), cycle(stores))):
        if (runs is not None and begun + len(stores) >= runs) or time.monotonic() > until:
            break
        scene.sandbox.day += plan.choice(DAYS)
        scene.chance, followed = Random(f"{options.seed}/{scene.name}/{number}"), plan.random() < 0.5
        crawls = [*([PEACE] if mishap.known and not scene.has_complete(*store) else []), mishap]
        for each in [*crawls, PEACE] if mishap.kills or followed else crawls:
            begun += 1
            yield play(scene, each, *store)
            _outlive(scene, store)
    for store in stores:
        yield play(scene, PEACE, *store)
    if left := left_over(scene):
        yield Outcome(scene.name, "afterwards", "", "", 0, True, "", "", None, 0.0, 0, 0, False, tuple(left))


def _outlive(scene: Scene, store: tuple[str, str]) -> None:
    """Lets the lease run out where a crawl inside this process could not end its run: a process would be gone."""
    run = scene.run(*store)
    if run is not None and run.status == "running" and run.pid == os.getpid():
        scene.began -= LEASE


def command_line() -> argparse.ArgumentParser:
    """The parser of the command line."""
    made = parser((__doc__ or "").splitlines()[0], json="print counts and crawls as JSON instead of a table")
    made.add_argument("--minutes", type=within(0, 10_000), default=10.0, help="how long, over both databases (10)")
    made.add_argument("--runs", type=integer(1), help="so many crawls over both databases, however long they take")
    made.add_argument(
        "--seed", type=integer(-(10**15), 10**15), default=1, help="the seed of the mishaps and their moments (1)"
    )
    made.add_argument("--products", type=integer(1, 200_000), default=100, help="products a chain sells (100)")
    made.add_argument("--stores", type=integer(1, 100), default=2, help="stores of each chain that take part (2)")
    made.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both", help="only this one")
    made.add_argument("--chain", action="append", choices=product_spiders(), help="only this chain; may be repeated")
    names = [mishap.name for mishap in MISHAPS]
    help_ = f"only this; may be repeated: {', '.join(names)}".replace("%", "%%")
    made.add_argument("--mishap", action="append", choices=names, help=help_, metavar="NAME")
    made.add_argument("--logs", type=folder, default=ROOT / "build" / "chaos", help="their logs (build/chaos)")
    return made


@contextlib.contextmanager
def logged(folder: Path) -> Iterator[None]:
    """Logs the crawls inside this process to `folder`/chaos.log; crawls in their own process have a file each."""
    folder.mkdir(parents=True, exist_ok=True)
    handler, root = logging.FileHandler(folder / "chaos.log", mode="w"), logging.getLogger()
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        handler.close()


def print_outcome(console: Console, outcome: Outcome, number: int) -> None:
    """Prints one line for each crawl, and the promises it broke."""
    ended = f"{outcome.status} {outcome.reason[:60]}" if outcome.struck else outcome.status
    where = f"{outcome.scene} {outcome.chain} {outcome.store_id} day {outcome.day}"
    console.print(text(f"{number:4} {where}: {outcome.mishap} -> {ended} ({outcome.seconds} s)", "dim"))
    logging.getLogger("chaos").info("crawl %s: %s", number, outcome)
    for line in outcome.broken:
        console.print(text(f"     {line}", "red"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when every promise held in every round, else 1; 2: wrong arguments."""
    return run(command_line(), rounds, arguments)


def rounds(options: argparse.Namespace) -> int:
    """Plays on each database in turn; returns the exit code."""
    console = Console(stderr=options.json, width=None if sys.stdout.isatty() else 150)
    world = World(seed=options.seed, products=options.products)
    kinds = ["sqlite", "postgresql"] if options.database == "both" else [options.database]
    outcomes: list[Outcome] = []
    began = time.monotonic()
    console.print(text(f"seed {options.seed}, logs in {options.logs}"))
    for kind in kinds:
        until = float("inf") if options.runs else time.monotonic() + options.minutes * 60 / len(kinds)
        runs = -(-options.runs // len(kinds)) if options.runs else None
        logs = options.logs / kind
        with logged(logs), SandboxServer(world) as sandbox, scene(kind, sandbox, options.seed, logs) as place:
            for outcome in rage(place, options, runs, until):
                outcomes.append(outcome)
                print_outcome(console, outcome, len(outcomes))
    seconds = round(time.monotonic() - began, 1)
    if options.json:
        print_json(summary(outcomes, seed=options.seed, products=options.products, seconds=seconds), indent=1)
    else:
        console.print(table(outcomes, options.seed, seconds))
    return 1 if any(outcome.broken for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
