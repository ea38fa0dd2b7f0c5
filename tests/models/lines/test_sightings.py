"""When each line was seen last: kept in a row a publish, never rewritten, and read as of any time."""

import zlib
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, update

from models import tables
from models.errors import SightingsDamaged
from models.lines import sightings
from models.lines.sightings import LastLooks, Layer, Look, packed, unpacked
from models.publishing.rollback import rollback
from splitcart.observed import Sighting
from splitcart.periods import Flip
from tests.support.storage import START, crawl, day, query, row


def look(number: int) -> Look:
    at = START + timedelta(hours=number, microseconds=number)
    return Look(Sighting(at, at.date(), at.date() - timedelta(days=3)), 100 + number)


def lines(*ordinals: int, length: int = 12) -> np.ndarray:
    return np.isin(np.arange(length), ordinals)


LAYERS = st.lists(
    st.tuples(st.integers(0, 9), st.sets(st.integers(0, 40))).map(
        lambda layer: Layer(look(layer[0]), lines(*layer[1], length=max(layer[1], default=-1) + 1))
    ),
    max_size=6,
    unique_by=lambda layer: layer.look,
)


@given(LAYERS)
def test_packed_layers_come_back(layers: list[Layer]) -> None:
    found = list(unpacked(packed(layers)))
    assert [one.look for one in found] == [one.look for one in layers]
    for one, layer in zip(found, layers, strict=True):
        assert np.flatnonzero(one.lines).tolist() == np.flatnonzero(layer.lines).tolist()


@given(LAYERS, st.randoms(use_true_random=False))
def test_the_latest_look_at_a_line_counts_in_whatever_order_they_are_read(layers: list[Layer], rng) -> None:
    seen, shuffled = LastLooks(), list(layers)
    rng.shuffle(shuffled)
    for layer in shuffled:
        seen.add(layer)
    for ordinal in range(45):
        looks = [one.look for one in layers if ordinal < len(one.lines) and one.lines[ordinal]]
        assert seen.at(ordinal) == max(looks, key=lambda one: one.sighting.at, default=None)


def test_layers_yields_one_layer_for_each_look() -> None:
    seen = LastLooks()
    for layer in (Layer(look(1), lines(0, 1, 2)), Layer(look(2), lines(2, 3)), Layer(look(3), lines(9))):
        seen.add(layer)
    found = {layer.look: np.flatnonzero(layer.lines).tolist() for layer in seen.layers(lines(1, 2, 3, 5))}
    assert found == {look(1): [1], look(2): [2, 3]}
    assert np.flatnonzero(seen.lines).tolist() == [0, 1, 2, 3, 9]
    assert list(seen.layers(lines())) == []


@pytest.mark.parametrize(
    ("zone", "hour", "local_day", "period"),
    [
        ("Australia/Sydney", 12, "2026-11-24", "2026-11-18"),  # 23:00
        ("Australia/Sydney", 13, "2026-11-25", "2026-11-25"),  # midnight to Wednesday: the flip
        ("Australia/Perth", 15, "2026-11-24", "2026-11-18"),
        ("Australia/Perth", 16, "2026-11-25", "2026-11-25"),
        ("Australia/Adelaide", 13.5, "2026-11-25", "2026-11-25"),
    ],
)
def test_day_and_period_are_those_of_the_stores_clock(zone: str, hour: float, local_day: str, period: str) -> None:
    at = datetime(2026, 11, 24, tzinfo=UTC) + timedelta(hours=hour)
    found = sightings.sighting(Flip(), zone, at)
    assert (found.at, found.day.isoformat(), found.period.isoformat()) == (at, local_day, period)


def looks(engine: Engine, until: datetime | None = None) -> list[tuple[int, datetime] | None]:
    """(run, time) of the last look at each listing of the store, None where it was never seen with a price."""
    with engine.connect() as connection:
        seen = sightings.read(connection, [1], until)[1]
    found = [seen.at(ordinal) for (ordinal,) in query(engine, "SELECT ordinal FROM listings ORDER BY id")]
    return [one and (one.run_id, one.sighting.at) for one in found]


def test_every_line_has_its_last_look_after_whatever_runs_and_as_of_any_time(engine: Engine) -> None:
    """Complete, partial, unpriced, absent, delisted and back: an unchanged line has no other trace of its looks."""
    days = [
        ("complete", [row(1), row(2), row(3, None), row(4)]),
        ("partial", [row(2)]),
        ("complete", [row(1), row(2, None)]),
        ("partial", [row(3)]),
        ("complete", [row(1), row(2, None), row(3, None)]),  # 4 is delisted
        ("complete", [row(1), row(2, None), row(3, None), row(4)]),
    ]
    last_looks = [
        [(1, 0), (1, 0), None, (1, 0)],
        [(1, 0), (2, 1), None, (1, 0)],
        [(3, 2), (2, 1), None, (1, 0)],
        [(3, 2), (2, 1), (4, 3), (1, 0)],
        [(5, 4), (2, 1), (4, 3), None],
        [(6, 5), (2, 1), (4, 3), (6, 5)],
    ]
    expected = [[one and (one[0], day(one[1])) for one in line] for line in last_looks]
    for number, (status, rows) in enumerate(days):
        crawl(engine, rows, now=day(number), status=status, reason="requested" if status == "partial" else "finished")
        assert looks(engine) == expected[number]
    assert [looks(engine, day(number)) for number in range(6)] == expected
    assert looks(engine, START - timedelta(hours=1)) == [None] * 4


def test_rows_are_added_and_never_rewritten(engine: Engine) -> None:
    rows: list[tuple] = []
    for number in range(4):
        run, _ = crawl(engine, [row(1), row(2)][: 1 + number % 2], now=day(number))
        found = [(*one[:-1], bytes(one[-1])) for one in query(engine, "SELECT * FROM sightings ORDER BY at")]
        assert found[:-1] == rows
        rows = found
    rollback(engine, run.id, day(5))
    assert [(*one[:-1], bytes(one[-1])) for one in query(engine, "SELECT * FROM sightings ORDER BY at")] == rows


def test_the_row_of_a_run_that_was_rolled_back_is_passed_over(engine: Engine) -> None:
    crawl(engine, [row(1), row(2)])
    crawl(engine, [row(2)], now=day(0.5), status="partial", reason="requested")
    before = looks(engine)
    lie, _ = crawl(engine, [row(1), row(2)], now=day(1))
    assert looks(engine) == [(lie.id, day(1))] * 2
    rollback(engine, lie.id, day(2))
    assert looks(engine) == before == [(1, START), (2, day(0.5))]
    assert looks(engine, day(1.5)) == before


def test_stores_are_read_apart_and_one_that_was_never_published_has_seen_nothing(engine: Engine) -> None:
    crawl(engine, [row(1), row(2)], store="1")
    crawl(engine, [row(2)], store="2", now=day(1))
    with engine.connect() as connection:
        found = sightings.read(connection, [1, 2, 99])
    assert {store: [one and one.run_id for one in map(seen.at, range(3))] for store, seen in found.items()} == {
        1: [1, 1, None],
        2: [None, 2, None],
        99: [None, None, None],
    }


@pytest.mark.parametrize("lines", [b"", b"garbage", zlib.compress(b"short"), zlib.compress(b"\xff" * 40)])
def test_a_row_that_cannot_be_read_is_named_with_the_remedy(engine: Engine, lines: bytes) -> None:
    crawl(engine, [row(1)], store="7")
    with engine.begin() as connection:
        connection.execute(update(tables.sightings).values(lines=lines))
    with engine.connect() as connection, pytest.raises(SightingsDamaged, match=r"store_id=1, run_id=1 .*backup"):
        sightings.read(connection, [1])
