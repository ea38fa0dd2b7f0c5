"""Staging keeps every row it accepted, whatever the database does meanwhile."""

import asyncio
import sqlite3
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from models.database import bulk
from models.staging.writer import StagingWriter
from tests.support.storage import START, open_run, query, row, stage, value


def test_every_row_is_staged_in_order(engine: Engine) -> None:
    run = open_run(engine)
    totals = stage(engine, run.id, [row(i, i) for i in range(250)], batch=100)
    assert (totals.accepted, totals.staged, totals.quarantined, totals.error) == (250, 250, 0, None)
    assert query(engine, "SELECT seq, sku, price_cents FROM staged_items ORDER BY seq") == [
        (i, str(i), i) for i in range(250)
    ]


def test_odd_texts_come_back_as_they_were(engine: Engine) -> None:
    run = open_run(engine)
    names = [
        "tab\there",
        "line\nbreak\r",
        "back\\slash \\N",
        "unit\x1fseparator",
        "null\x1emark",
        "Crème brûlée 🍮",
        "'\"",
    ]
    stage(engine, run.id, [row(i, name=name, brand=None, url="") for i, name in enumerate(names)])
    assert query(engine, "SELECT name, brand, url FROM staged_items ORDER BY seq") == [(n, None, "") for n in names]


def test_unit_prices_are_kept_as_integer_ten_thousandths(engine: Engine) -> None:
    run = open_run(engine)
    stage(engine, run.id, [row(1, unit_price=7.4012, unit_of_measure="kg")])
    assert query(engine, "SELECT unit_price_e4, unit_of_measure FROM staged_items") == [(74012, "kg")]


def test_members_offers_are_kept_beside_the_public_one(engine: Engine) -> None:
    run = open_run(engine)
    member = {"member_price_cents": 90, "member_multibuy_quantity": 2, "member_multibuy_total_cents": 150}
    stage(engine, run.id, [row(1, **member), row(2)])
    sql = f"SELECT price_cents, multibuy_quantity, {', '.join(member)} FROM staged_items ORDER BY seq"
    assert query(engine, sql) == [(100, None, 90, 2, 150), (100, None, None, None, None)]


def test_a_row_whose_name_could_not_be_read_is_staged_without_one_and_without_a_key(engine: Engine) -> None:
    run = open_run(engine)
    totals = stage(engine, run.id, [row(1, name=None, is_unreadable=True), row(2, None, is_unreadable=True), row(3)])
    assert (totals.staged, totals.quarantined) == (3, 0)
    sql = "SELECT name, normalized_key IS NULL, is_unreadable FROM staged_items ORDER BY seq"
    assert query(engine, sql) == [(None, True, True), ("Product 2", False, True), ("Product 3", False, False)]


BROKEN = {
    "negative": {"price_cents": -1},
    "was_below": {"was_price_cents": 50, "is_on_special": True},
    "special_without_was": {"is_on_special": True},
    "basis": {"price_basis": "dozen"},
    "half_multibuy": {"multibuy_quantity": 2},
    "multibuy_of_one": {"multibuy_quantity": 1, "multibuy_total_cents": 5},
    "half_members_multibuy": {"member_multibuy_quantity": 2},
    "other_half_of_it": {"member_multibuy_total_cents": 500},
    "members_multibuy_of_one": {"member_multibuy_quantity": 1, "member_multibuy_total_cents": 5},
    "members_multibuy_below_nothing": {"member_multibuy_quantity": 2, "member_multibuy_total_cents": -1},
    "gtin": {"gtin": "123"},
    "letters": {"gtin": "0930060512345X"},
    "text_price": {"price_cents": "cheap"},
    "fraction": {"price_cents": 99.5},
    "huge": {"price_cents": 2**70},
    "unit": {"unit_price": 1.0, "unit_of_measure": "furlong"},
    "unit_missing": {"unit_price": 1.0},
    "surrogate": {"name": "half \ud83c"},
    "empty_name": {"name": ""},
    "no_sku": {"sku": None},
    "half_member_multibuy": {"member_multibuy_total_cents": 500},
    "member_multibuy_of_one": {"member_multibuy_quantity": 1, "member_multibuy_total_cents": 5},
    "negative_member_price": {"member_price_cents": -1},
    "naive": {"scraped_at": datetime(2026, 1, 1)},
    "a_dict": {"url": {"no": "text"}},
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_poison_row_is_quarantined_and_costs_no_other_row(engine: Engine, fault: str) -> None:
    run = open_run(engine)
    rows = [row(i) for i in range(20)]
    rows[13] = row(13) | BROKEN[fault]
    totals = stage(engine, run.id, rows, batch=8)
    assert (totals.accepted, totals.staged, totals.quarantined, totals.error) == (20, 19, 1, None)
    [(seq, sku, reason)] = query(engine, "SELECT seq, sku, reason FROM quarantined_items")
    assert (seq, sku) == (13, str(BROKEN[fault].get("sku", 13)))
    assert reason


def test_a_batch_is_kept_until_its_commit_succeeds(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    run = open_run(engine)
    real, calls = bulk.insert, []

    def failing(connection, table, columns, rows):
        calls.append(len(rows))
        if len(calls) in (2, 3):
            raise sqlite3.OperationalError("database is locked")
        return real(connection, table, columns, rows)

    monkeypatch.setattr(bulk, "insert", failing)
    totals = stage(engine, run.id, [row(i) for i in range(30)], batch=10)
    assert (totals.accepted, totals.staged, totals.error) == (30, 30, None)
    assert calls == [10, 10, 10, 10, 10]
    assert value(engine, "SELECT count(DISTINCT sku) FROM staged_items") == 30


def test_a_killed_connection_loses_and_doubles_nothing(postgres_url: str) -> None:
    from models.database import engine as engines

    engine, other = engines.create(postgres_url), engines.create(postgres_url)
    run = open_run(engine)

    async def work():
        writer = StagingWriter(engine, run.id, batch=50)
        writer.start()
        for i in range(1000):
            await writer.put(row(i))
            if i % 100 == 50:
                await asyncio.to_thread(kill)
        return await writer.close()

    def kill() -> None:
        with other.begin() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )

    totals = asyncio.run(work())
    assert (totals.accepted, totals.staged, totals.error) == (1000, 1000, None)
    assert query(other, "SELECT count(*), count(DISTINCT sku) FROM staged_items") == [(1000, 1000)]
    engine.dispose()
    other.dispose()


def test_a_database_that_stays_away_ends_in_an_error_not_in_silence(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = open_run(engine)

    def failing(*_args):
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(StagingWriter, "_write", failing)
    totals = stage(engine, run.id, [row(i) for i in range(300)], batch=10, buffer=20, patience=0.0)
    assert (totals.accepted, totals.staged) == (300, 0)
    assert "locked" in str(totals.error)


def test_a_full_buffer_makes_the_crawl_wait_not_grow(engine: Engine) -> None:
    run = open_run(engine)

    async def work():
        writer = StagingWriter(engine, run.id, batch=10, buffer=25)
        writer.start()
        most = 0
        for i in range(500):
            await writer.put(row(i))
            most = max(most, len(writer._rows))
        return most, await writer.close()

    most, totals = asyncio.run(work())
    assert most <= 25
    assert totals.staged == 500


def test_a_resumed_run_stages_after_its_last_row(engine: Engine) -> None:
    run = open_run(engine)
    stage(engine, run.id, [row(i) for i in range(5)])
    totals = stage(engine, run.id, [row(i) for i in range(5, 8)])
    assert (totals.accepted, totals.staged) == (8, 8)
    assert query(engine, "SELECT seq, sku FROM staged_items ORDER BY seq") == [(i, str(i)) for i in range(8)]


def test_a_writer_without_rows_writes_nothing(engine: Engine) -> None:
    run = open_run(engine)
    assert stage(engine, run.id, []).staged == 0
    assert value(engine, "SELECT count(*) FROM staged_items") == 0


@pytest.mark.parametrize("resume", [True, False])
def test_a_process_that_lost_its_run_stages_nothing_more(engine: Engine, resume: bool) -> None:
    """Else it would overwrite what the process that resumed the walk had staged, and the counts would still agree."""
    late = START + timedelta(hours=1)

    async def work():
        run = open_run(engine)
        slept = StagingWriter.of(engine, run, batch=3)
        slept.start()
        for i in range(3):
            await slept.put(row(i))
        while slept.staged < 3:
            await asyncio.sleep(0.01)
        again = await asyncio.to_thread(open_run, engine, now=late, resume=resume)
        other = StagingWriter.of(engine, again)
        other.start()
        for i in range(3, 6):
            await other.put(row(i))
        totals = await other.close()
        for i in range(6, 9):
            await slept.put(row(i))
        return run, again, totals, await slept.close()

    run, again, totals, lost = asyncio.run(work())
    assert (again.id == run.id) is resume
    assert (lost.accepted, lost.staged) == (6, 3)
    assert f"run {run.id} ({'running' if resume else 'abandoned'}) lost its lease" in str(lost.error)
    skus = [sku for (sku,) in query(engine, "SELECT sku FROM staged_items ORDER BY seq")]
    assert skus == [str(i) for i in range(0 if resume else 3, 6)]
    assert totals.staged == len(skus)
