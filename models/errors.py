"""The errors of the storage. Each class states who raises it and what the operator should do."""

from datetime import datetime
from typing import ClassVar


class StorageError(Exception):
    """Base of the tree; never raised itself."""


class DatabaseRefused(StorageError, ValueError):
    """Raised before any work when DATABASE_URL, or the database that it names, cannot serve; its text names the remedy.

    No password is in it.
    """


class SchemaMismatch(StorageError):
    """Raised by check_schema when the database's revision is not the code's; its text names the remedy."""

    def __init__(self, found: str | None, wanted: str) -> None:
        self.found, self.wanted = found, wanted
        remedy = (
            "run `python scripts/migrate.py`"
            if found is None or found < wanted
            else "it was made by newer code: update this checkout"
        )
        super().__init__(f"the database's schema is {found or 'missing'}, this code needs {wanted}: {remedy}")


class StoreHeld(StorageError):
    """Raised by open_run while another run holds the store: wait until its lease ends, or pass `-a wait=1`."""

    def __init__(self, store_code: str, until: datetime, holder: str) -> None:
        self.store_code, self.until, self.holder = store_code, until, holder
        super().__init__(
            f"store {store_code} is held by {holder} until {until:%Y-%m-%d %H:%M:%S} UTC: wait, or pass -a wait=1"
        )


class StoreUnlisted(StorageError):
    """Raised by models.stores.listed for a store that the chain's last complete locator run does not list."""

    def __init__(self, slug: str, store_code: str, near: list[str]) -> None:
        self.store_code, self.near = store_code, near
        known = f"closest are {', '.join(near)}" if near else "it lists none"
        super().__init__(
            f"the last complete run of {slug}_stores does not list store {store_code}: {known}; if the store is new, "
            f"find it with scrapy crawl {slug}_stores, or crawl it all the same with -a unlisted=1"
        )


class SightingsDamaged(StorageError):
    """Raised by models.lines.sightings.read when a row of `sightings` is not what a publish wrote."""

    def __init__(self, store_id: int, run_id: int) -> None:
        super().__init__(
            f"sightings: the row of store_id={store_id}, run_id={run_id} cannot be read: restore it from a backup, or "
            "delete it and crawl the whole store"
        )


class LeaseOver(StorageError):
    """Raised by open_run when the lease given to a crawl is not its store's live one: take a store again."""

    def __init__(self, store_code: str, why: str) -> None:
        self.store_code = store_code
        super().__init__(
            f"the lease given for store {store_code} cannot be taken over: {why}; take a store with "
            "scripts/next_store.py and start its crawl before the lease ends, or leave -a lease= out"
        )


class MergeHeld(StorageError):
    """Raised before a merge while another process merges the company's groups: wait until it has ended."""

    def __init__(self, company: str, host: str, pid: int, until: datetime) -> None:
        super().__init__(
            f"the groups of {company} are being merged by process {pid} on {host}, until "
            f"{until:%Y-%m-%d %H:%M:%S} UTC at the latest: run it again when that has ended"
        )


class LeaseLost(StorageError):
    """Raised by heartbeat and publish when the run's token is no longer the live one: nothing was written."""

    _WHY: ClassVar[dict[str | None, str]] = {
        None: "its row in crawl_runs is gone",
        "running": "another crawl has resumed it",
        "abandoned": "another took the store over",
    }

    def __init__(self, run_id: int, status: str | None, why: str | None = None) -> None:
        self.run_id, self.status = run_id, status
        why = why or self._WHY.get(status, "it has ended already")
        super().__init__(f"run {run_id} ({status or 'unknown'}) lost its lease: {why}; crawl again")


class DatabaseReplaced(StorageError):
    """Raised by every commit and new connection when SQLite's file is no longer the one that was opened."""

    def __init__(self, path: str, what: str) -> None:
        self.path = path
        super().__init__(
            f"the database file {path} {what} while it was in use: nothing more was written to it. Put the file "
            "back together with its -wal and -shm files, run scripts/check_database.py, then start this again"
        )


class ClockWrong(StorageError):
    """Raised before a run is opened when this machine's clock cannot be right: set it, or pass `-a clock=trust`."""


class StagingIncomplete(StorageError):
    """Raised by publish when the number of staged rows is not the one that the pipeline handed over."""

    def __init__(self, run_id: int, counted: int, expected: int) -> None:
        self.run_id, self.counted, self.expected = run_id, counted, expected
        super().__init__(
            f"run {run_id} staged {expected} rows but {counted} were found: nothing was published; crawl again"
        )


class ListingsMissing(StorageError):
    """Raised by publish when skus that the run staged have no listing, though they were resolved just before.

    A fault of this code, or a database that lost what it had committed: scripts/check_database.py lists what else.
    """

    def __init__(self, run_id: int, count: int) -> None:
        self.run_id, self.count = run_id, count
        super().__init__(
            f"{count} skus of run {run_id} have no listing, though they were made just before: nothing was published; "
            "run scripts/check_database.py, then crawl again"
        )


class RollbackRefused(StorageError):
    """Raised by rollback when a run changed nothing, or later runs depend on what it wrote: roll those back first."""
