"""The server: four sites under one address, with its own thread and event loop."""

import asyncio
import datetime as dt
import socket
import struct
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import TracebackType
from typing import Any

from aiohttp import web

from sandbox import control, garble, pages
from sandbox.faults import TAMPERING, Fault, Faults, tampering
from sandbox.site import Ask, BodyCache, Reply, opaque
from sandbox.sites import switches
from sandbox.world import World


class Switches(set[str]):
    """The names of the switches that are on; a name that no site knows is a KeyError."""

    def add(self, name: str) -> None:
        if name not in switches():
            raise KeyError(f"unknown switch {name!r}: one of {', '.join(sorted(switches()))}")
        super().add(name)


@dataclass(slots=True)
class Request:
    """One request as it came in. `path` is the site's own, without the chain and the query."""

    time: float
    """Monotonic seconds."""
    wall: float
    """Seconds since 1970."""
    chain: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    """Names compare without case."""
    cookies: Mapping[str, str]
    body: str
    status: int = 0
    """The status of the answer; 0 where the connection was reset."""
    faults: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path

    def as_json(self) -> dict[str, Any]:
        plain = {each.name: getattr(self, each.name) for each in fields(self)}
        return {**plain, "headers": dict(self.headers), "cookies": dict(self.cookies)}


class SandboxServer:
    """Serves a world on 127.0.0.1; a context manager. Every public attribute may be set while it runs.

    url: the address that a crawler's base setting takes; a chain's site stands under url/<chain>.
    day: the day in all stores. clock: an aware time; where set, each store has the day of its own time zone.
    """

    def __init__(self, world: World, port: int = 0, day: int = 0, host: str = "127.0.0.1") -> None:
        self.world = world
        self.host, self.port = host, port
        self.day = day
        self.clock: dt.datetime | None = None
        self.faults = Faults()
        self.switches = Switches()
        self.robots: dict[str, tuple[int, str]] = {}
        self.log: list[Request] = []
        self.builds = 1
        self.epoch = 0
        """Sessions of an earlier epoch are void."""
        self._cache = BodyCache()
        self._loop = asyncio.new_event_loop()
        self._runner: web.ServerRunner | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="sandbox", daemon=True)

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def build(self) -> str:
        """Coles' current build id."""
        return f"202611{self.builds % 28 + 1:02d}.{self.builds}-{opaque(f'build{self.builds}', 32).lower()}0badcafe"

    def __enter__(self) -> "SandboxServer":
        self._thread.start()
        try:
            self.network_up()
        except OSError:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.network_down()
        self._end()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def network_up(self) -> None:
        """Listens (again, at the same port)."""
        if self._runner is None:
            asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)

    def network_down(self) -> None:
        """Closes the listening socket and every connection: connecting is refused."""
        if self._runner is not None:
            asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)

    async def _start(self) -> None:
        runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, self.host, self.port, reuse_address=True).start()
        self.port = runner.addresses[0][1]
        self._runner = runner

    async def _stop(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    def forget(self) -> None:
        """Empties the log."""
        self.log.clear()

    def day_of(self, chain: str, store_code: str) -> int:
        """The day that a store is in now."""
        return self.day if self.clock is None else self.world.day_at(chain, store_code, self.clock)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        chain, _, rest = request.path.removeprefix("/").partition("/")
        if chain not in self.world.sites:
            return await control.handle(self, request)
        body = await request.read()
        entry = Request(
            time=time.monotonic(),
            wall=time.time(),
            chain=chain,
            method=request.method,
            path=f"/{rest}",
            query=request.query_string,
            headers=request.headers,
            cookies=request.cookies,
            body=body.decode(errors="replace"),
        )
        self.log.append(entry)
        faults = self.faults.firing(chain, f"{entry.method} {entry.url} {entry.body}")
        entry.faults = [fault.kind for fault in faults]
        reply = await self._reply(request, entry, body, faults)
        return await self._send(request, entry, reply, {fault.kind for fault in faults})

    async def _reply(self, request: web.BaseRequest, entry: Request, body: bytes, faults: list[Fault]) -> Reply:
        reply = None
        for fault in faults:
            if fault.kind == "delay":
                await asyncio.sleep(fault.seconds)
            elif fault.kind == "day":
                self.day = int(fault.value)
            elif fault.kind == "build":
                self.builds += 1
            elif fault.kind == "switch":
                self.switches.add(str(fault.value))
            elif fault.kind == "expire":
                self.epoch += 1
            reply = reply or pages.of_fault(fault, self.world.traits[entry.chain].denial)
        if reply is None:
            reply = self._answer(request, entry, body, faults)
        for fault in faults:
            reply = garble.garbled(entry.chain, reply, fault.kind, fault.value, fault.form)
            reply = pages.spoil(reply, fault.kind)
        return reply

    def _answer(self, request: web.BaseRequest, entry: Request, body: bytes, faults: list[Fault]) -> Reply:
        if entry.path == "/robots.txt":
            status, text = self.robots.get(entry.chain, (404, "Not Found"))
            return Reply(status, text.encode(), "text/plain; charset=utf-8")
        ask = Ask(
            world=self.world,
            chain=entry.chain,
            method=entry.method,
            path=entry.path,
            query=request.query,
            headers=request.headers,
            cookies=entry.cookies,
            body=body,
            day_of=lambda store_code: self.day_of(entry.chain, store_code),
            switches=frozenset(self.switches),
            tamper=tampering([fault for fault in faults if fault.kind in TAMPERING]),
            cache=self._cache,
            build=self.build,
            epoch=self.epoch,
            base=f"http://{request.host}/{entry.chain}",
        )
        return self.world.sites[entry.chain].answer(ask)

    async def _send(
        self, request: web.BaseRequest, entry: Request, reply: Reply, kinds: set[str]
    ) -> web.StreamResponse:
        if "reset" in kinds:
            self._reset(request)
            return web.Response()
        entry.status = reply.status
        headers: list[tuple[str, str]] = [("Content-Type", reply.content_type), *reply.headers]
        if "cut" not in kinds:
            response = web.Response(status=reply.status, body=reply.body)
            response.headers.extend(headers[1:])
            response.headers["Content-Type"] = reply.content_type
            return response
        cut = web.StreamResponse(status=reply.status)
        cut.headers.extend(headers)
        cut.content_length = len(reply.body)
        await cut.prepare(request)
        await cut.write(reply.body[: len(reply.body) // 2])
        if request.transport is not None:
            request.transport.close()
        return cut

    @staticmethod
    def _reset(request: web.BaseRequest) -> None:
        """Resets the connection instead of closing it: a linger of zero seconds."""
        transport = request.transport
        if transport is None:
            return
        plug = transport.get_extra_info("socket")
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
