"""How much is in a pack: the grammar of Australian size texts, and nothing guessed beyond it.

`6 x 375mL`, `375mL x10 Carton`, `2pk`, `1kg - 2.5kg`, `2,000 ml`, `approx. 1.8 kg per package`, `per 100g`,
`Half Each`, `BEER CAN 375ML:PACK6`. A text that means two things (`6 pack 500g`: each or all?) or lacks a number
(`355ml xCase`) is None.
"""

from dataclasses import replace
from functools import lru_cache

from splitcart.patterns import Pattern
from splitcart.size_forms import NUMBERED, WORDS, Form, Size, sized
from splitcart.size_words import ABOUT, CAN, LEAD, LEADS, MAX_TEXT, MEASURE, NUM, NUMBER
from splitcart.units import COUNT_WORDS, MEASURE_WORDS, UNITS

__all__ = ["MAX_TEXT", "Size", "ending", "parse", "split_name"]

_TILL = Pattern(
    rf"(?:.*[^0-9.,])?{NUM}{MEASURE}(?:\(?{NUM}(?:pk|pack)\)?\s*)?:\s*(?:(?:pack|pk|ctn|case|carton)\s*{NUM}|ea|each)",
    MAX_TEXT,
)


def parse(text: object) -> Size | None:
    """The size that a pack text tells, alone or at the end of a name or till text, or None. Never raises."""
    return _parse(text) if isinstance(text, str) and 0 < len(text) <= MAX_TEXT else None


@lru_cache(maxsize=32_768)
def _parse(text: str) -> Size | None:
    plain = _plain_text(text)
    about = bool(ABOUT.search(plain))
    body = LEAD.sub("", plain.strip("()"))
    if not _DIGIT.search(plain):
        return _phrase(body, about, WORDS)
    return _phrase(body, about) or (_till(plain) if ":" in plain else None) or _at_end(plain)[1]


def split_name(name: str) -> tuple[str, Size | None]:
    """A product's name without the size that ends it, casefolded, and that size: `Milk Full Cream 2L` -> milk full
    cream."""
    plain = _plain_text(name[:MAX_TEXT])
    start, size = _at_end(plain)
    return (plain[:start], size) if size else (plain, None)


def in_name(name: str, stated: str | None) -> list[Size]:
    """The sizes that a name tells at its end: with the stated size's own words there, and without them."""
    plain, size = " ".join(name.casefold().split()), " ".join((stated or "").casefold().split())
    told = [parse(plain[:MAX_TEXT])]
    if size and plain.endswith(size):
        told.append(parse(plain.removesuffix(size).rstrip(" ,(-")[:MAX_TEXT]))
    return [found for found in told if found is not None]


def ending(text: str | None) -> str | None:
    """The size that ends a longer text, as it is written there: `MALLEE BEER CAN 375ML:PACK24` -> `375ML:PACK24`."""
    size, words = parse(text), (text or "").split()
    tails = (" ".join(words[start:]) for start in reversed(range(len(words)) if size else ()))
    return next((tail for tail in tails if parse(tail) == size), None)


def _plain_text(text: str) -> str:
    if "Mm" in text:
        text = _MISSPELT.sub("ml", text)
    plain = text.casefold()
    if "." in plain:
        plain = _STRAY_DOT.sub(" ", plain)
    return " ".join((plain if plain.isascii() else plain.translate(_DASHES)).split())


def _phrase(body: str, about: bool, forms: tuple[Form, ...] | None = None) -> Size | None:
    """A text that is a size and nothing else."""
    for pattern, build in NUMBERED + WORDS if forms is None else forms:
        if found := pattern.fullmatch(body):
            return build(found, about)
    return None


@lru_cache(maxsize=16_384)
def _tail(rest: str) -> Size | None:
    return None if _STRENGTH.search(rest) else _phrase(rest.lstrip("~"), bool(ABOUT.search(rest)))


def _till(plain: str) -> Size | None:
    """`CARLTON DRY 8PK CAN 375ML:CTN24`: what is sold is what stands after the colon."""
    found = _TILL.fullmatch(plain)
    return None if found is None else sized(found[1], found[2], found[4] or "1")


def _at_end(plain: str) -> tuple[int, Size | None]:
    """`Golden Crumpets Round 6 pack`: the longest size that ends a longer text, and where the rest ends."""
    figure = _FIGURE.search(plain) if _DIGIT.search(plain) else None
    while figure:
        start = figure.start()
        figure = _FIGURE.search(plain, start + 1)
        rest = plain[start:].rstrip("()")
        # Short ends are few and remembered; of long ones most are told from a size by how they begin.
        if (len(rest) > _SHORT and not _START.match(rest)) or (size := _tail(rest)) is None:
            continue
        if (end := _break_before(plain, start)) is not None:
            before, size = _without_lead(plain[:end].rstrip(" (,"), size)
            return len(before), None if _is_tied(before) else size
    return len(plain), None


def _break_before(plain: str, start: int) -> int | None:
    """Where the words end before a size that starts at `start`: at a space, a comma (no number's own) or a bracket."""
    end = len(plain[:start].rstrip("()"))
    if plain[end - 1 : end] == " " or (plain[end - 1 : end] == "," and not _DIGIT.match(plain[end - 2 : end])):
        return end - 1
    bracket = plain.find("(", end, start)
    return None if bracket < 0 else bracket


def _without_lead(before: str, size: Size) -> tuple[str, Size]:
    """What stands before a size without the `approx.` that belongs to the size."""
    rest, _, last = before.rpartition(" ")
    word = last.strip("(.")
    if word not in LEADS:
        return before, size
    return rest.rstrip(" (,"), size if word.startswith("min") else replace(size, approx=True)


def _is_tied(before: str) -> bool:
    """Whether a size does not stand alone: another one or an `x` before it, or a bracket that says it by the way."""
    plain = _EACH.sub("", before) if before.endswith(("each", "ea")) else before
    last = plain[-_WIDEST:]
    if (plain.endswith(_TIES) or _MEASURED.search(last)) and _AMBIGUOUS.search(last):
        return True
    return _is_aside(plain)


def _is_aside(before: str) -> bool:
    """Whether a bracket with words in it is open at the end of a text: `1.8L (makes 9L)`, `450g (drained 250g)`. What
    is said by the way is not what is sold."""
    _, bracket, inside = before.rpartition("(")
    return bool(bracket) and ")" not in inside and bool(_LETTER.search(inside))


_DASHES = str.maketrans("\u2010\u2011\u2012\u2013\u2014\u2212", "------")
_MISSPELT = Pattern(r"(?<=[0-9])\s?Mm\b", MAX_TEXT)
"""`700Mm`, a misspelt mL; mm and MM are millimetres."""
_STRAY_DOT = Pattern(rf"(?<=[a-z.]) \.(?=[0-9]{{2,}}\s?(?:{MEASURE_WORDS})(?![a-z]))", MAX_TEXT)
"""`approx .150g`: the dot belongs to the word before."""
_DIGIT = Pattern("[0-9]", MAX_TEXT)
_STRENGTH = Pattern(r"[0-9]\s*(?:mg|milligrams?)$", MAX_TEXT)
"""`Panadol 500mg` says how strong, not how much."""
_FIGURE = Pattern(r"[0-9.~](?<=[ (),].)", MAX_TEXT)
"""The first sign of what may be a size at a name's end."""
_SHORT = 8
_START = Pattern(rf"~|(?:{NUMBER})\s*(?:(?:{MEASURE_WORDS}|{COUNT_WORDS})(?![a-wyz])|[x×*-]|to(?![a-z]))", MAX_TEXT)
"""How each of NUMBERED begins, so that few texts are tried in vain."""
_EACH = Pattern(r"(?:^|(?<=[^0-9])\s)(?:1\s?)?(?:each|ea)$", MAX_TEXT)
"""`1 each (approx. 1.2kg)`: the one says no more than the other."""
_LETTER = Pattern("[a-z]", MAX_TEXT)
_AMBIGUOUS = Pattern(
    rf"(?:[0-9]\s*(?:{MEASURE_WORDS}|{COUNT_WORDS}|x)(?:\s(?:{CAN}|tubs?|jars?|bags?))?|(?<![a-z])x|[×*+/&-])$",
    MAX_TEXT,
)
"""What must not stand before the last size: another one, or a sign that ties it to what comes before."""
_TIES, _MEASURED = ("x", "×", "*", "+", "/", "&", "-"), Pattern(r"[0-9]\s*[a-z]", MAX_TEXT)
"""One of these is in whatever _AMBIGUOUS finds."""
_WIDEST = 2 + max(map(len, UNITS)) + len(" longnecks")
"""How many signs at a text's end _AMBIGUOUS can match: it is looked for in every name, and in no more than these."""
