"""Reads a shopping list from text, CSV or JSON. docs/cart.md has the three forms.

A malformed line is an error that names the line, its text and what is accepted; all errors are reported together.
Whether a well-formed item is known is not decided here.
"""

import csv
import io
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

from splitcart.cart import readers
from splitcart.cart.items import ITEMS, QUANTITY, Wanted, amount_of, fold, read_item
from splitcart.cart.slots import MAX_GRAMS, MAX_LINES, MAX_UNITS
from splitcart.patterns import Pattern

MAX_SIZE, MAX_SUBSTITUTES, MAX_ERRORS = 1_000_000, 20, 20
COLUMNS = ("item", "quantity", "substitutes")
_SEPARATOR = Pattern(r"(?:^| )\|(?= |$)", most=2000)

Known = Callable[[frozenset[str]], Collection[str]]
"""Takes every text of the list that could be a product's name, folded; returns those that are one."""


class ListError(ValueError):
    """The list cannot be read as it is. Each line of the message is one fault; correct the list."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the list, numbered from 1; comments and empty lines are not numbered."""

    line: int
    wanted: Wanted
    substitutes: tuple[Wanted, ...] = ()


@dataclass(frozen=True, slots=True)
class _Raw:
    """A line before its items are read: its place in the source, its text, and its parts, the item first."""

    at: int
    text: str
    parts: tuple["_Part", ...]
    may_be_name: bool = False
    """Whether the whole text may be one product's name."""


@dataclass(frozen=True, slots=True)
class _Part:
    text: str
    quantity: tuple[int, str | None] | None = None
    """The quantity, if it is given apart from the text."""
    bare: bool = False
    """Whether the text is an item only, without a quantity before it."""


def parse(source: str, form: str, companies: Collection[str], known: Known) -> list[Entry]:
    """The entries of a list in the form `text`, `csv` or `json`. Calls `known` once. Raises ListError."""
    if len(source) > MAX_SIZE:
        raise ListError(f"the list has {len(source)} characters; at most {MAX_SIZE} are accepted")
    reading = {"text": _text_lines, "csv": _csv_lines, "json": _json_lines}[form]
    faults: list[str] = []
    raws = list(_kept(reading(source.removeprefix("\ufeff"), faults)))
    names = frozenset(known(frozenset(name for raw in raws for name in _names(raw))))
    entries: list[Entry] = []
    for raw in raws:
        try:
            wanted = _items(raw, companies, names)
            entries.append(Entry(len(entries) + 1, wanted[0], tuple(wanted[1:])))
        except ValueError as error:
            faults.append(f"line {raw.at}, `{raw.text[:120]}`: {error}")
    if faults:
        raise ListError("\n".join(faults[:MAX_ERRORS]))
    if not entries:
        raise ListError(f"the list is empty; give one item a line: {ITEMS}")
    return entries


def _kept(raws: Iterator[_Raw]) -> Iterator[_Raw]:
    for number, raw in enumerate(raws, 1):
        if number > MAX_LINES:
            raise ListError(f"line {raw.at}, `{raw.text[:120]}`: a list has at most {MAX_LINES} lines")
        yield raw


def _text_lines(source: str, faults: list[str]) -> Iterator[_Raw]:
    for at, text in enumerate(source.splitlines(), 1):
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        try:
            cleaned = readers.text(text, f"line {at}", 2000)
        except ValueError as error:
            faults.append(str(error))
            continue
        yield _Raw(at, cleaned, tuple(_Part(part.strip()) for part in _SEPARATOR.split(cleaned)), may_be_name=True)


def _csv_lines(source: str, faults: list[str]) -> Iterator[_Raw]:
    reader = csv.DictReader(io.StringIO(source, newline=""), strict=True)
    try:
        header = [(name or "").strip().casefold() for name in reader.fieldnames or ()]
        if "item" not in header or len(set(header)) < len(header) or not set(header) <= set(COLUMNS):
            raise ListError(f"line 1, `{', '.join(header)[:120]}`: give the columns {', '.join(COLUMNS)}")
        reader.fieldnames = header
        for row in reader:
            text = ", ".join(str(value) for value in row.values() if value)
            try:
                yield _Raw(reader.line_num, text, _cells(row))
            except ValueError as error:
                faults.append(f"line {reader.line_num}, `{text[:120]}`: {error}")
    except csv.Error as error:
        raise ListError(f"line {reader.line_num}: no CSV: {error}") from None


def _cells(row: dict[Any, Any]) -> tuple[_Part, ...]:
    if None in row:
        raise ValueError(f"more cells than the columns {', '.join(COLUMNS)}; put a text with commas in quotes")
    item, amount, others = (_cell(row.get(name), name) for name in COLUMNS)
    quantity = amount_of(amount if " " in amount else f"{amount} x") if amount else None
    parts = [_Part(part.strip()) for part in _SEPARATOR.split(others)] if others else []
    return (_Part(item, quantity, bare=True), *parts)


def _cell(value: str | None, name: str) -> str:
    return readers.text(value, name, 2000) if value and value.strip() else ""


def _json_lines(source: str, faults: list[str]) -> Iterator[_Raw]:
    try:
        listed = readers.entries(readers.from_json(source, "list"), "list", MAX_LINES)
    except ValueError as error:
        raise ListError(str(error)) from None
    for at, each in enumerate(listed, 1):
        text = str(each)[:120]
        try:
            raw = readers.keys(each, "entry", ("item",), ("quantity", "quantity_unit", "substitutes"))
            others = readers.entries(raw.get("substitutes", []), "substitutes", MAX_SUBSTITUTES)
            yield _Raw(at, text, (_object(raw), *(_other(other) for other in others)))
        except ValueError as error:
            faults.append(f"line {at}, `{text}`: {error}")


def _object(raw: Any) -> _Part:
    item = readers.text(raw["item"], "item")
    if "quantity" not in raw:
        if raw.get("quantity_unit") is not None:
            readers.refuse("quantity_unit", raw["quantity_unit"], "a quantity with it")
        return _Part(item, bare=True)
    unit = readers.one_of(raw.get("quantity_unit"), "quantity_unit", (None, "g"))
    return _Part(item, (readers.integer(raw["quantity"], "quantity", 1, MAX_GRAMS if unit else MAX_UNITS), unit), True)


def _other(raw: Any) -> _Part:
    if isinstance(raw, str):
        return _Part(readers.text(raw, "substitutes"))
    return _object(readers.keys(raw, "substitutes", ("item",), ("quantity", "quantity_unit")))


def _names(raw: _Raw) -> Iterator[str]:
    """Every text of the line that could be a product's name, folded."""
    if raw.may_be_name:
        yield fold(raw.text)
    for part in raw.parts:
        yield fold(part.text)
        quantity = QUANTITY.fullmatch(part.text)
        if quantity and quantity[3]:
            yield fold(quantity[3])


def _items(raw: _Raw, companies: Collection[str], names: frozenset[str]) -> list[Wanted]:
    if raw.may_be_name and fold(raw.text) in names:
        return [read_item(raw.text, companies, names)]
    if len(raw.parts) > MAX_SUBSTITUTES + 1:
        raise ValueError(f"{len(raw.parts) - 1} substitutes; at most {MAX_SUBSTITUTES} are accepted")
    wanted: list[Wanted] = []
    for part in raw.parts:
        text, quantity = _parted(part, names)
        item = read_item(text, companies, names)
        if quantity is None and wanted:
            quantity = wanted[0].quantity, wanted[0].quantity_unit
        amount, unit = quantity or (1, None)
        wanted.append(replace(item, quantity=amount, quantity_unit=unit))
    return wanted


def _parted(part: _Part, names: frozenset[str]) -> tuple[str, tuple[int, str | None] | None]:
    """The text of a part's item, and the part's own quantity; a text that is a known name has none before it."""
    match = None if part.bare or fold(part.text) in names else QUANTITY.fullmatch(part.text)
    if match is None:
        return part.text, part.quantity
    return match[3] or "", amount_of(f"{match[1]} {match[2]}")
