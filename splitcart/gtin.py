"""Barcodes in one form, without those that mean different products in different shops."""

from splitcart.patterns import Pattern

_MAX_TEXT = 200
_SEPARATORS = Pattern(r"[\s-]+", most=_MAX_TEXT)
_DIGITS = Pattern(r"[0-9]{8}|[0-9]{12,14}", most=14)
_REFUSED_13 = ("02", "04", "05", "2", "977", "98", "99")
"""In-store and weighed goods (02, 04, 2), coupons (05, 98, 99) and serials (977): not one product everywhere."""
_REFUSED_8 = ("0", "2")
"""Velocity codes and in-store numbers."""


def normalise(raw: object, sku: str | None = None) -> str | None:
    """The 14-digit GTIN of what a chain sends as a barcode, or None. Never raises.

    `raw` is a string (digits, spaces and hyphens; several separated by commas), an int, or a list of these. From
    several, the first valid one of 13 digits is taken, else the first valid one. Refused: a wrong check digit, a length
    other than 8, 12, 13 or 14 (11 digits have lost a zero, and the chain itself calls them invalid), an outer case
    (indicator 1-9), the restricted prefixes, all zeros, the row's own sku.
    """
    valid = [code for text in _parts(raw) if (code := _code(text, sku)) is not None]
    thirteen = [code for code in valid if not code.startswith("00")]
    return next(iter(thirteen or valid), None)


def check_digit(body: str) -> str:
    """The check digit of the digits before it (GS1 General Specifications 7.9: weights 3, 1 from the right)."""
    digits = body.encode("ascii")
    total = 3 * sum(digits[::-2]) + sum(digits[-2::-2]) - ord("0") * (len(digits) + 2 * len(digits[::-2]))
    return str(-total % 10)


def _parts(raw: object) -> list[str]:
    if isinstance(raw, list | tuple):
        return [text for part in raw[:20] if not isinstance(part, list | tuple) for text in _parts(part)]
    if isinstance(raw, int) and not isinstance(raw, bool):
        return [str(raw)] if 0 <= raw < 10**14 else []
    if isinstance(raw, str) and len(raw) <= _MAX_TEXT:
        return raw.split(",")
    return []


def _code(text: str, sku: str | None) -> str | None:
    digits = _SEPARATORS.sub("", text)
    if not _DIGITS.fullmatch(digits) or check_digit(digits[:-1]) != digits[-1]:
        return None
    code = digits.zfill(14)
    if _is_refused(code) or (isinstance(sku, str) and sku.strip().lstrip("0") == code.lstrip("0")):
        return None
    return code


def _is_refused(code: str) -> bool:
    if code.startswith("000000"):  # GTIN-8 in its long form
        return code.strip("0") == "" or code[6:].startswith(_REFUSED_8)
    return code[0] != "0" or code[1:].startswith(_REFUSED_13)
