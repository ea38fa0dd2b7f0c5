"""How much is in a pack, by the grammar of Australian size texts. Nothing beyond it is guessed.

`6 x 375mL`, `375mL x10 Carton`, `2pk`, `1kg - 2.5kg`, `2,000 ml`, `approx. 1.8 kg per package`, `per 100g`,
`Half Each`, `BEER CAN 375ML:PACK6`. A text that means two things (`6 pack 500g`: each or all?) or lacks a number
(`355ml xCase`) is None.
"""

from dataclasses import replace
from functools import lru_cache

from splitcart.patterns import Pattern
from splitcart.sizes.context import topics_of, without_asides
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
    """The size in a text that is one, or in the end of a name or a till text; None without one. Never raises."""
    return _parse(text, 0) if isinstance(text, str) and 0 < len(text) <= MAX_TEXT else None


def stated(size: object, name: object) -> Size | None:
    """The size in the size text of a thing with this name; None for a measure that is not an amount. Never raises.

    `27L` of bin liners is a capacity, `12-17kg` of nappies the weight of a user, cm or mm are dimensions.
    """
    parsed = parse(size)
    if not isinstance(size, str) or not isinstance(name, str) or not name or len(size) > MAX_TEXT:
        return parsed
    if parsed is not None and parsed.unit == "m":
        return None if _WIDTH.fullmatch(plain(size)) else parsed
    if parsed is None or parsed.unit == "ml" or parsed.amount >= _LEAST_USER:
        topics = topics_of(plain(name)[:_LONGEST_NAME] + " 1")
        return _parse(size, topics) if topics else parsed
    return parsed


def chosen(stated: Size | None, written: object, name: str, name_size: Size | None) -> Size | None:
    """The size of a thing: `stated` in the size text `written`, or `name_size`, that in its name.

    A size in the name replaces `each`, unless it is a capacity (`Egg Tray (24 Eggs)`). If the size text has numbers
    that cannot be read (`355ml xCase`), the size is unknown: the name may repeat only a part of it.
    """
    if stated is None:
        return None if _is_unread(written, name) else name_size
    return name_size or stated if stated == _EACH_ONE and not topics_of(plain(name[:MAX_TEXT])) else stated


def _is_unread(written: object, name: str) -> bool:
    """Whether a size text has numbers but no size, and the name gives no reason for it (a capacity or a user)."""
    if not isinstance(written, str) or not _DIGIT.search(written) or parse(written) is not None:
        return False
    return not topics_of(plain(name)[:_LONGEST_NAME] + " 1")


def of(size: object, name: object) -> Size | None:
    """The size of a thing: that in its size text, else that in its name. Never raises."""
    text = name[:MAX_TEXT] if isinstance(name, str) else ""
    return chosen(stated(size, name), size, text, parse(text))


@lru_cache(maxsize=32_768)
def _parse(text: str, topics: int) -> Size | None:
    """`topics`: those of the name that the text belongs to (see `topics_of`)."""
    folded = plain(text)
    if not _DIGIT.search(folded):
        return _phrase(LEAD.sub("", folded.strip("()")), bool(ABOUT.search(folded)), WORDS)
    folded = without_asides(folded, topics)
    approx = bool(ABOUT.search(folded))
    body = ungrouped(LEAD.sub("", folded.strip("()")))
    return (
        _phrase(body, approx)
        or _twice(body, approx)
        or (_till(folded) if ":" in folded else None)
        or _at_end(folded)[1]
    )


def split_name(name: str) -> tuple[str, Size | None]:
    """A product's name, casefolded and without the size that ends it, and that size: `Milk Full Cream 2L` -> milk full
    cream, 2000 ml."""
    folded = plain(name[:MAX_TEXT])
    if not _DIGIT.search(folded):
        return folded, None
    start, size = _at_end(without_asides(folded))
    return (folded[:start], size) if size else (folded, None)


def in_name(name: str, stated: str | None) -> list[Size]:
    """The sizes at the end of a name: with the words of the stated size there, and without them."""
    folded, size = " ".join(name.casefold().split()), " ".join((stated or "").casefold().split())
    sizes = [parse(folded[:MAX_TEXT])]
    if size and folded.endswith(size):
        sizes.append(parse(folded.removesuffix(size).rstrip(" ,(-")[:MAX_TEXT]))
    return [each for each in sizes if each is not None]


def ending(text: str | None) -> str | None:
    """The size that ends a longer text, as the text writes it: `MALLEE BEER CAN 375ML:PACK24` -> `375ML:PACK24`."""
    size, words = parse(text), (text or "").split()
    tails = (" ".join(words[start:]) for start in reversed(range(len(words)) if size else ()))
    return next((tail for tail in tails if parse(tail) == size), None)


def _phrase(body: str, approx: bool, forms: tuple[Form, ...] | None = None) -> Size | None:
    """The size if the whole text is a size; else None."""
    for pattern, build in NUMBERED + WORDS if forms is None else forms:
        if match := pattern.fullmatch(body):
            return build(match, approx)
    return None


def _twice(body: str, approx: bool) -> Size | None:
    """`380g (4 x 95g)`, `4 x 95g = 380g`: a pack written in two ways, which must agree. The size is the one with the
    count."""
    for separator in _SECOND_WAY.finditer(body):
        first, second = body[: separator.start()].strip(" ()"), LEAD.sub("", body[separator.end() :].strip(" ()"))
        first_size, second_size = _phrase(first, approx), _phrase(second, approx)
        if first_size is not None and (_IMPERIAL.fullmatch(second) or second_size is not None):
            return _agreed(first_size, second_size) if second_size is not None else first_size
    return None


def _agreed(first: Size, second: Size) -> Size | None:
    more, less = (first, second) if first.count >= second.count else (second, first)
    if more.unit == less.unit:
        return more if more.total == less.total and less.count in (1, more.count) else None
    return more if less.unit == "ea" and more.count == less.total > 1 else None


@lru_cache(maxsize=16_384)
def _tail(rest: str) -> Size | None:
    if _STRENGTH.search(rest) or _WIDTH.fullmatch(rest):
        return None
    approx, body = bool(ABOUT.search(rest)), rest.lstrip("~")
    return _phrase(body, approx) or (_twice(body, approx) if _TWO_NUMBERS.search(body) else None)


def _till(folded: str) -> Size | None:
    """`CARLTON DRY 8PK CAN 375ML:CTN24`: what is sold stands after the colon."""
    match = _TILL.fullmatch(folded)
    return None if match is None else sized(match[1], match[2], match[4] or "1")


def _at_end(folded: str) -> tuple[int, Size | None]:
    """The longest size at the end of a text, and the length of the text before it: `Golden Crumpets Round 6 pack`."""
    if not _DIGIT.search(folded):
        return len(folded), None
    figures = _FIGURE_OR_HOLDER if " of " in folded or _TWO_NUMBERS.search(folded) else _FIGURE
    figure = figures.search(folded)
    while figure:
        start = figure.start()
        figure = figures.search(folded, start + 1)
        rest = folded[start:].rstrip("()")
        # Short ends are few and cached. The beginning of most long ones shows that they are not a size.
        if (len(rest) > _SHORT and not _START.match(rest)) or (size := _tail(rest)) is None:
            continue
        if (end := _break_before(folded, start)) is not None:
            before, size = _without_lead(folded[:end].rstrip(" (,"), size)
            return len(before), None if _is_tied(before, size) else size
    return len(folded), None


def _break_before(folded: str, start: int) -> int | None:
    """The end of the text before a size at `start`: a space, a comma outside a number, or a bracket; else None."""
    end = len(folded[:start].rstrip("()"))
    if folded[end - 1 : end] == " " or (folded[end - 1 : end] == "," and not _DIGIT.match(folded[end - 2 : end])):
        return end - 1
    bracket = folded.find("(", end, start)
    return None if bracket < 0 else bracket


def _without_lead(before: str, size: Size) -> tuple[str, Size]:
    """The text before a size without the `approx.` that belongs to the size, and the size with it."""
    rest, _, last = before.rpartition(" ")
    word = last.strip("(.")
    if word not in LEADS:
        return before, size
    return rest.rstrip(" (,"), size if word.startswith("min") else replace(size, approx=True)


def _is_tied(before: str, size: Size) -> bool:
    """Whether a size is part of what is before it: another size, an `x`, a word such as `Stage`, or an open bracket."""
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
    """Whether a bracket with words in it is open at the end of a text: `1.8L (makes 9L)`, `450g (drained 250g)`. Such a
    remark is not the amount sold."""
    _, bracket, inside = before.rpartition("(")
    return bool(bracket) and ")" not in inside and bool(_LETTER.search(inside))


def _is_count_before(before: str, size: Size) -> bool:
    """Whether a number before the measure of a drink may be the count: `LAGER 24 330ML`, not `SPF 30 200ml`."""
    if size.unit != "ml" or size.count > 1 or not _LEAST_DRINK <= size.amount <= _LARGEST_DRINK:
        return False
    match = _COUNT_BEFORE.search(before)
    return match is not None and not _NUMBERED_THING.search(before[: match.start(1)])


_DIGIT = Pattern("[0-9]", MAX_TEXT)
_EACH_ONE = sized("1", "ea")
_LEAST_USER = 1000
"""Grams: no user weighs less."""
_LONGEST_NAME = MAX_TEXT - 2
_WIDTH = Pattern(rf"(?:{NUMBER})\s*(?:mm|cms?|millimet(?:re|er)s?|centimet(?:re|er)s?)\.?", MAX_TEXT)
_IMPERIAL = Pattern(r"[0-9][0-9./ ]*(?:fl\.? ?)?(?:oz|lbs?|ounces?|pounds?)\.?", MAX_TEXT)
_SECOND_WAY = Pattern(r" ?[(=;/] ?|, |(?<=[a-z)]) (?=[0-9])", MAX_TEXT)
_STRENGTH = Pattern(r"[0-9]\s*(?:mg|milligrams?)$", MAX_TEXT)
"""`Panadol 500mg`: a strength, not an amount."""
_HOLDING = rf"{HOLDER}\s+of\s+[0-9]|{DRINKS}\s+[0-9]"
_FIGURE = Pattern(r"[0-9.~](?<=[ (),].)", MAX_TEXT)
"""The first character of what may be a size at the end of a name."""
_FIGURE_OR_HOLDER = Pattern(rf"[0-9.~](?<=[ (),].)|(?<![a-z0-9])(?:{_HOLDING})", MAX_TEXT)
"""The same for names with an `of` or two numbers, as in `Pack of 6` and `Block 30 375mL`."""
_TWO_NUMBERS = Pattern("[0-9][^0-9]+[0-9]", MAX_TEXT)
_SHORT = 8
_START = Pattern(
    rf"~|{_HOLDING}|(?:{NUMBER})\s*"
    rf"(?:[a-z -]*(?:{MEASURE_WORDS}|{COUNT_WORDS}|s|{HOLDER})(?![a-wyz])|[x×*-]|to(?![a-z]))",
    MAX_TEXT,
)
"""How each of NUMBERED begins, so that few other texts are tried."""
_EACH = Pattern(r"(?:^|(?<=[^0-9])\s)(?:1\s?)?(?:each|ea)$", MAX_TEXT)
"""`1 each (approx. 1.2kg)`: `each` before a size adds nothing."""
_LETTER = Pattern("[a-z]", MAX_TEXT)
_AMBIGUOUS = Pattern(
    rf"(?:[0-9]\s*(?:{MEASURE_WORDS}|{PACK_WORDS}|x)(?:\s{HOLDER})?"
    r"|(?<![a-z])x(?: [hwdl])?|[×*+/&-])$",
    MAX_TEXT,
)
"""What must not be before the last size: another size, or a sign that joins the two."""
_TIES, _MEASURED = ("x", "×", "*", "+", "/", "&", "-", " h", " w", " d", " l"), Pattern(r"[0-9]\s*[a-z]", MAX_TEXT)
"""Whatever _AMBIGUOUS matches ends in one of the former or contains the latter."""
_WIDEST = 2 + max(map(len, UNITS)) + len(" multipacks")
"""The most characters at the end of a text that _AMBIGUOUS can match: no more are searched."""
_NUMBERED_THING = Pattern(
    r"(?<![a-z])(?:(?<!king )(?<!queen )(?<!fun )(?<!family )(?<!super )(?<!double )(?<!party )sizes?|stages?|steps?"
    r"|no\.?|number|levels?|factor|type|grade|series|spf|vat|blend|formula|omega|vitamin(?: [a-k][0-9]{0,2})?|ages?"
    r"|holds|fits|serves|for|from|in|top|#)\s*$",
    MAX_TEXT,
)
"""Words that the number after them belongs to: `Size 4 Nappies`, `Omega 3 Capsules`, `Holds 12 Rolls`."""
_SEVERAL = Pattern("(?<![a-z])(?:twin|dual|double|duo|triple) ?pack$", MAX_TEXT)
_NUMERAL = Pattern("[0-9]{1,9}", MAX_TEXT)
_COUNT_BEFORE = Pattern(r"(?:^| )\(?(4|5|6|8|10|12|15|16|18|20|24|28|30|32|36|40|48)\)?$", MAX_TEXT)
_LEAST_DRINK, _LARGEST_DRINK = 100, 2_000
"""ml: the sizes of drinks that a bare number before the measure may count."""
