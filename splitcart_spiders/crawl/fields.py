"""Readers of untrusted JSON that all mappings share: each returns a bounded value or None, or raises Refused."""

import unicodedata
from collections.abc import Iterable, Set
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import quote

from splitcart import cleaning, money
from splitcart.offers import unit_prices
from splitcart.patterns import Pattern

LONGEST_NAME = 300
LONGEST_URL = 1000
DEEPEST_PATH = 8
HEAVIEST_GRAMS = 30_000
"""No piece or pack of weighed goods is heavier; a weight in grams that is labelled kilograms is."""
_SEASON = Pattern(
    r"(?:christmas|xmas|easter|halloween|seasonal|back[ _-]to[ _-]school"
    r"|(?:mother|father|valentine)['\u2019]?s[ _-]day)(?![a-z])",
    LONGEST_NAME,
)
_SKU = Pattern("[0-9A-Za-z][0-9A-Za-z._-]{0,39}", most=40)
_AMOUNT = Pattern(r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,7})(?:\.[0-9]{1,6})?", most=20)
_NO_SLUG = Pattern("[^a-z0-9]+", most=4 * LONGEST_NAME)


class Refused(Exception):
    """Raised inside a mapping for a record that makes no item; to_item returns it as a Drop."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def record(value: object) -> dict:
    """The record itself, if it is a JSON object. Raises Refused `not_a_record` otherwise."""
    if not isinstance(value, dict):
        raise Refused("not_a_record")
    return value


def obj(value: object) -> dict:
    """A JSON object, or an empty one."""
    return value if isinstance(value, dict) else {}


def rows(value: object) -> list:
    """A JSON list, or an empty one."""
    return value if isinstance(value, list) else []


def shown(value: object, limit: int = 40) -> str:
    """A value as messages show it: a text, a number or a boolean, cut; for any other value its kind.

    A value may have any depth and length: repr of a list may raise RecursionError, of an int ValueError.
    """
    if isinstance(value, str):
        return repr(value[:limit])
    if isinstance(value, int) and abs(value) >= 10**limit:
        return f"a number of more than {limit} digits"
    if value is None or isinstance(value, int | float):
        return repr(value)
    return "an object" if isinstance(value, dict) else "a list" if isinstance(value, list) else "no JSON"


def text(value: object, limit: int = LONGEST_NAME) -> str | None:
    """Bounded text without control characters; None for anything that is not text, or empty."""
    return cleaning.clean(value, limit)


def untagged(value: object, limit: int = 1000) -> str | None:
    """Bounded text of a piece of HTML."""
    return text(cleaning.untagged(value[: 4 * limit]), limit) if isinstance(value, str) else None


def flag(*values: object) -> bool | None:
    """The first JSON boolean of the values, else None."""
    return next((value for value in values if isinstance(value, bool)), None)


def number(value: object) -> Decimal | None:
    """A finite JSON number between 0 and 10 million, exact as written; None for anything else, booleans too."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not 0 <= value <= 10_000_000:  # nor NaN
        return None
    return Decimal(str(value))


def whole_number(value: object) -> int | None:
    """A JSON number without a fraction, between 0 and 10 million; None for anything else."""
    exact = number(value)
    return int(exact) if exact is not None and exact == int(exact) else None


def code(value: object) -> str | None:
    """An identifier as text: a short word of letters and digits, or a whole number."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int):
        return str(value) if 0 < value < 10**18 else None
    word = value.strip() if isinstance(value, str) and len(value) <= 80 else ""
    return word if _SKU.fullmatch(word) else None


def sku(*values: object) -> str:
    """The first usable identifier. Raises Refused `no_sku` if there is none."""
    identifier = next((known for known in map(code, values) if known), None)
    if identifier is None:
        raise Refused("no_sku")
    return identifier


def name(*values: object) -> str | None:
    """The first text among the values; None when there is none, which makes the record unreadable."""
    return next((known for known in map(text, values) if known), None)


def cents(value: object) -> int | None:
    """Cents of an amount in dollars (a number, or text such as `$3.35`); None if it is not one."""
    if isinstance(value, str):
        return money.to_cents(value.strip()) if len(value) <= 20 else None
    return money.to_cents(value) if number(value) is not None else None


class Price(NamedTuple):
    """The price of a record."""

    cents: int | None
    """None: the listing has no price, or its price could not be read."""
    is_unreadable: bool = False


UNREADABLE = Price(None, is_unreadable=True)


def price(value: object, *, available: bool | None, cents: int | None) -> Price:
    """The price that the chain sent as `value`; `cents` is its reading.

    Null, and 0 of an unavailable listing, mean a listing without a price; any other value that is not a price is
    unreadable.
    """
    if value is None or (cents == 0 and available is False):
        return Price(None)
    return Price(cents) if cents and cents > 0 else UNREADABLE


def above(was: int | None, now: int | None) -> int | None:
    """The price before, if it is above the price now."""
    return was if was is not None and now is not None and was > now else None


def shelf_number(value: object) -> str | None:
    """A unit price in dollars as the shelf prints it, at least two decimals: 0.7 is `0.70`. None unless above 0."""
    if isinstance(value, str):
        bare = value[:20].strip().lstrip("$").replace(",", "")
        dollars = Decimal(bare) if _AMOUNT.fullmatch(bare) else money.to_decimal(bare)  # `95c`
    else:
        dollars = number(value)
    if not dollars:
        return None
    return f"{dollars:.2f}" if dollars == dollars.quantize(Decimal("0.01")) else format(dollars.normalize(), "f")


def shelf_text(value: object) -> tuple[str | None, str | None]:
    """Number and measure of a shelf's text (`$4.38/ 100g`). For a text that cannot be read (`kgM`) an empty number and
    the text, so that it is counted; without a text (None, None)."""
    unread = text(value, 40)
    return unit_prices.split(value) or (("", unread) if unread else (None, None))


def multibuy(terms: tuple[int | None, int | None] | None, *, offer_id: object, members: bool) -> dict[str, Any]:
    """The fields of an item that a multibuy sets: everyone's, or those of members only.

    terms: quantity and total; None: there is no multibuy.
    """
    if terms is None:
        return {}
    kind = "member_multibuy" if members else "multibuy"
    named = {f"{kind}_quantity": terms[0], f"{kind}_total_cents": terms[1]}
    return {"offer_kind": kind, "offer_id": code(offer_id), **named}


def amount(value: object) -> Decimal | None:
    """A number as `number` reads it, or one that is written as text (`500`, `1,000`)."""
    if isinstance(value, str):
        bare = value.strip() if len(value) <= _AMOUNT.most else ""
        return Decimal(bare.replace(",", "")) if _AMOUNT.fullmatch(bare) else None
    return number(value)


def grams(value: object, unit: object) -> int | None:
    """Grams of an amount with its unit (`g` or `kg`); None for other units and impossible weights."""
    quantity = amount(value)
    factor = {"g": 1, "kg": 1000}.get(unit.strip().casefold()) if isinstance(unit, str) and len(unit) < 20 else None
    if not quantity or factor is None:
        return None
    weight = round(quantity * factor)
    return weight if 0 < weight <= HEAVIEST_GRAMS else None


def path(values: object) -> tuple[str, ...]:
    """Category names from the top: texts only, at most DEEPEST_PATH."""
    if not isinstance(values, Iterable) or isinstance(values, str | bytes | dict):
        return ()
    names = (text(value, 120) for value in list(values)[:DEEPEST_PATH])
    return tuple(known for known in names if known)


def is_campaign(name: str, promo_roots: Set[str]) -> bool:
    """Whether a root of that name is a campaign: one of a chain's `promo_roots`, or a season's (`Christmas Shop`)."""
    plain = name.casefold()
    return plain in promo_roots or bool(_SEASON.match(plain))


def choose_path(promo_roots: frozenset[str], *paths: tuple[str, ...]) -> tuple[str, ...]:
    """The first path that does not begin at a promotional root, else the first path at all."""
    known = [candidate for candidate in paths if candidate]
    proper = [candidate for candidate in known if not is_campaign(candidate[0], promo_roots)]
    return next(iter(proper or known), ())


def slug(*words: str | None) -> str:
    """Words as in a page's address: lower case, no accents, a dash for everything but letters and digits."""
    joined = cleaning.unescape(" ".join(word for word in words if word))
    plain = unicodedata.normalize("NFKD", joined).encode("ascii", "ignore").decode()
    return _NO_SLUG.sub("-", plain.casefold()).strip("-")


def url(base: str, *parts: str | None) -> str:
    """The base and the parts that are known, joined by slashes, quoted."""
    return "/".join([base, *(quote(part, safe="-._~") for part in parts if part)])


def link(value: object) -> str | None:
    """An http or https address without spaces, or None."""
    address = text(value, LONGEST_URL + 1)
    if address is None or len(address) > LONGEST_URL or " " in address:
        return None
    return address if address.lower().startswith(("http://", "https://")) else None
