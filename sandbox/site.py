"""A site's request (`Ask`) and answer (`Reply`), and helpers that the four sites share."""

import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from sandbox.places.places import Store
from sandbox.pricing import State, scaled

if TYPE_CHECKING:
    from sandbox.world import World

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"
CACHE_BYTES = 384 * 1024 * 1024
ROW_LISTS = 512


@dataclass(frozen=True, slots=True)
class Tamper:
    """What faults do to the data of an answer; part of the key under which bodies are cached."""

    factor: float = 1.0
    """Prices are multiplied by it."""
    gone: float = 0.0
    """Share of rows left out while the total stays."""
    page_one: bool = False
    empty: bool = False
    """The store has no products: totals of 0."""
    no_rows: bool = False
    """The total stays, the rows are gone."""
    missing: str = ""
    """Key or slug of a category that is not in the tree."""


@dataclass(slots=True)
class Ask:
    """One request, without the chain's prefix."""

    world: "World"
    chain: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    body: bytes
    day_of: Callable[[str], int]
    """Store code -> the day that store is in."""
    switches: frozenset[str] = frozenset()
    tamper: Tamper = Tamper()
    cache: "BodyCache" = field(default_factory=lambda: BodyCache())
    build: str = ""
    """Coles' current build id."""
    epoch: int = 0
    """Sessions of an earlier epoch are void."""
    base: str = ""
    """The address of the chain's site, as the client called it: http://host:port/chain."""

    def json(self) -> Any:
        """The decoded body, or None where it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def kept(self, key: tuple[Any, ...], make: Callable[[], list[int]]) -> list[int]:
        """The rows of a listing in their order, computed once for all its pages."""
        return self.cache.rows((self.chain, self.tamper, self.switches, *key), make)

    def cached(self, key: tuple[Any, ...], render: Callable[[], bytes]) -> bytes:
        return self.cache.get((self.chain, self.tamper, self.switches, *key), render)


@dataclass(slots=True)
class Reply:
    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: list[tuple[str, str]] = field(default_factory=list)


class BodyCache:
    """Rendered bodies, the least used dropped first above CACHE_BYTES."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self.limit = limit
        self.size = 0
        self._bodies: OrderedDict[tuple[Any, ...], bytes] = OrderedDict()
        self._rows: OrderedDict[tuple[Any, ...], list[int]] = OrderedDict()

    def rows(self, key: tuple[Any, ...], make: Callable[[], list[int]]) -> list[int]:
        if key not in self._rows:
            self._rows[key] = make()
            if len(self._rows) > ROW_LISTS:
                self._rows.popitem(last=False)
        return self._rows[key]

    def get(self, key: tuple[Any, ...], render: Callable[[], bytes]) -> bytes:
        body = self._bodies.get(key)
        if body is not None:
            self._bodies.move_to_end(key)
            return body
        body = self._bodies[key] = render()
        self.size += len(body)
        while self.size > self.limit and len(self._bodies) > 1:
            self.size -= len(self._bodies.popitem(last=False)[1])
        return body


def dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def reply_json(value: Any, status: int = 200) -> Reply:
    return Reply(status, value if isinstance(value, bytes) else dump(value))


def reply_html(text: str, status: int = 200) -> Reply:
    return Reply(status, text.encode(), HTML)


def slugify(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def opaque(text: str, length: int = 7) -> str:
    """Upper-case hex digits that a client cannot derive from a slug."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()[:length].upper()


@lru_cache(maxsize=200_000)
def lot(concern: str, key: str) -> int:
    """A number below 1,000 that depends on the two names alone."""
    return int(opaque(f"{concern}:{key}", 8), 16) % 1000


def dollars(cents: int) -> float | int:
    """Money as the chains send it: int and float mixed."""
    return cents // 100 if cents % 100 == 0 else cents / 100


def integer(text: Any, default: int | None) -> int | None:
    """An integer from a query or a body; None where the value is no integer."""
    if text is None:
        return default
    if isinstance(text, bool):
        return None
    try:
        return int(text)
    except (TypeError, ValueError):
        return None


def state_of(ask: Ask, store: Store) -> State:
    """The store on its day, its prices multiplied by the fault `prices`."""
    return scaled(ask.world.state(ask.chain, store.store_code, ask.day_of(store.store_code)), ask.tamper.factor)


def ranked(ask: Ask, concern: str, rows: Sequence[int], *keys: int) -> list[int]:
    """The rows in an order that looks arbitrary and is always the same, by the dice of `concern` and `keys`."""
    rank = ask.world.dice.uniform(concern, np.array(rows, dtype=np.int64), *keys)
    return [rows[place] for place in np.argsort(rank, kind="stable").tolist()]


def thinned(ask: Ask, rows: list[int]) -> list[int]:
    """The rows that the fault `gone` leaves."""
    if not ask.tamper.gone:
        return rows
    rank = ask.world.dice.uniform("gone", np.array(rows, dtype=np.int64))
    return [row for row, lot in zip(rows, rank.tolist(), strict=True) if lot >= ask.tamper.gone]


def _signed(ask: Ask, name: str, token: str) -> str:
    return opaque(f"{token}:{ask.world.seed}:{name}:{ask.epoch}", 24)


def issue(ask: Ask, name: str) -> str:
    """A session cookie's value that `holds` accepts, also after a restart over the same seed."""
    token = opaque(f"{name}:{ask.world.seed}:{id(ask)}", 16)
    return f"{token}~{_signed(ask, name, token)}"


def holds(ask: Ask, name: str) -> bool:
    """Whether the request carries a session cookie that was issued and is not void."""
    token, _, signature = (ask.cookies.get(name) or "").partition("~")
    return bool(token) and signature == _signed(ask, name, token)
