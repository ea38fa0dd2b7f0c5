"""A small file system for a database, which can really be full. It needs the right to mount one."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOM = 1 << 30
"""Its size in bytes while it is not full; it takes only the memory that is used."""
PREFIX = "splitcart-chaos-disk-"
TRIES = 20


@dataclass(frozen=True)
class Disk:
    """A mounted tmpfs."""

    folder: Path

    def fill(self, spare: int) -> None:
        """Leaves room for `spare` bytes more than are used now."""
        for _ in range(TRIES):  # more than the requested size may have been written meanwhile
            stat = os.statvfs(self.folder)
            if self._resize((stat.f_blocks - stat.f_bfree) * stat.f_frsize + spare):
                return
        raise OSError(f"{self.folder} could not be made smaller")

    def empty(self) -> None:
        """Restores its full size."""
        self._resize(ROOM)

    def _resize(self, size: int) -> bool:
        return _run("mount", "-o", f"remount,size={size}", self.folder)


def _run(*command: str | Path) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=30).returncode == 0
    except OSError:
        return False


def _sweep(parent: Path) -> None:
    """Unmounts the disks that killed runs left."""
    for folder in parent.glob(f"{PREFIX}*"):
        owner = folder.name.removeprefix(PREFIX).split("-")[0]
        if owner.isdigit() and not Path("/proc", owner).exists():
            _unmount(folder)


def _unmount(folder: Path) -> None:
    _run("umount", "-l", folder)
    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def small_disk() -> Iterator[Disk | None]:
    """The disk; None where this process may not mount one."""
    parent = Path(tempfile.gettempdir())
    _sweep(parent)
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=parent))
    try:
        mounted = _run("mount", "-t", "tmpfs", "-o", f"size={ROOM},mode=0755", PREFIX.rstrip("-"), folder)
        yield Disk(folder) if mounted else None
    finally:
        _unmount(folder)
