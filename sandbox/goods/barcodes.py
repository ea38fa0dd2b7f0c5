"""Barcodes as the chains send them, and what a correct reader keeps of them."""

from random import Random


def check_digit(body: str) -> str:
    """The last digit of a GTIN whose other digits are `body` (GS1 General Specifications, 7.9)."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body)))
    return str(-total % 10)


def is_true(code: str) -> bool:
    return code.isdigit() and check_digit(code[:-1]) == code[-1]


def _digits(chance: Random, count: int) -> str:
    return f"{chance.randrange(10**count):0{count}d}"


def draw(chance: Random) -> str:
    """A true GTIN of a packed good: mostly Australian EAN-13, some UPC-12, EAN-8 and rare outer cases of 14."""
    kind = chance.random()
    if kind < 0.93:
        body = chance.choice(("93", "93", "93", "94", "50", "80", "30")) + _digits(chance, 10)
    elif kind < 0.95:
        body = "0" + chance.choice("13678") + _digits(chance, 9)
    elif kind < 0.965:
        body = chance.choice("678") + _digits(chance, 10)
    elif kind < 0.99:
        body = "9" + chance.choice("34") + _digits(chance, 5)
    else:
        body = chance.choice("12345678") + "93" + _digits(chance, 10)
    return body + check_digit(body)


def in_store(chance: Random, prefix: str = "02") -> str:
    """A shop-internal number, as weighed goods have."""
    body = prefix + _digits(chance, 12 - len(prefix))
    return body + check_digit(body)


def spoilt(code: str) -> str:
    """The same number with a wrong check digit."""
    return code[:-1] + str((int(code[-1]) + 5) % 10)


def kept(raw: str | None, sku: str) -> str | None:
    """The 14 digits that may be stored; None for wrong check digits, shop-internal and outer-case numbers."""
    if raw is None or not raw.isdigit() or raw == sku or int(raw) == 0 or not is_true(raw):
        return None
    if len(raw) == 8:
        return None if raw[0] in "02" else raw.zfill(14)
    if len(raw) == 14:
        if raw[0] != "0":
            return None
        return kept(raw[1:], sku)
    if len(raw) not in (12, 13):
        return None
    full = raw.zfill(13)
    refused = ("02", "04", "05", "2", "977", "98", "99")
    return None if full.startswith(refused) else full.zfill(14)


def readings(raw: str | None, sku: str) -> list[str | None]:
    """Every answer that is right: of 11 digits a reader may refuse the number or put the lost zero back."""
    first = kept(raw, sku)
    if raw is not None and raw.isdigit() and len(raw) == 11:
        return [first, kept("0" + raw, sku)]
    return [first]
