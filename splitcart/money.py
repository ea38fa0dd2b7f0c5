"""Dollars as the chains send them, to integer cents."""

from decimal import ROUND_HALF_EVEN, Decimal

from splitcart.patterns import IGNORE_CASE, Pattern

MAX_CENTS = 100_000 * 100
"""A larger number is not a grocery price, but a wrong field or a wrong unit."""
_MAX_TEXT = 40
_DOLLARS = Pattern(r"\$?\s*((?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,12})(?:\.[0-9]{0,12})?|\.[0-9]{1,12})", _MAX_TEXT)
_CENTS = Pattern(r"([0-9]{1,4}(?:\.[0-9]{1,4})?)\s*(?:c|¢|cents?)", _MAX_TEXT, IGNORE_CASE)


def to_decimal(value: object) -> Decimal | None:
    """Dollars as an exact Decimal, or None for what is not an amount of money. Never raises.

    `value` is an int, float, Decimal or text such as `3.35`, `$1,234.50` or `50c`. None: a bool, NaN, infinity, a
    negative amount, more than MAX_CENTS, and any other text (`2 for $5`, `1,5`).
    """
    amount = _from_text(value) if isinstance(value, str) else _from_number(value)
    if amount is None or not amount.is_finite() or not 0 <= amount * 100 <= MAX_CENTS:
        return None
    return amount


def to_cents(value: object) -> int | None:
    """Whole cents of a dollar amount, halves to the even cent; None as in `to_decimal`. Never raises."""
    amount = to_decimal(value)
    return None if amount is None else int((amount * 100).to_integral_value(ROUND_HALF_EVEN))


def _from_number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    if isinstance(value, int) and abs(value) > MAX_CENTS:  # str() of a huge int takes long
        return None
    return Decimal(str(value))


def _from_text(value: str) -> Decimal | None:
    text = value.strip() if len(value) <= _MAX_TEXT else ""
    if dollars := _DOLLARS.fullmatch(text):
        return Decimal(dollars[1].replace(",", ""))
    if cents := _CENTS.fullmatch(text):
        return Decimal(cents[1]) / 100
    return None
