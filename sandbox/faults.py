"""Faults that a server shows while it runs, chosen by chain and by a pattern over the request."""

import itertools
import re
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from sandbox import garble
from sandbox.site import Tamper

KINDS = {
    "status": "answer `status` (403 is the chain's denial page; 429 with `retry_after`), `body` where given",
    "delay": "wait `seconds` before the answer",
    "reset": "the connection is reset before a byte is sent",
    "cut": "headers promise the whole body, half of it comes, then the connection closes",
    "truncate": "a complete answer whose JSON stops half-way",
    "invalid_json": "an answer that is no JSON",
    "html": "a harmless HTML page where JSON is due",
    "block": "a block page, `status` 200; `form` imperva, imperva_script, imperva_incident, akamai, cloudflare",
    "missing_category": "the category `value` (key or slug) is not in the tree, and its listing is unknown",
    "page_one": "every page of a category is answered with page 1",
    "empty": "the store has no products",
    "no_rows": "the total stays, the rows are left out",
    "gone": "`value` of the rows (0.09) are left out, the total stays",
    "prices": "all prices are multiplied by `value` (2.0)",
    "renumbered": "`value` of the rows (1.0) carry other skus",
    "unreadable_prices": "`value` of the rows (0.03) show no price where one is due: `form` text, zero, negative, "
    "object (each row one of these without it), basis (loose goods cost neither what a piece nor what a kilogram does)",
    "unreadable_names": "`value` of the rows (0.03) show no name where one is due",
    "day": "the server's day becomes `value`, then the request is answered",
    "build": "Coles' build id changes, then the request is answered",
    "switch": "the switch `value` is switched on, then the request is answered",
    "expire": "every session cookie becomes void, then the request is answered",
}
TAMPERING = frozenset({"missing_category", "page_one", "empty", "no_rows", "gone", "prices"})


@dataclass(slots=True)
class Fault:
    """One fault. It fires on requests number after+1 to after+times (for ever without `times`) that it matches.

    `match` is searched in `METHOD /path?query body`; `chain` None is every chain.
    """

    kind: str
    chain: str | None = None
    match: str = ""
    after: int = 0
    times: int | None = None
    status: int | None = None
    body: str | None = None
    retry_after: str | None = None
    seconds: float = 0.0
    form: str = ""
    value: Any = None
    number: int = 0
    seen: int = 0
    fired: int = 0
    pattern: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault {self.kind!r}: one of {', '.join(sorted(KINDS))}")
        forms = (*garble.PRICES, garble.BASIS)
        if self.kind == "unreadable_prices" and self.form not in ("", *forms):
            raise ValueError(f"unknown form {self.form!r} of unreadable_prices: one of {', '.join(forms)}")
        self.pattern = re.compile(self.match)

    def fires(self, chain: str, target: str) -> bool:
        """Counts the request where it matches; returns whether the fault acts on it."""
        if self.chain not in (None, chain) or not self.pattern.search(target):
            return False
        self.seen += 1
        if self.seen <= self.after or (self.times is not None and self.fired >= self.times):
            return False
        self.fired += 1
        return True

    def as_json(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if key != "pattern"}


class Faults:
    """The faults of one server; safe to change from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._numbers = itertools.count(1)

    def add(self, kind: str, chain: str | None = None, match: str = "", **options: Any) -> Fault:
        """Switches a fault on; options are Fault's fields. The returned Fault counts its requests."""
        fault = Fault(kind, chain, match, number=next(self._numbers), **options)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self, match: str | None = None, *, number: int | None = None, chain: str | None = None) -> int:
        """Switches off all faults, or those with that `match`, number or chain; returns their count."""
        with self._lock:
            kept = [
                fault
                for fault in self._faults
                if (match is not None and fault.match != match)
                or (number is not None and fault.number != number)
                or (chain is not None and fault.chain != chain)
            ]
            gone = len(self._faults) - len(kept)
            self._faults = kept
        return gone

    def __iter__(self) -> Iterator[Fault]:
        with self._lock:
            return iter(list(self._faults))

    def firing(self, chain: str, target: str) -> list[Fault]:
        with self._lock:
            return [fault for fault in self._faults if fault.fires(chain, target)]


def tampering(faults: list[Fault]) -> Tamper:
    """What the firing faults do to the data, together."""
    values: dict[str, Any] = {}
    for fault in faults:
        if fault.kind == "missing_category":
            values["missing"] = str(fault.value)
        elif fault.kind == "prices":
            values["factor"] = float(fault.value or 2.0)
        elif fault.kind == "gone":
            values["gone"] = float(fault.value or 0.09)
        elif fault.kind in TAMPERING:
            values[fault.kind] = True
    return Tamper(**values)
