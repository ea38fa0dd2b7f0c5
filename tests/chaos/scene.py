"""Where chaos happens: a sandbox, a database, the clock of both, and crawls inside this process or as processes."""

import contextlib
import queue
import random
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from _support import crawls, oracle
from sqlalchemy import Engine, Row, select
from sqlalchemy.engine import make_url

from models.database import engine as engines
from models.tables import companies, crawl_runs
from sandbox.server import SandboxServer
from tests.chaos.disk import Disk, small_disk
from tests.chaos.proxy import Proxy
from tests.chaos.run import Doors

if TYPE_CHECKING:
    from tests.chaos.rounds import Mishap

NOON = clock_time(2, tzinfo=UTC)
"""At this time every Australian store has the sandbox's day."""


class Server(Protocol):
    """A PostgreSQL server that can be stopped and started (tests.support.postgres)."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def restart(self) -> None: ...

    def revive(self) -> None: ...


@dataclass
class Scene:
    """One database and its sandbox."""

    name: str
    sandbox: SandboxServer
    database: str
    engine: Engine
    chance: random.Random
    folder: Path
    logs: Path
    server: Server | None = None
    """PostgreSQL, where it may be stopped."""
    proxy: Proxy | None = None
    disk: Disk | None = None
    """What the database lies on, where it can be made small."""
    started: int = 0
    """Processes so far; each has its own log."""
    began: float = field(default_factory=time.monotonic)
    errands: "queue.SimpleQueue[tuple[Callable[[], None], threading.Event]]" = field(default_factory=queue.SimpleQueue)

    @property
    def file(self) -> Path:
        """The file of SQLite."""
        return Path(str(make_url(self.database).database))

    @property
    def proxied(self) -> str:
        """The database's URL through the proxy."""
        assert self.proxy
        return str(make_url(self.database).update_query_dict({"host": str(self.proxy.folder)}))

    def can(self, mishap: "Mishap") -> bool:
        """Whether it can happen here."""
        return (
            self.name in mishap.on
            and (self.server is not None or not mishap.stops_server)
            and (self.disk is not None or not mishap.fills_disk)
        )

    def now(self) -> datetime:
        """The time on the sandbox's day: noon at the start of the scene, then running on."""
        noon = datetime.combine(self.sandbox.world.date_of(self.sandbox.day), NOON)
        return noon + timedelta(seconds=time.monotonic() - self.began)

    def run(self, chain: str, store_code: str) -> Row[Any] | None:
        """The last run of a store."""
        return oracle.last_run(self.engine, chain, store_code)

    def has_complete(self, chain: str, store_code: str) -> bool:
        """Whether a run of the store was ever complete."""
        query = (
            select(crawl_runs.c.id)
            .join(companies, companies.c.id == crawl_runs.c.company_id)
            .where(companies.c.slug == chain, crawl_runs.c.store_code == store_code, crawl_runs.c.status == "complete")
        )
        with self.engine.connect() as connection:
            return connection.execute(query.limit(1)).first() is not None

    def errand(self, work: Callable[[], None]) -> None:
        """Has the main thread do the work, and waits: a server dies with the thread that started it."""
        done = threading.Event()
        self.errands.put((work, done))
        done.wait()

    def serve(self) -> None:
        """Does the errands for the main thread."""
        with contextlib.suppress(queue.Empty):
            while True:
                work, done = self.errands.get_nowait()
                try:
                    work()
                finally:
                    done.set()


class Crawl(Protocol):
    """A crawl under way."""

    def code(self) -> int | None:
        """Its exit code once it has ended; below 0 where a signal ended it."""

    def kill(self) -> None: ...


@dataclass
class Process:
    """A crawl as its own process."""

    popen: subprocess.Popen[bytes]

    def code(self) -> int | None:
        return self.popen.poll()

    def kill(self) -> None:
        self.popen.kill()
        self.popen.wait()


@dataclass
class Inside:
    """A crawl inside this process."""

    future: Future[Any]

    def code(self) -> int | None:
        if not self.future.done():
            return None
        code = self.future.result().exit_code
        return 1 if code is None else int(code)

    def kill(self) -> None:
        self.future.cancel()


def process(scene: Scene, chain: str, store_code: str, **options: Any) -> Process:
    """Starts a crawl as a process, dated by the sandbox; `options` as _support.crawls.start takes them."""
    ahead = (scene.now() - datetime.now(UTC)).total_seconds()
    settings = ("-s", f"CLOCK_AHEAD={ahead}", "-s", "RETRY_BACKOFF=0", "-s", "HEARTBEAT_SECONDS=0.2")
    scene.started += 1
    log = scene.logs / f"{scene.started:03}-{chain}-{store_code}.log"
    options["options"] = (*settings, "-s", "BROWSER=False", *options.get("options", ()))
    database = options.pop("database", scene.database)
    return Process(crawls.start(chain, store_code, database=database, sandbox=scene.sandbox.url, log=log, **options))


def inside(
    scene: Scene,
    chain: str,
    store_code: str,
    *,
    spider: Any = None,
    doors: Doors | None = None,
    database: str | None = None,
    arguments: dict[str, str] | None = None,
    settings: dict[str, Any] | None = None,
) -> Inside:
    """Starts a crawl on this process's reactor."""
    from tests.support.crawls import submit

    doors = doors or Doors(scene.now)
    own = {"HEARTBEAT_SECONDS": 0.2, "RETRY_TIMES": 3, **doors.settings(), **(settings or {})}
    args = {"store": store_code, **(arguments or {})}
    return Inside(submit(spider or chain, scene.sandbox.url, database or scene.database, args=args, **own))


@contextlib.contextmanager
def scene(kind: str, sandbox: SandboxServer, seed: int, logs: Path) -> Iterator[Scene]:
    """A scene on a fresh database of that kind (sqlite, postgresql), removed afterwards."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="splitcart-chaos-")))
        disk = stack.enter_context(small_disk())
        server = proxy = None
        url = f"sqlite:///{(disk.folder if disk else folder) / 'splitcart.db'}"
        if kind == "postgresql":
            from tests.support.postgres import Server as Postgres

            # A crash must not lose commits; in other tests the server may lose those of the last second.
            server = stack.enter_context(Postgres(disk.folder if disk else None, synchronous_commit="on"))
            url = server.url(server.create_database())
            if server.owned:
                home = Path(str(make_url(url).query["host"]))
                proxy = stack.enter_context(Proxy(home, folder))
        engine = engines.create(url)
        stack.callback(engine.dispose)
        engines.migrate(engine)
        owned = server if server is not None and server.owned else None
        full = disk if kind == "sqlite" or owned else None
        yield Scene(kind, sandbox, url, engine, random.Random(f"{seed}/{kind}"), folder, logs, owned, proxy, full)
