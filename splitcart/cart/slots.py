"""The slots of a list, from which plans are computed: for each line every option at the stores of the plan.

A document (`Slots`) is written and read as JSON; docs/cart.md gives its keys and what they mean.
"""

from dataclasses import dataclass, fields
from typing import Any

from splitcart.offers.offer import cheapest_mix

VERSION = 1
MAX_LINES, MAX_STORES, MAX_OPTIONS = 500, 500, 50_000
MAX_UNITS, MAX_GRAMS = 999, 1_000_000
MAX_ID = 2**63 - 1
SOURCES = ("own", "contested", "inferred")
BASES = ("each", "kg")


def company_of(store: str) -> str:
    """The company in a store's name `company:store_id`."""
    return store.partition(":")[0]


def half_up(amount: int, parts: int) -> int:
    """amount / parts, halves to the larger number; both are 0 or more."""
    return (2 * amount + parts) // (2 * parts)


@dataclass(frozen=True, slots=True)
class Store:
    """A store of the document. `store` is `company:store_id`, the only name that is unique across chains."""

    store: str
    store_id: str
    company_name: str
    store_name: str
    store_address: str | None
    latitude: float | None
    longitude: float | None

    @property
    def company(self) -> str:
        return company_of(self.store)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One way to fill a line at one store. Money is integer cents."""

    store: str
    company_name: str
    store_id: str
    store_name: str
    store_address: str | None
    product_id: int
    product_name: str
    brand: str | None
    size: str | None
    sku: str
    is_substitute: bool
    quantity: int
    quantity_unit: str | None
    """None: `quantity` packs or pieces; `g`: grams."""
    unit_price_cents: int
    """One pack, or one kilogram if price_basis is `kg`."""
    price_basis: str
    typical_grams: int | None
    """Weight of one piece of goods sold by the kilogram."""
    was_price_cents: int | None
    is_on_special: bool
    offer_id: str | None
    """Units of one offer_id at one store share its lots. None: only units of one listing share lots."""
    offer_kind: str | None
    offer_until: str | None
    multibuy_quantity: int | None
    multibuy_total_cents: int | None
    """For the whole multibuy_quantity."""
    member_price_cents: int | None
    member_multibuy_quantity: int | None
    member_multibuy_total_cents: int | None
    unit_price: float | None
    """Dollars per unit_of_measure, as the shelf shows it; never computed with."""
    unit_of_measure: str | None
    source: str
    """own, contested or inferred: how the price is known."""
    observed_at: str
    flip_since: bool
    """Whether specials have changed since the price was observed."""
    is_estimated: bool
    department: str | None
    image_url: str | None

    @property
    def company(self) -> str:
        return company_of(self.store)

    @property
    def order(self) -> tuple[bool, str, int, str]:
        """Sorts a line's options: its own item before substitutes, then the smaller store, product and sku."""
        return self.is_substitute, self.store, self.product_id, self.sku

    @property
    def grams(self) -> int | None:
        """The weight bought, in grams; None for what is counted."""
        if self.price_basis != "kg":
            return None
        return self.quantity if self.quantity_unit == "g" else self.quantity * (self.typical_grams or 0)

    @property
    def total_price_cents(self) -> int:
        """This quantity by itself, with its own multibuy and without members' offers."""
        if (grams := self.grams) is not None:
            return half_up(self.unit_price_cents * grams, 1000)
        lot = (self.multibuy_quantity, self.multibuy_total_cents)
        return int(cheapest_mix([(self.unit_price_cents, self.quantity)], *lot))


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the list. `reason`: why there is no option; None if there is one."""

    line: int
    item: str
    quantity: int
    quantity_unit: str | None
    reason: str | None
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Slots:
    """All that a plan is computed from, as of one moment."""

    as_of: str
    stores: tuple[Store, ...]
    lines: tuple[Line, ...]

    def only(self, stores: frozenset[str]) -> "Slots":
        """The same list at these stores only."""
        lines = []
        for line in self.lines:
            options = tuple(option for option in line.options if option.store in stores)
            reason = line.reason if options or line.reason else "not sold at these stores"
            lines.append(Line(line.line, line.item, line.quantity, line.quantity_unit, reason, options))
        return Slots(self.as_of, tuple(each for each in self.stores if each.store in stores), tuple(lines))

    def to_json(self) -> dict[str, Any]:
        """The document as JSON values, with total_price_cents of each option."""
        lines = [{**_plain(line), "options": [_option(option) for option in line.options]} for line in self.lines]
        stores = [_plain(store) for store in self.stores]
        return {"version": VERSION, "as_of": self.as_of, "stores": stores, "lines": lines}


def _plain(record: Store | Line | Option) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in fields(record)}


def _option(option: Option) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in _plain(option).items():
        if name == "was_price_cents":
            values["total_price_cents"] = option.total_price_cents
        values[name] = value
    return values
