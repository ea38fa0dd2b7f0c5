"""What only PostgreSQL can show: dead tuples, write-ahead log, locks between publishers, readers meanwhile."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text

from models.database import engine as engines
from models.publishing import publish as publishing
from models.publishing.publish import publish
from models.runs.endings import Ending
from tests.support.groups import grouped, merge
from tests.support.storage import (
    START,
    cents,
    check_sound,
    crawl,
    day,
    judged,
    measured,
    open_run,
    query,
    row,
    stage,
    value,
)

TOUCHED = "SELECT n_tup_ins, n_tup_upd, n_tup_del, n_dead_tup FROM pg_stat_user_tables WHERE relname = :t"


def statistics(engine: Engine, table: str) -> tuple[int, ...]:
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_stat_force_next_flush()"))
    return query(engine, TOUCHED, t=table)[0]


@pytest.fixture
def postgres(postgres_url: str):
    engine = engines.create(postgres_url)
    yield engine
    engine.dispose()


def test_an_unchanged_crawl_writes_no_row_and_next_to_no_log(postgres: Engine) -> None:
    rows = [row(i, 100 + i) for i in range(5000)]
    crawl(postgres, rows)
    run = open_run(postgres, now=day(1))
    stage(postgres, run.id, rows)
    counts = measured(postgres, run)
    before = [statistics(postgres, table) for table in ("prices", "price_changes", "listings", "products")]
    start = value(postgres, "SELECT pg_current_wal_lsn()")
    publish(postgres, run, Ending(verdict=judged(), now=day(1), counts=counts))
    written = value(postgres, "SELECT pg_current_wal_lsn() - CAST(:start AS pg_lsn)", start=start)
    assert [statistics(postgres, table) for table in ("prices", "price_changes", "listings", "products")] == before
    assert written <= 100_000


def test_eight_stores_at_once_meet_no_deadlock(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engines.create(postgres_url)
    rows = [row(i, 100 + i) for i in range(2000)]
    crawl(engine, rows, store="known")
    tries: list[int] = []
    real = publishing.lock_store

    def counted(connection, store_id):
        tries.append(store_id)
        return real(connection, store_id)

    monkeypatch.setattr(publishing, "lock_store", counted)

    def one(store: int) -> int:
        mine = list(rows) if store % 2 else list(reversed(rows))
        return crawl(engine, [*mine, row(f"new{store}"), row("common")], store=str(store), now=day(1))[1].inserted

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, range(8))) == [2002] * 8
    assert len(tries) == 8  # nobody had to begin again
    assert query(engine, "SELECT count(*), max(ordinal) + 1 FROM listings") == [(2009, 2009)]
    assert value(engine, "SELECT count(DISTINCT store_id) FROM store_group_memberships") == 9
    engine.dispose()


def test_members_of_one_group_publish_beside_each_other(postgres: Engine) -> None:
    rows = [row(i, 100 + i) for i in range(300)]
    for store in range(6):
        crawl(postgres, rows, store=str(store))
    merge(postgres)
    assert len(grouped(postgres)) == 1

    def one(store: int) -> None:
        for number in range(1, 4):
            changed = [row(i, 100 + i + number * (i % 7 == store)) for i in range(300)]
            crawl(postgres, changed, store=str(store), now=day(number))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(one, range(6)))
    assert value(postgres, "SELECT count(*) FROM crawl_runs WHERE status = 'complete'") == 24
    for store in range(6):
        assert cents(postgres, str(store)) == {str(i): 100 + i + 3 * (i % 7 == store) for i in range(300)}
    check_sound(postgres)


def test_a_member_does_not_wait_for_its_anchor_nor_the_anchor_for_it(postgres: Engine, monkeypatch) -> None:
    """Each run writes its own store's rows alone: the other's publish, held open before its commit, is in no way."""
    for store in ("1", "2"):
        crawl(postgres, [row(i, 100) for i in range(50)], store=store)
    merge(postgres)
    real, finished = publishing.end, []

    def held(*args, **options) -> None:
        real(*args, **options)
        monkeypatch.setattr(publishing, "end", real)
        other = "2" if not finished else "1"
        rows = [row(i, 200 + len(finished)) for i in range(50)]
        late = threading.Thread(target=crawl, args=(postgres, rows), kwargs={"store": other, "now": day(len(finished))})
        late.start()
        late.join(60)
        finished.append(not late.is_alive())

    for number, store in enumerate(("1", "2"), 1):
        monkeypatch.setattr(publishing, "end", held)
        crawl(postgres, [row(i, 300 + number) for i in range(50)], store=store, now=day(number))
    assert finished == [True, True]
    check_sound(postgres)


def test_readers_see_the_old_state_or_the_new_and_never_wait(postgres: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    crawl(postgres, [row(i, 100) for i in range(50)])
    seen: list[dict[str, int]] = []
    held = threading.Event()
    real = publishing.end

    def slow(*args, **options):
        seen.append(cents(postgres))  # all is written, nothing is committed
        held.set()
        real(*args, **options)

    monkeypatch.setattr(publishing, "end", slow)
    crawl(postgres, [row(i, 200) for i in range(40)], now=day(1))
    assert held.is_set()
    assert seen == [{str(i): 100 for i in range(50)}]
    assert cents(postgres) == {str(i): 200 if i < 40 else 100 for i in range(50)}


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_connection_lost_around_the_commit_is_tried_again_once(
    postgres: Engine, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    run = open_run(postgres)
    stage(postgres, run.id, [row(1)])
    counts = measured(postgres, run)
    real, calls = publishing._publish, []

    def dying(connection, *args):
        calls.append(1)
        found = real(connection, *args)
        if len(calls) == 1:
            if moment == "after":
                connection.connection.commit()
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return found

    monkeypatch.setattr(publishing, "_publish", dying)
    published = publish(postgres, run, Ending(verdict=judged(), now=START, counts=counts))
    assert published.inserted == 1
    assert len(calls) == {"before": 2, "after": 1}[moment]
    assert value(postgres, "SELECT count(*) FROM price_changes") == 1
