"""The server's own paths, /_sandbox/..., for other processes.

GET state | GET stores?chain= | GET truth?chain=&store=&day= | GET, POST, DELETE faults (JSON: Fault's fields; DELETE
?match= or ?number=) | GET, PUT day (JSON number) | GET, PUT, DELETE switches/NAME | GET, DELETE log (?since=N) |
PUT robots/CHAIN (JSON {status, text})
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Protocol

from aiohttp import web

from sandbox.faults import KINDS, Faults
from sandbox.places.places import Store
from sandbox.sites import sites, switches
from sandbox.world import World


class Entry(Protocol):
    """A request of the server's log."""

    def as_json(self) -> dict[str, Any]:
        """Its fields."""


class Controlled(Protocol):
    """What these paths read and change of a server."""

    day: int
    faults: Faults
    robots: dict[str, tuple[int, str]]

    @property
    def world(self) -> World:
        """The world that it serves."""

    @property
    def url(self) -> str:
        """Its address."""

    @property
    def port(self) -> int:
        """The port at which it listens."""

    @property
    def switches(self) -> set[str]:
        """The names of the switches that are on."""

    @property
    def log(self) -> Sequence[Entry]:
        """Every request so far."""

    def forget(self) -> None:
        """Empties the log."""

    def day_of(self, chain: str, store_code: str) -> int:
        """The day that a store is in now."""


def state(server: Controlled) -> dict[str, Any]:
    """The state of the server; also the ready line of scripts/sandbox.py."""
    world = server.world
    return {
        "url": server.url,
        "port": server.port,
        "day": server.day,
        "date": world.date_of(server.day).isoformat(),
        "seed": world.seed,
        "products": world.products,
        "chains": {
            chain: {"url": f"{server.url}/{chain}", "stores": [store.store_code for store in world.stores(chain)]}
            for chain in world.chains
        },
        "switches": sorted(server.switches),
        "faults": [fault.as_json() for fault in server.faults],
        "requests": len(server.log),
    }


async def handle(server: Controlled, request: web.BaseRequest) -> web.StreamResponse:
    """Answers a call: 400 with the reason where it is wrong, 404 where there is no such call."""
    parts = request.path.strip("/").split("/")
    if parts == [""]:
        return web.json_response(state(server))
    if parts[0] != "_sandbox":
        return web.json_response({"error": f"no chain {parts[0]!r}", "chains": list(sites())}, status=404)
    name = parts[1] if len(parts) > 1 else "state"
    call = _CALLS.get(name)
    if call is None:
        return web.json_response({"error": f"no call {name!r}", "calls": sorted(_CALLS)}, status=404)
    try:
        return web.json_response(await call(server, request, parts[2:]))
    except (KeyError, TypeError, ValueError) as error:
        return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)


async def _state(server: Controlled, request: web.BaseRequest, rest: list[str]) -> Any:
    return state(server)


async def _stores(server: Controlled, request: web.BaseRequest, rest: list[str]) -> Any:
    return [_store(store) for store in server.world.stores(request.query["chain"])]


def _store(store: Store) -> dict[str, Any]:
    """The fields of a store; its store code under the key `store_id`, as in every JSON document."""
    return {"store_id" if name == "store_code" else name: value for name, value in asdict(store).items()}


async def _truth(server: Controlled, request: web.BaseRequest, rest: list[str]) -> Any:
    query = request.query
    chain, store = query["chain"], query["store"]
    day = int(query["day"]) if "day" in query else server.day_of(chain, store)
    return server.world.truth(chain, store, day)


async def _faults(server: Controlled, request: web.BaseRequest, rest: list[str]) -> Any:
    if request.method == "POST":
        return server.faults.add(**await request.json()).as_json()
    if request.method == "DELETE":
        number = int(request.query["number"]) if "number" in request.query else None
        return {"cleared": server.faults.clear(request.query.get("match"), number=number)}
    return {"faults": [fault.as_json() for fault in server.faults], "kinds": KINDS}


async def _day(server: Controlled, request: web.BaseRequest, rest: list[str]) -> Any:
    if request.method == "PUT":
        server.day = int(await request.json())
    return {"day": server.day, "date": server.world.date_of(server.day).isoformat()}


async def _switches(server: Controlled, request: web.BaseRequest, rest: list[str]) -> Any:
    if rest and request.method == "PUT":
        server.switches.add(rest[0])
    elif rest and request.method == "DELETE":
        server.switches.discard(rest[0])
    return {"on": sorted(server.switches), "known": switches()}


async def _log(server: Controlled, request: web.BaseRequest, rest: list[str]) -> Any:
    if request.method == "DELETE":
        server.forget()
    since = int(request.query.get("since", 0))
    return [entry.as_json() for entry in server.log[since:]]


async def _robots(server: Controlled, request: web.BaseRequest, rest: list[str]) -> Any:
    if request.method == "PUT":
        wanted = await request.json()
        server.robots[rest[0]] = (int(wanted.get("status", 200)), str(wanted.get("text", "")))
    return {chain: {"status": status, "text": text} for chain, (status, text) in server.robots.items()}


_CALLS = {
    "state": _state,
    "stores": _stores,
    "truth": _truth,
    "faults": _faults,
    "day": _day,
    "switches": _switches,
    "log": _log,
    "robots": _robots,
}
