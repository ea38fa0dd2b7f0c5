"""Reads a document of slots from JSON. A value that cannot be is an error that names its place."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from splitcart.cart import readers
from splitcart.cart.slots import (
    BASES,
    MAX_GRAMS,
    MAX_ID,
    MAX_LINES,
    MAX_OPTIONS,
    MAX_STORES,
    MAX_UNITS,
    SOURCES,
    VERSION,
    Line,
    Option,
    Slots,
    Store,
)
from splitcart.money import MAX_CENTS


def loads(source: str) -> Slots:
    """The document in a JSON text. ValueError names the place and what is accepted there."""
    document = readers.keys(readers.from_json(source, "slots"), "slots", ("version", "as_of", "stores", "lines"))
    if document["version"] != VERSION or isinstance(document["version"], bool):
        readers.refuse("slots: version", document["version"], f"{VERSION}")
    as_of = readers.moment(document["as_of"], "slots: as_of")
    listed = readers.entries(document["stores"], "slots: stores", MAX_STORES)
    stores = tuple(_read_store(each, f"store {at}") for at, each in enumerate(listed, 1))
    known = {store.store: store for store in stores}
    if len(known) < len(stores):
        readers.refuse("slots: stores", [store.store for store in stores], "each store once")
    lines = tuple(_read_line(each, known) for each in readers.entries(document["lines"], "slots: lines", MAX_LINES))
    if len({line.line for line in lines}) < len(lines):
        readers.refuse("slots: lines", [line.line for line in lines], "each line number once")
    if sum(len(line.options) for line in lines) > MAX_OPTIONS:
        readers.refuse("slots: lines", "all options together", f"at most {MAX_OPTIONS} options")
    return Slots(as_of, stores, tuple(sorted(lines, key=lambda line: line.line)))


def _optional(value: object, where: str, limit: int = readers.MAX_TEXT) -> str | None:
    return None if value is None else readers.text(value, where, limit)


def _cents(value: object, where: str) -> int | None:
    return None if value is None else readers.integer(value, where, 0, MAX_CENTS)


def _read_store(value: object, where: str) -> Store:
    raw = readers.keys(value, where, _STORE)
    store_id = readers.text(raw["store_id"], f"{where}: store_id", 64)
    store = readers.text(raw["store"], f"{where}: store", 128)
    if store.partition(":")[2] != store_id or not store.partition(":")[0].isidentifier():
        readers.refuse(f"{where}: store", store, f"company:{store_id}")
    company_name, store_name = (readers.text(raw[name], f"{where}: {name}") for name in ("company_name", "store_name"))
    latitude, longitude = (
        None if raw[name] is None else readers.number(raw[name], f"{where}: {name}", -most, most)
        for name, most in (("latitude", 90), ("longitude", 180))
    )
    address = _optional(raw["store_address"], f"{where}: store_address")
    return Store(store, store_id, company_name, store_name, address, latitude, longitude)


def _read_line(value: object, known: Mapping[str, Store]) -> Line:
    raw = readers.keys(value, "slots: a line", _LINE)
    number = readers.integer(raw["line"], "slots: line", 1, MAX_ID)
    where = f"line {number}"
    unit = readers.one_of(raw["quantity_unit"], f"{where}: quantity_unit", (None, "g"))
    quantity = readers.integer(raw["quantity"], f"{where}: quantity", 1, MAX_GRAMS if unit else MAX_UNITS)
    listed = readers.entries(raw["options"], f"{where}: options", MAX_OPTIONS)
    options = tuple(_read_option(each, f"{where}, option {at}", known) for at, each in enumerate(listed, 1))
    reason = _optional(raw["reason"], f"{where}: reason")
    if bool(options) != (reason is None):
        readers.refuse(f"{where}: reason", reason, "null where there are options, else why there is none")
    return Line(number, readers.text(raw["item"], f"{where}: item"), quantity, unit, reason, options)


_STORE, _LINE = (tuple(field.name for field in fields(record)) for record in (Store, Line))
_OPTION = (*(field.name for field in fields(Option)), "total_price_cents")
_CENTS = ("was_price_cents", "multibuy_total_cents", "member_price_cents", "member_multibuy_total_cents")
_TEXTS = ("brand", "size", "offer_id", "offer_kind", "offer_until", "unit_of_measure", "department", "store_address")


def _read_option(value: object, where: str, known: Mapping[str, Store]) -> Option:
    raw = dict(readers.keys(value, where, _OPTION))
    total = readers.integer(raw.pop("total_price_cents"), f"{where}: total_price_cents", 0, MAX_CENTS * MAX_GRAMS)
    for name in ("store", "company_name", "store_id", "store_name", "product_name", "sku"):
        raw[name] = readers.text(raw[name], f"{where}: {name}")
    for name in _TEXTS:
        raw[name] = _optional(raw[name], f"{where}: {name}")
    for name in _CENTS:
        raw[name] = _cents(raw[name], f"{where}: {name}")
    for name in ("is_substitute", "is_on_special", "flip_since", "is_estimated"):
        readers.flag(raw[name], f"{where}: {name}")
    raw["image_url"] = _optional(raw["image_url"], f"{where}: image_url", 2000)
    readers.integer(raw["product_id"], f"{where}: product_id", 0, MAX_ID)
    readers.integer(raw["unit_price_cents"], f"{where}: unit_price_cents", 0, MAX_CENTS)
    readers.one_of(raw["source"], f"{where}: source", SOURCES)
    readers.moment(raw["observed_at"], f"{where}: observed_at")
    if raw["unit_price"] is not None:
        readers.number(raw["unit_price"], f"{where}: unit_price", 0, MAX_CENTS)
    store = known.get(raw["store"])
    if store is None or store.store_id != raw["store_id"]:
        readers.refuse(f"{where}: store", raw["store"], "a store of this document, with its store_id")
    _check_amounts(raw, where)
    option = Option(**raw)
    if option.total_price_cents != total:
        readers.refuse(
            f"{where}: total_price_cents", total, f"{option.total_price_cents}, which follows from its prices"
        )
    return option


def _check_amounts(raw: Mapping[str, Any], where: str) -> None:
    """Refuses a quantity, a basis and multibuys that do not fit each other."""
    readers.one_of(raw["price_basis"], f"{where}: price_basis", BASES)
    by_weight = readers.one_of(raw["quantity_unit"], f"{where}: quantity_unit", (None, "g")) == "g"
    readers.integer(raw["quantity"], f"{where}: quantity", 1, MAX_GRAMS if by_weight else MAX_UNITS)
    if raw["typical_grams"] is not None:
        readers.integer(raw["typical_grams"], f"{where}: typical_grams", 1, MAX_GRAMS)
    if by_weight and raw["price_basis"] != "kg":
        readers.refuse(
            f"{where}: price_basis", raw["price_basis"], "kg: a weight matches only what is sold by the kilogram"
        )
    if not by_weight and raw["price_basis"] == "kg" and raw["typical_grams"] is None:
        readers.refuse(f"{where}: typical_grams", None, "the grams of a piece, or a weight as the quantity")
    for prefix in ("", "member_"):
        lot, total = raw[f"{prefix}multibuy_quantity"], raw[f"{prefix}multibuy_total_cents"]
        if (lot is None) != (total is None):
            readers.refuse(f"{where}: {prefix}multibuy", (lot, total), "a quantity with its total, or neither")
        if lot is not None:
            readers.integer(lot, f"{where}: {prefix}multibuy_quantity", 1, MAX_UNITS)
