"""Serves the stand-in storefronts until it is interrupted: python scripts/sandbox.py --port 8000."""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Any

import _path
from _support.command import PORT, Refused, integer, parser, run, within, word
from _support.output import print_json, print_lines

from sandbox.control import state
from sandbox.server import SandboxServer
from sandbox.world import World


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: served until it was interrupted; 1: it cannot listen there; 2: wrong arguments."""
    made = parser(__doc__, json="print one JSON line when it is ready, and nothing else")
    made.add_argument("--port", type=PORT, default=8000, help="0 takes a free port (default 8000)")
    made.add_argument("--host", type=word, default="127.0.0.1", help="address to listen at (default 127.0.0.1)")
    made.add_argument("--seed", type=integer(-(10**15), 10**15), default=1, help="the seed of the world (default 1)")
    made.add_argument("--products", type=integer(1, 200_000), default=400, help="lines a chain sells (default 400)")
    made.add_argument("--stores", type=integer(1, 5_000), default=4, help="stores a chain has (default 4)")
    made.add_argument("--zones", type=integer(1, 1_000), default=2, help="price zones a chain has (default 2)")
    made.add_argument("--noise", type=within(0, 1), default=0.004, help="share of a store's lines off its zone's price")
    made.add_argument(
        "--day", type=integer(-3650, 36500), default=0, help="day of the world, 0 is a Wednesday (default 0)"
    )
    return run(made, _serve, arguments)


def _serve(options: argparse.Namespace) -> int:
    try:
        world = World(options.seed, options.products, options.stores, options.zones, noise=options.noise)
    except ValueError as error:
        raise Refused(f"--stores {options.stores}: {error}") from None
    stop = threading.Event()
    for signal_ in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_, lambda *_: stop.set())
    try:
        server = SandboxServer(world, options.port, options.day, options.host).__enter__()
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConnectionError(
            f"port {options.port} at {options.host}: {reason}; choose another --port or --host"
        ) from None
    try:
        _print_ready(state(server), server.url, as_json=options.json)
        stop.wait()
    finally:
        server.__exit__(None, None, None)
    return 0


def _print_ready(ready: dict[str, Any], url: str, *, as_json: bool) -> None:
    """Prints the address of each chain's site, once they are served."""
    if as_json:
        print_json(ready)
        return
    print_lines(f"day {ready['day']} ({ready['date']}), control at {url}/_sandbox/")
    for chain, site in ready["chains"].items():
        print_lines(f"{chain:11}{site['url']}  stores {' '.join(site['stores'][:12])}")


if __name__ == "__main__":
    sys.exit(main())
