"""Refuses to date a run with a clock that cannot be right.

A run is dated by its machine. One fast clock would move every later run of the store, because a new entry of the
history must lie after the latest one.
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
    """Raises ClockWrong if `now`, the time with which a run would be dated, cannot be right.

    That is so if it lies more than `most` after the latest time in the database, or if `machine`, the machine's own
    clock at that moment, is more than MOST_OFF from the PostgreSQL server's. An empty database has no latest time.
    """

    def work() -> tuple[datetime | None, datetime | None]:
        with engine.connect() as connection:
            return latest(connection), server_time(connection)

    seen, server = retried(engine, work, what="reading the latest time in the database")
    if seen is not None and now - seen > most:
        raise ClockWrong(
            f"this machine's clock shows {_shown(now)}, {(now - seen).days} days after the latest time in the "
            f"database, {_shown(seen)}; at most {most.days} days are accepted (CLOCK_MOST_DAYS). {_REMEDY}"
        )
    if server is not None and abs(machine - server) > MOST_OFF:
        raise ClockWrong(
            f"this machine's clock shows {_shown(machine)}, the PostgreSQL server's {_shown(server)}: more than "
            f"{MOST_OFF.seconds // 60} minutes apart. {_REMEDY}"
        )


_REMEDY = "Set the clock that is wrong (timedatectl), or pass -a clock=trust if it is right"


def _shown(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def latest(connection: Connection) -> datetime | None:
    """The latest time of any event in the database; None in an empty database.

    Every column is read by an index or from a small table.
    """
    runs = crawl_runs.c
    queries = (
        select(func.max(runs.finished_at)),
        select(func.max(runs.started_at)).where(runs.status == "running"),
        select(func.max(stores.c.last_scraped)),
        select(func.max(membership_periods.c.from_at)),
    )
    times = [connection.execute(query).scalar() for query in queries]
    return max((when for when in times if when is not None), default=None)


def after(now: datetime, latest: datetime | None) -> datetime:
    """`now`, or the first moment after `latest`, so that history stays in order even if a clock goes back."""
    return now if latest is None else max(now, latest + timedelta(microseconds=1))


def server_time(connection: Connection) -> datetime | None:
    """The time of the PostgreSQL server; None on SQLite, which has no server."""
    if not is_postgres(connection):
        return None
    now: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return now.astimezone(UTC)
