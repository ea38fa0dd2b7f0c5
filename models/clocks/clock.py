"""Clocks that cannot be right: found before a run is dated with them, and their traces put right afterwards.

A run is dated by its machine. One fast clock would move every later run of the store: a new entry of its history must
lie after the latest one.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, func, select, text

from models.database.dialect import is_postgres
from models.database.retry import retried
from models.errors import ClockWrong
from models.tables import crawl_runs, membership_periods, stores

MOST_AHEAD = timedelta(days=400)
"""How far a clock may be ahead of the latest time in the database."""
MOST_OFF = timedelta(minutes=5)
"""How far a machine's clock may be from the PostgreSQL server's."""
RISK = (
    "prices and their history will be dated by this clock. If it is wrong, every later run of the store is dated after "
    "it, until scripts/rollback_run.py heals the store"
)


def check(engine: Engine, now: datetime, *, machine: datetime, most: timedelta = MOST_AHEAD) -> None:
    """Raises ClockWrong when `now`, the time a run would be dated with, cannot be right.

    It lies more than `most` after the latest time in the database; or `machine`, the machine's own clock at that
    moment, is more than MOST_OFF from the PostgreSQL server's. An empty database has no latest time.
    """

    def work() -> tuple[datetime | None, datetime | None]:
        with engine.connect() as connection:
            return latest(connection), server_time(connection)

    seen, server = retried(engine, work, what="reading the latest time in the database")
    if seen is not None and now - seen > most:
        raise ClockWrong(
            f"this machine's clock says {_shown(now)}, {(now - seen).days} days after the latest time in the database, "
            f"{_shown(seen)}; {most.days} days are believed (CLOCK_MOST_DAYS). {_REMEDY}"
        )
    if server is not None and abs(machine - server) > MOST_OFF:
        raise ClockWrong(
            f"this machine's clock says {_shown(machine)}, the PostgreSQL server's {_shown(server)}: more than "
            f"{MOST_OFF.seconds // 60} minutes apart. {_REMEDY}"
        )


_REMEDY = "Set the clock that is wrong (timedatectl), or pass -a clock=trust if it is right"


def _shown(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def latest(connection: Connection) -> datetime | None:
    """The latest time at which anything is known to have happened; None in an empty database.

    Every column is read by an index or from a small table.
    """
    runs = crawl_runs.c
    asked = (
        select(func.max(runs.finished_at)),
        select(func.max(runs.started_at)).where(runs.status == "running"),
        select(func.max(stores.c.last_scraped)),
        select(func.max(membership_periods.c.from_at)),
    )
    found = [connection.execute(one).scalar() for one in asked]
    return max((when for when in found if when is not None), default=None)


def after(now: datetime, latest: datetime | None) -> datetime:
    """`now`, or the first moment after `latest`, so that history stays in order even when a clock goes back."""
    return now if latest is None else max(now, latest + timedelta(microseconds=1))


def server_time(connection: Connection) -> datetime | None:
    """The time of the PostgreSQL server; None on SQLite, which has no server."""
    if not is_postgres(connection):
        return None
    now: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return now.astimezone(UTC)
