"""When each line of a store was last seen with a price: a row a publish, of bit strings over listings.ordinal.

A complete run's row covers every line that has a price: the lines that the run saw, and the earlier looks at those that
it did not see priced. That row and the later ones give the last look at every line, though an unchanged store writes no
row of prices.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Select, func, insert, select

from models.database.dialect import is_one_of
from models.errors import SightingsDamaged
from models.tables import crawl_runs, sightings
from splitcart.bits import Bits, flags, pack, unpack
from splitcart.observed import Sighting
from splitcart.periods import Flip, period_start

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAYER = struct.Struct("<qiiiI")
"""Microseconds of the look, local day and period as ordinals of dates, run, bytes of the bit string that follows."""
NEVER = -1


@dataclass(frozen=True, slots=True)
class Look:
    """One time at which a run looked at lines of its store."""

    sighting: Sighting
    run_id: int


@dataclass(frozen=True, slots=True)
class Layer:
    """The lines that were seen with a price at one look."""

    look: Look
    lines: Bits


@dataclass(slots=True)
class LastLooks:
    """The last look at each line of a store."""

    looks: list[Look] = field(default_factory=list)
    last_look: npt.NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    """By listings.ordinal the position in `looks`, NEVER where the line was not seen with a price."""

    @property
    def lines(self) -> Bits:
        """The lines that have a price."""
        return self.last_look != NEVER

    @property
    def oldest(self) -> datetime:
        """The earliest of the lines' last looks. There must be a line with a price."""
        return min(self.looks[number].sighting.at for number in np.unique(self.last_look[self.lines]).tolist())

    def at(self, ordinal: int) -> Look | None:
        """The last look at one line."""
        which = int(self.last_look[ordinal]) if ordinal < len(self.last_look) else NEVER
        return None if which == NEVER else self.looks[which]

    def add(self, layer: Layer) -> None:
        """Adds a layer; a line keeps a look that is later than the layer's."""
        if len(layer.lines) > len(self.last_look):
            self.last_look = np.pad(self.last_look, (0, len(layer.lines) - len(self.last_look)), constant_values=NEVER)
        taken = np.flatnonzero(layer.lines)
        later = np.array([look.sighting.at > layer.look.sighting.at for look in self.looks] + [False])
        taken = taken[~later[self.last_look[taken]]]  # NEVER is -1 and reads the last element, False
        self.last_look[taken] = len(self.looks)
        self.looks.append(layer.look)

    def layers(self, lines: Bits) -> Iterator[Layer]:
        """The last looks at some of the lines, one layer for each look."""
        kept = np.flatnonzero(lines[: len(self.last_look)])
        for number in np.unique(self.last_look[kept]).tolist():
            if number != NEVER:
                yield Layer(self.looks[number], flags(kept[self.last_look[kept] == number], len(lines)))


def sighting(flip: Flip, timezone: str, at: datetime) -> Sighting:
    """A look at `at`, with its day and its specials period by the store's clock."""
    zone = ZoneInfo(timezone)
    return Sighting(at, at.astimezone(zone).date(), period_start(flip, timezone, at).astimezone(zone).date())


def write(connection: Connection, store_id: int, at: datetime, layers: Sequence[Layer], *, complete: bool) -> None:
    """Adds the row of a publish at `at`.

    The first layer holds the lines that this run saw. The row's day and period are the earliest of this run's layers.
    """
    run_id, seen_at = layers[0].look.run_id, layers[0].look.sighting.at
    own = [layer.look.sighting for layer in layers if layer.look.run_id == run_id]
    values = {
        "store_id": store_id,
        "at": at,
        "run_id": run_id,
        "seen_at": seen_at,
        "local_day": min(one.day for one in own).isoformat(),
        "period": min(one.period for one in own).isoformat(),
        "is_complete": complete,
        "lines": packed(layers),
    }
    connection.execute(insert(sightings).values(**values))


def packed(layers: Iterable[Layer]) -> bytes:
    """Layers as the column `lines` keeps them."""
    parts = []
    for layer in layers:
        bits, look = pack(layer.lines).rstrip(b"\0"), layer.look
        micros = (look.sighting.at - _EPOCH) // timedelta(microseconds=1)
        days = (look.sighting.day.toordinal(), look.sighting.period.toordinal())
        parts += [_LAYER.pack(micros, *days, look.run_id, len(bits)), bits]
    return zlib.compress(b"".join(parts))


def unpacked(data: bytes) -> Iterator[Layer]:
    """The layers that `packed` wrote."""
    plain, at = zlib.decompress(data), 0
    while at < len(plain):
        micros, day, period, run_id, length = _LAYER.unpack_from(plain, at)
        at += _LAYER.size
        when = _EPOCH + timedelta(microseconds=micros)
        look = Look(Sighting(when, date.fromordinal(day), date.fromordinal(period)), run_id)
        yield Layer(look, unpack(plain[at : at + length]))
        at += length


def read(connection: Connection, store_ids: Sequence[int], until: datetime | None = None) -> dict[int, LastLooks]:
    """The last look at each line of the stores, by what had been published at `until` (now, where it is None).

    Raises SightingsDamaged.
    """
    found = {store_id: LastLooks() for store_id in store_ids}
    of_stores = is_one_of(connection, sightings.c.store_id, store_ids)
    for store_id, run_id, lines in connection.execute(_rows(until or _LATEST).where(of_stores)):
        try:
            layers = list(unpacked(bytes(lines)))
        except (zlib.error, struct.error, ValueError, OverflowError) as error:
            raise SightingsDamaged(store_id, run_id) from error
        for layer in layers:
            found[store_id].add(layer)
    return found


def _rows(until: datetime) -> Select[Any]:
    """SELECT of the last complete row of each store and those after it, in order, without rolled-back runs."""
    row, run = sightings.c, crawl_runs.c
    complete, its_run = sightings.alias("complete"), crawl_runs.alias("complete_run")
    last = select(func.max(complete.c.at)).join(its_run, its_run.c.id == complete.c.run_id)
    last = last.where(complete.c.store_id == row.store_id, complete.c.is_complete.is_(True), complete.c.at <= until)
    began = last.where(its_run.c.rolled_back_at.is_(None)).scalar_subquery()
    wanted = select(row.store_id, row.run_id, row.lines).join(crawl_runs, run.id == row.run_id)
    wanted = wanted.where(run.rolled_back_at.is_(None), row.at <= until, row.at >= func.coalesce(began, row.at))
    return wanted.order_by(row.store_id, row.at)


_LATEST = datetime(9999, 1, 1, tzinfo=UTC)
