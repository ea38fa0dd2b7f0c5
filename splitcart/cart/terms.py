"""The terms of a plan besides the prices: fees, minimum orders, members' offers, visits, the trip."""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from splitcart.cart import readers, trips
from splitcart.cart.slots import company_of
from splitcart.money import MAX_CENTS

KEYS = ("fee_cents", "free_above_cents", "minimum_cents")
MAX_SIZE = 20_000


@dataclass(frozen=True, slots=True)
class Fee:
    """The fee of one visited store. Its limits are cents of goods after lots; goods equal to a limit reach it."""

    fee_cents: int = 0
    free_above_cents: int | None = None
    """None: the fee is never waived."""
    minimum_cents: int = 0

    def of(self, goods_cents: int) -> int | None:
        """The fee in cents for these goods; None if they do not meet the minimum order."""
        if goods_cents < self.minimum_cents:
            return None
        free = self.free_above_cents is not None and goods_cents >= self.free_above_cents
        return 0 if free else self.fee_cents


_NO_FEE = Fee()


def fee_at(store: str, fees: Mapping[str, Fee]) -> Fee:
    """The fee of a store (`company:store_id`), from the fees by company; free without a minimum if there is none."""
    return fees.get(company_of(store), _NO_FEE)


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a plan, besides the prices."""

    fees: Mapping[str, Fee] = field(default_factory=dict)
    """By company."""
    members: frozenset[str] = frozenset()
    """Companies whose members' offers count."""
    visit_cents: int = 0
    trip: trips.Trip | None = None


def parse(source: str, companies: Collection[str]) -> dict[str, Fee]:
    """The fees by company in a TOML text: a table `[company]` for each, with any of the KEYS in whole cents.

    ValueError: not TOML, a company that is not among `companies`, an unknown key, an amount that is not a whole number.
    """
    if len(source) > MAX_SIZE:
        raise ValueError(f"fees: {len(source)} characters; at most {MAX_SIZE} are accepted")
    try:
        tables = tomllib.loads(source)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"fees: no TOML: {str(error)[:200]}") from None
    fees = {company.casefold(): _fee(company, table, companies) for company, table in tables.items()}
    if len(fees) < len(tables):
        raise ValueError(f"fees: {', '.join(tables)}: each company has one table, in any case of letters")
    return fees


def _fee(company: str, table: object, companies: Collection[str]) -> Fee:
    if company.casefold() not in companies:
        readers.refuse("fees: company", company, f"a table of one of {', '.join(sorted(companies))}")
    where = f"fees: [{company}]"
    raw: Mapping[str, object] = readers.keys(table, where, (), KEYS)
    return Fee(**{key: readers.integer(value, f"{where} {key}", 0, MAX_CENTS) for key, value in raw.items()})
