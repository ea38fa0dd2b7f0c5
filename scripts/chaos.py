"""Crawls a sandbox while things go wrong, round after round, and checks after each that the database tells no lie.

What must hold: a complete run leaves exactly the sandbox's prices; a partial one takes nothing away; any other changes
nothing; exit codes tell the run's status; what a crawl can get over it gets over.
"""

import argparse
import contextlib
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import cycle, islice
from pathlib import Path

import _path  # noqa: F401
from _chaos_checks import left_over
from _chaos_rounds import MISHAPS, Mishap, Outcome, Scene, play
from _crawls import ROOT, product_spiders
from rich.console import Console
from rich.table import Table

from models import engine as engines
from sandbox.server import SandboxServer
from sandbox.world import World


@contextlib.contextmanager
def scene(kind: str, sandbox: SandboxServer, seed: int, logs: Path) -> Iterator[Scene]:
    """A scene on a fresh database of that kind, removed afterwards."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="splitcart-chaos-")))
        restart = None
        url = f"sqlite:///{folder / 'splitcart.db'}"
        if kind == "postgresql":
            from tests.support.postgres import Server

            server = stack.enter_context(Server())
            url = server.url(server.create_database())
            restart = server.restart if server.owned else None
        engine = engines.create(url)
        stack.callback(engine.dispose)
        engines.migrate(engine)
        yield Scene(kind, sandbox, url, engine, random.Random(seed), logs, restart)


def targets(world: World, chains: Sequence[str], count: int) -> list[tuple[str, str]]:
    """The stores that take part: the first of each chain that sell online."""
    online = {chain: [store.store_id for store in world.stores(chain) if store.is_online] for chain in chains}
    return [(chain, store_id) for chain, stores in online.items() for store_id in stores[:count]]


def mishaps(scene: Scene, names: Sequence[str] | None) -> Iterator[Mishap]:
    """For ever, each (of those named) in its turn, in a new order each time."""
    possible = [mishap for mishap in MISHAPS if scene.restart or not mishap.needs_restart]
    possible = [mishap for mishap in possible if not names or mishap.name in names]
    while possible:
        scene.chance.shuffle(possible)
        yield from possible


def rage(scene: Scene, options: argparse.Namespace, until: float) -> Iterator[Outcome]:
    """Crawls every store in peace, then plays rounds until the time or their number is up, then in peace again."""
    peace = MISHAPS[0]
    stores = targets(scene.sandbox.world, options.chain or product_spiders(), options.stores)
    for store in stores:
        yield play(scene, peace, *store)
    for mishap, store in islice(zip(mishaps(scene, options.mishap), cycle(stores)), options.rounds):
        if time.monotonic() > until:
            break
        scene.sandbox.day = scene.chance.randrange(6)  # within a specials period
        yield play(scene, mishap, *store)
    for store in stores:
        yield play(scene, peace, *store)
    if left := left_over(scene.engine):
        yield Outcome(scene.name, "afterwards", "", "", True, "", tuple(left))


def table(outcomes: Sequence[Outcome]) -> Table:
    """What happened, by database and mishap."""
    shown = Table("database", "what went wrong", "how the runs ended", title="Chaos", title_justify="left")
    for name in ("rounds", "struck", "broken"):
        shown.add_column(name, justify="right")
    for key in sorted({(outcome.scene, outcome.mishap) for outcome in outcomes}):
        these = [outcome for outcome in outcomes if (outcome.scene, outcome.mishap) == key]
        ended = ", ".join(f"{count} {status}" for status, count in Counter(each.status for each in these).most_common())
        broken = sum(bool(each.broken) for each in these)
        figures = (len(these), sum(each.struck for each in these))
        shown.add_row(*key, ended, *map(str, figures), f"[bold red]{broken}" if broken else "0")
    return shown


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="how long, over both databases (10)")
    parser.add_argument("--rounds", type=int, help="this many rounds a database, however long they take")
    parser.add_argument("--seed", type=int, default=1, help="of the mishaps and their moments (1)")
    parser.add_argument("--products", type=int, default=150, help="products a chain sells (150)")
    parser.add_argument("--stores", type=int, default=2, help="stores of each chain that take part (2)")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), help="only this one")
    parser.add_argument("--chain", action="append", help="only this chain; may be repeated")
    names = [mishap.name for mishap in MISHAPS]
    parser.add_argument("--mishap", action="append", choices=names, help="only this; may be repeated", metavar="NAME")
    parser.add_argument("--logs", type=Path, default=ROOT / "build" / "chaos", help="a log a crawl (build/chaos)")
    parser.add_argument("--json", action="store_true", help="print the rounds as JSON instead of a table")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when every promise held in every round, else 1."""
    options = parse(arguments)
    options.logs.mkdir(parents=True, exist_ok=True)
    console = Console(stderr=options.json, width=None if sys.stdout.isatty() else 120)
    world = World(seed=options.seed, products=options.products)
    kinds = [options.database] if options.database else ["sqlite", "postgresql"]
    outcomes: list[Outcome] = []
    for kind in kinds:
        until = float("inf") if options.rounds else time.monotonic() + options.minutes * 60 / len(kinds)
        with SandboxServer(world) as sandbox, scene(kind, sandbox, options.seed, options.logs) as place:
            for outcome in rage(place, options, until):
                outcomes.append(outcome)
                for line in outcome.broken:
                    told = f"{outcome.scene}, {outcome.mishap}, {outcome.chain} {outcome.store_id}: {line}"
                    console.print(told, style="red", markup=False)
    if options.json:
        print(json.dumps([asdict(outcome) for outcome in outcomes], indent=1))
    else:
        console.print(table(outcomes))
    return 1 if any(outcome.broken for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
