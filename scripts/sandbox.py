"""Serves the stand-in storefronts until it is interrupted: python scripts/sandbox.py --port 8000."""

import argparse
import json
import signal
import threading
from contextlib import ExitStack

import _path  # noqa: F401

from sandbox.control import state
from sandbox.server import SandboxServer
from sandbox.world import World


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free port (default 8000)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default 127.0.0.1)")
    parser.add_argument("--seed", type=int, default=1, help="the world that is drawn (default 1)")
    parser.add_argument("--products", type=int, default=400, help="lines a chain sells (default 400)")
    parser.add_argument("--stores", type=int, default=4, help="stores a chain has (default 4)")
    parser.add_argument("--zones", type=int, default=2, help="price zones a chain has (default 2)")
    parser.add_argument("--noise", type=float, default=0.004, help="share of a store's lines off its zone's price")
    parser.add_argument("--day", type=int, default=0, help="day of the world, 0 is a Wednesday (default 0)")
    parser.add_argument("--json", action="store_true", help="print one JSON line when it is ready, nothing else")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    world = World(options.seed, options.products, options.stores, options.zones, noise=options.noise)
    stop = threading.Event()
    for signal_ in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_, lambda *_: stop.set())
    with ExitStack() as stack:
        try:
            server = stack.enter_context(SandboxServer(world, options.port, options.day, options.host))
        except OSError as error:
            raise SystemExit(
                f"port {options.port} at {options.host}: {error.strerror}; choose another --port"
            ) from None
        ready = state(server)
        if options.json:
            print(json.dumps(ready), flush=True)
        else:
            print(f"day {ready['day']} ({ready['date']}), control at {server.url}/_sandbox/")
            for chain, site in ready["chains"].items():
                print(f"{chain:11}{site['url']}  stores {' '.join(site['stores'][:12])}", flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
