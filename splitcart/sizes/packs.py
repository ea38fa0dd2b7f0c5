"""How much is in a pack: the grammar of Australian size texts, and nothing guessed beyond it.

`6 x 375mL`, `375mL x10 Carton`, `2pk`, `1kg - 2.5kg`, `2,000 ml`, `approx. 1.8 kg per package`, `per 100g`,
`Half Each`, `BEER CAN 375ML:PACK6`. A text that means two things (`6 pack 500g`: each or all?) or lacks a number
(`355ml xCase`) is None.
"""

from dataclasses import replace
from functools import lru_cache

from splitcart.patterns import Pattern
from splitcart.sizes.context import spoken, without_asides
from splitcart.sizes.forms import NUMBERED, WORDS, Form, Size, sized
from splitcart.sizes.text import MAX_TEXT, plain, ungrouped
from splitcart.sizes.units import COUNT_WORDS, MEASURE_WORDS, PACK_WORDS, UNITS
from splitcart.sizes.words import ABOUT, DRINKS, HOLDER, LEAD, LEADS, MEASURE, NUM, NUMBER

__all__ = ["MAX_TEXT", "Size", "chosen", "ending", "in_name", "of", "parse", "split_name", "stated"]

_TILL = Pattern(
    rf"(?:.*[^0-9.,])?{NUM}{MEASURE}(?:\(?{NUM}(?:pk|pack)\)?\s*)?:\s*(?:(?:pack|pk|ctn|case|carton)\s*{NUM}|ea|each)",
    MAX_TEXT,
)


def parse(text: object) -> Size | None:
    """The size that a pack text tells, alone or at the end of a name or till text, or None. Never raises."""
    return _parse(text, 0) if isinstance(text, str) and 0 < len(text) <= MAX_TEXT else None


def stated(size: object, name: object) -> Size | None:
    """What a size text tells of a thing so called: `27L` of bin liners is what one holds, `12-17kg` of nappies whom
    they fit, and a width in cm or mm how large a thing is, not how much of it. Never raises."""
    told = parse(size)
    if not isinstance(size, str) or not isinstance(name, str) or not name or len(size) > MAX_TEXT:
        return told
    if told is not None and told.unit == "m":
        return None if _WIDTH.fullmatch(plain(size)) else told
    if told is None or told.unit == "ml" or told.amount >= _LEAST_USER:
        about = spoken(plain(name)[:_LONGEST_NAME] + " 1")
        return _parse(size, about) if about else told
    return told


def chosen(stated: Size | None, written: object, name: str, told: Size | None) -> Size | None:
    """Of the size that is stated, `written` so, and the one that the name tells the one to believe.

    `each` says less than any size in a name, unless the name says what fits in (`Egg Tray (24 Eggs)`). What is stated
    in numbers that cannot be read (`355ml xCase`) is not the part of it that the name repeats.
    """
    if stated is None:
        return None if _is_unread(written, name) else told
    return told or stated if stated == _EACH_ONE and not spoken(plain(name[:MAX_TEXT])) else stated


def _is_unread(written: object, name: str) -> bool:
    if not isinstance(written, str) or not _DIGIT.search(written) or parse(written) is not None:
        return False
    return not spoken(plain(name)[:_LONGEST_NAME] + " 1")


def of(size: object, name: object) -> Size | None:
    """The size of a thing by its size text, else by its name. Never raises."""
    text = name[:MAX_TEXT] if isinstance(name, str) else ""
    return chosen(stated(size, name), size, text, parse(text))


@lru_cache(maxsize=32_768)
def _parse(text: str, about: int) -> Size | None:
    """`about`: what the text belongs to speaks of, as `spoken` has it."""
    told = plain(text)
    if not _DIGIT.search(told):
        return _phrase(LEAD.sub("", told.strip("()")), bool(ABOUT.search(told)), WORDS)
    told = without_asides(told, about)
    circa = bool(ABOUT.search(told))
    body = ungrouped(LEAD.sub("", told.strip("()")))
    return _phrase(body, circa) or _twice(body, circa) or (_till(told) if ":" in told else None) or _at_end(told)[1]


def split_name(name: str) -> tuple[str, Size | None]:
    """A product's name without the size that ends it, casefolded, and that size: `Milk Full Cream 2L` -> milk full
    cream."""
    told = plain(name[:MAX_TEXT])
    if not _DIGIT.search(told):
        return told, None
    start, size = _at_end(without_asides(told))
    return (told[:start], size) if size else (told, None)


def in_name(name: str, stated: str | None) -> list[Size]:
    """The sizes that a name tells at its end: with the stated size's own words there, and without them."""
    told, size = " ".join(name.casefold().split()), " ".join((stated or "").casefold().split())
    found = [parse(told[:MAX_TEXT])]
    if size and told.endswith(size):
        found.append(parse(told.removesuffix(size).rstrip(" ,(-")[:MAX_TEXT]))
    return [one for one in found if one is not None]


def ending(text: str | None) -> str | None:
    """The size that ends a longer text, as it is written there: `MALLEE BEER CAN 375ML:PACK24` -> `375ML:PACK24`."""
    size, words = parse(text), (text or "").split()
    tails = (" ".join(words[start:]) for start in reversed(range(len(words)) if size else ()))
    return next((tail for tail in tails if parse(tail) == size), None)


def _phrase(body: str, about: bool, forms: tuple[Form, ...] | None = None) -> Size | None:
    """A text that is a size and nothing else."""
    for pattern, build in NUMBERED + WORDS if forms is None else forms:
        if found := pattern.fullmatch(body):
            return build(found, about)
    return None


def _twice(body: str, about: bool) -> Size | None:
    """`380g (4 x 95g)`, `4 x 95g = 380g`: one pack told two ways, which must agree; the one that tells the count."""
    for parted in _TOLD_AGAIN.finditer(body):
        first, again = body[: parted.start()].strip(" ()"), LEAD.sub("", body[parted.end() :].strip(" ()"))
        told, other = _phrase(first, about), _phrase(again, about)
        if told is not None and (_IMPERIAL.fullmatch(again) or other is not None):
            return _agreed(told, other) if other is not None else told
    return None


def _agreed(told: Size, again: Size) -> Size | None:
    more, less = (told, again) if told.count >= again.count else (again, told)
    if more.unit == less.unit:
        return more if more.total == less.total and less.count in (1, more.count) else None
    return more if less.unit == "ea" and more.count == less.total > 1 else None


@lru_cache(maxsize=16_384)
def _tail(rest: str) -> Size | None:
    if _STRENGTH.search(rest) or _WIDTH.fullmatch(rest):
        return None
    about, body = bool(ABOUT.search(rest)), rest.lstrip("~")
    return _phrase(body, about) or (_twice(body, about) if _TWO_NUMBERS.search(body) else None)


def _till(told: str) -> Size | None:
    """`CARLTON DRY 8PK CAN 375ML:CTN24`: what is sold is what stands after the colon."""
    found = _TILL.fullmatch(told)
    return None if found is None else sized(found[1], found[2], found[4] or "1")


def _at_end(told: str) -> tuple[int, Size | None]:
    """`Golden Crumpets Round 6 pack`: the longest size that ends a longer text, and where the rest ends."""
    if not _DIGIT.search(told):
        return len(told), None
    figures = _FIGURE_OR_HOLDER if " of " in told or _TWO_NUMBERS.search(told) else _FIGURE
    figure = figures.search(told)
    while figure:
        start = figure.start()
        figure = figures.search(told, start + 1)
        rest = told[start:].rstrip("()")
        # Short ends are few and remembered; of long ones most are told from a size by how they begin.
        if (len(rest) > _SHORT and not _START.match(rest)) or (size := _tail(rest)) is None:
            continue
        if (end := _break_before(told, start)) is not None:
            before, size = _without_lead(told[:end].rstrip(" (,"), size)
            return len(before), None if _is_tied(before, size) else size
    return len(told), None


def _break_before(told: str, start: int) -> int | None:
    """Where the words end before a size that starts at `start`: at a space, a comma (no number's own) or a bracket."""
    end = len(told[:start].rstrip("()"))
    if told[end - 1 : end] == " " or (told[end - 1 : end] == "," and not _DIGIT.match(told[end - 2 : end])):
        return end - 1
    bracket = told.find("(", end, start)
    return None if bracket < 0 else bracket


def _without_lead(before: str, size: Size) -> tuple[str, Size]:
    """What stands before a size without the `approx.` that belongs to the size."""
    rest, _, last = before.rpartition(" ")
    word = last.strip("(.")
    if word not in LEADS:
        return before, size
    return rest.rstrip(" (,"), size if word.startswith("min") else replace(size, approx=True)


def _is_tied(before: str, size: Size) -> bool:
    """Whether a size does not stand alone: another one or an `x` before it, a word that its number belongs to, or a
    bracket that says it by the way."""
    rest = _EACH.sub("", before) if before.endswith(("each", "ea")) else before
    last = rest[-_WIDEST:]
    if (rest.endswith(_TIES) or _MEASURED.search(last)) and _AMBIGUOUS.search(last):
        return True
    if rest.endswith("pack") and size.count == 1 and _SEVERAL.search(rest):
        return True
    if (size.unit == "ea" and _NUMBERED_THING.search(rest)) or _NUMERAL.fullmatch(rest):
        return True
    return _is_aside(rest) or _is_count_before(rest, size)


def _is_aside(before: str) -> bool:
    """Whether a bracket with words in it is open at the end of a text: `1.8L (makes 9L)`, `450g (drained 250g)`. What
    is said by the way is not what is sold."""
    _, bracket, inside = before.rpartition("(")
    return bool(bracket) and ")" not in inside and bool(_LETTER.search(inside))


def _is_count_before(before: str, size: Size) -> bool:
    """Whether a number before a drink's measure may be how many there are: `LAGER 24 330ML`, not `SPF 30 200ml`."""
    if size.unit != "ml" or size.count > 1 or not _LEAST_DRINK <= size.amount <= _LARGEST_DRINK:
        return False
    found = _COUNT_BEFORE.search(before)
    return found is not None and not _NUMBERED_THING.search(before[: found.start(1)])


_DIGIT = Pattern("[0-9]", MAX_TEXT)
_EACH_ONE = sized("1", "ea")
_LEAST_USER = 1000
"""Grams of the least kilograms that are a user's."""
_LONGEST_NAME = MAX_TEXT - 2
_WIDTH = Pattern(rf"(?:{NUMBER})\s*(?:mm|cms?|millimet(?:re|er)s?|centimet(?:re|er)s?)\.?", MAX_TEXT)
_IMPERIAL = Pattern(r"[0-9][0-9./ ]*(?:fl\.? ?)?(?:oz|lbs?|ounces?|pounds?)\.?", MAX_TEXT)
_TOLD_AGAIN = Pattern(r" ?[(=;/] ?|, |(?<=[a-z)]) (?=[0-9])", MAX_TEXT)
_STRENGTH = Pattern(r"[0-9]\s*(?:mg|milligrams?)$", MAX_TEXT)
"""`Panadol 500mg` says how strong, not how much."""
_HOLDING = rf"{HOLDER}\s+of\s+[0-9]|{DRINKS}\s+[0-9]"
_FIGURE = Pattern(r"[0-9.~](?<=[ (),].)", MAX_TEXT)
"""The first sign of what may be a size at a name's end."""
_FIGURE_OR_HOLDER = Pattern(rf"[0-9.~](?<=[ (),].)|(?<![a-z0-9])(?:{_HOLDING})", MAX_TEXT)
"""For `Pack of 6` and `Block 30 375mL`, which hold an `of` or two numbers."""
_TWO_NUMBERS = Pattern("[0-9][^0-9]+[0-9]", MAX_TEXT)
_SHORT = 8
_START = Pattern(
    rf"~|{_HOLDING}|(?:{NUMBER})\s*"
    rf"(?:[a-z -]*(?:{MEASURE_WORDS}|{COUNT_WORDS}|s|{HOLDER})(?![a-wyz])|[x×*-]|to(?![a-z]))",
    MAX_TEXT,
)
"""How each of NUMBERED begins, so that few texts are tried in vain."""
_EACH = Pattern(r"(?:^|(?<=[^0-9])\s)(?:1\s?)?(?:each|ea)$", MAX_TEXT)
"""`1 each (approx. 1.2kg)`: the one says no more than the other."""
_LETTER = Pattern("[a-z]", MAX_TEXT)
_AMBIGUOUS = Pattern(
    rf"(?:[0-9]\s*(?:{MEASURE_WORDS}|{PACK_WORDS}|x)(?:\s{HOLDER})?"
    r"|(?<![a-z])x(?: [hwdl])?|[×*+/&-])$",
    MAX_TEXT,
)
"""What must not stand before the last size: another one, or a sign that ties it to what comes before."""
_TIES, _MEASURED = ("x", "×", "*", "+", "/", "&", "-", " h", " w", " d", " l"), Pattern(r"[0-9]\s*[a-z]", MAX_TEXT)
"""One of these is in whatever _AMBIGUOUS finds."""
_WIDEST = 2 + max(map(len, UNITS)) + len(" multipacks")
"""How many signs at a text's end _AMBIGUOUS can match: it is looked for in every name, and in no more than these."""
_NUMBERED_THING = Pattern(
    r"(?<![a-z])(?:(?<!king )(?<!queen )(?<!fun )(?<!family )(?<!super )(?<!double )(?<!party )sizes?|stages?|steps?"
    r"|no\.?|number|levels?|factor|type|grade|series|spf|vat|blend|formula|omega|vitamin(?: [a-k][0-9]{0,2})?|ages?"
    r"|holds|fits|serves|for|from|in|top|#)\s*$",
    MAX_TEXT,
)
"""Words that the number behind them belongs to: `Size 4 Nappies`, `Omega 3 Capsules`, `Holds 12 Rolls`."""
_SEVERAL = Pattern("(?<![a-z])(?:twin|dual|double|duo|triple) ?pack$", MAX_TEXT)
_NUMERAL = Pattern("[0-9]{1,9}", MAX_TEXT)
_COUNT_BEFORE = Pattern(r"(?:^| )\(?(4|5|6|8|10|12|15|16|18|20|24|28|30|32|36|40|48)\)?$", MAX_TEXT)
_LEAST_DRINK, _LARGEST_DRINK = 100, 2_000
"""ml"""
