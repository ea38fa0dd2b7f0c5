"""The forms of size texts, each with the size that it means: `6 x 375mL`, `375mL x10 Carton`, `1kg - 2.5kg`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from re import Match

from splitcart.patterns import Pattern
from splitcart.sizes.text import MAX_TEXT
from splitcart.sizes.units import UNITS, BaseUnit
from splitcart.sizes.words import (
    CAN,
    COUNT,
    DRINKS,
    HOLDER,
    MANY_DRINKS,
    MEASURE,
    NUM,
    NUMBER,
    SHEETS,
    TAIL,
    TIMES_SIGN,
    UNIT,
)

_MAX_AMOUNT = Decimal(1_000_000)
_MAX_COUNT = 1000
_PLURALS = frozenset({"s", "'s"})
_HEAVIEST_RANGE = 10_000
"""Grams. A range of kilograms above it is not a piece of meat: `12-17kg` is the weight of a child."""
_HEAVIEST_PACK = 100_000
"""g or ml"""
_LARGEST_COUNTED_DRINK = 5_000
"""ml"""
_SINGLE_NOUNS = frozenset({"each", "ea", "bunch", "pair"})
"""Words that keep their noun; a punnet or a bag of something is one piece of it."""


@dataclass(frozen=True, slots=True)
class Size:
    """`count` packs of `amount` base units each; a range is priced at its upper end, so `amount` is `high`."""

    amount: Decimal
    unit: BaseUnit
    count: int = 1
    approx: bool = False
    low: Decimal | None = None
    high: Decimal | None = None
    noun: str = field(default="", compare=False)
    """What is counted if unit is `ea`: sheet, roll, tablet...; empty for packs and pieces of any kind."""

    @property
    def total(self) -> Decimal:
        """The amount in all packs together, in g, ml, m or ea."""
        return self.amount * self.count

    def __str__(self) -> str:
        """The size in its plainest form, which `parse` reads back."""
        prefix = "approx. " if self.approx and self.low is None else ""
        times = f"{self.count} x " if self.count > 1 else ""
        amount = f"{self.amount:f} {self.unit}"
        return f"{prefix}{times}{amount}" if self.low is None else f"{times}{self.low:f} {self.unit} - {amount}"


_RANGE = Pattern(rf"{NUM}(?:{UNIT})?(?:-|to(?![a-z]))\s*{NUM}{UNIT}{TAIL}", MAX_TEXT)
_TIMES = Pattern(rf"(?:{NUM}{TIMES_SIGN})?{NUM}{TIMES_SIGN}{NUM}{UNIT}{SHEETS}{TAIL}", MAX_TEXT)
_TIMES_AFTER = Pattern(rf"{NUM}(?:{MEASURE}(?:{HOLDER}\s+)?|{COUNT}\s+){TIMES_SIGN}{NUM}{TAIL}", MAX_TEXT)
_LITRES_AND_PACK = Pattern(
    rf"{NUM}(ml|mls|l|lt|ltr|litres?)\s+(?:{CAN}\s+)?{NUM}(?:pk|packs?|pkt|{DRINKS})(?![a-z])\s*{TAIL}", MAX_TEXT
)
_ONE = Pattern(rf"{NUM}{UNIT}{SHEETS}{TAIL}", MAX_TEXT)
_PER_MEASURE = Pattern(rf"(?:per|/)\s*(?:{NUM})?{UNIT}", MAX_TEXT)
_BARE = Pattern(r"(kgs?|kilos?|kilograms?|litres?|metres?)\.?", MAX_TEXT)
"""A measure without a number; not `L` and `M`, which mean large and medium."""
_SINGLE = Pattern(
    r"(?:sold\s+)?(?:(?:whole|half|quarter|single|loose|large|small|[\u00bc\u00bd\u00be])\s+)?"
    r"(?:(?:per|by the)\s+|/\s*)?"
    r"(each|ea|bunch|pair|punnet|head|loaf|bag|bottle|can|tin|jar|tub|tube|packet|pouch|piece|roll|single|whole|half"
    r"|quarter)\.?",
    MAX_TEXT,
)
_DOZEN = Pattern(r"(half\s+)?(?:a\s+)?dozen", MAX_TEXT)
_PACKS_OF = Pattern(rf"{NUM}{HOLDER}(?![a-z])\s*(?:{TIMES_SIGN}|of\s+(?={NUMBER})){NUM}{UNIT}{SHEETS}{TAIL}", MAX_TEXT)
_HOLDS = Pattern(rf"{HOLDER}\s+of\s+{NUM}(?:{COUNT}(?![a-z])\.?\s*)?{SHEETS}", MAX_TEXT)
_HOLDS_MANY = Pattern(rf"{HOLDER}\s+of\s+{NUM}(?:{HOLDER}\s+)?{TIMES_SIGN}{NUM}{UNIT}{TAIL}", MAX_TEXT)
_DRINKS = Pattern(
    rf"(?:(?:{DRINKS}\s+(?:of\s+)?|{HOLDER}\s+of\s+)([0-9]{{1,4}})(?:\s*(?:pk|packs?))?\s+(?:{CAN}\s+)?"
    rf"|([0-9]{{1,4}})\s*(?:(?:pk|packs?|cans?|bottles?|stubb(?:y|ies))\s+)?{MANY_DRINKS}\s+(?:of\s+)?)"
    rf"{NUM}(ml|mls|l|lt|ltr|litres?)(?![a-z])\s*{TAIL}",
    MAX_TEXT,
)
_ROLL = Pattern(rf"{NUM}(cm|mm|m)\s*{TIMES_SIGN}{NUM}(cm|mm|m)\s*{TAIL}", MAX_TEXT)


def _range(match: Match[str], approx: bool) -> Size | None:
    low_number, low_unit, high_number, high_unit = match.groups()
    low, high = sized(low_number, low_unit or high_unit), sized(high_number, high_unit)
    if low is None or high is None or low.unit != high.unit or not low.amount < high.amount:
        return None
    if high.unit == "g" and UNITS[high_unit].scale > 1 and high.amount > _HEAVIEST_RANGE:
        return None
    return Size(high.amount, high.unit, 1, True, low.amount, high.amount, high.noun)


def _times(match: Match[str], approx: bool) -> Size | None:
    outer, inner, number, unit = match.groups()
    if UNITS[unit].base == "m" and UNITS[unit].scale < 1:
        return None  # `30 x 40cm` and `20 x 20 x 20cm` are dimensions
    count = _count(inner) * (_count(outer) if outer else 1)
    return sized(number, unit, str(count), approx)


def _times_after(match: Match[str], approx: bool) -> Size | None:
    if match[3] and not UNITS[match[3]].noun and match[3] not in _PLURALS:
        return sized(match[4], match[3], match[1], approx)  # `3 packs x 90`
    return _carried(sized(match[1], match[2] or match[3], match[4], approx))


def _litres_and_pack(match: Match[str], approx: bool) -> Size | None:
    return _carried(sized(match[1], match[2], match[3], approx))


def _carried(size: Size | None) -> Size | None:
    """The size; None if it is implausibly large, because the measure is then a capacity: `27L x 50` are bags."""
    return None if size and size.count > 1 and size.unit in ("g", "ml") and size.total > _HEAVIEST_PACK else size


def _packs_of(match: Match[str], approx: bool) -> Size | None:
    return sized(match[2], match[3], match[1], approx)


def _drinks(match: Match[str], approx: bool) -> Size | None:
    """`Block 30 375mL`, `24 Cans 330ml`: the number counts the drinks, and the measure is that of each."""
    size = sized(match[3], match[4], match[1] or match[2], approx)
    return size if size and size.count > 1 and size.amount <= _LARGEST_COUNTED_DRINK else None


def _holds(match: Match[str], approx: bool) -> Size | None:
    return sized(match[1], match[2] or "ea", "1", approx)


def _dozen(match: Match[str], approx: bool) -> Size | None:
    return sized("6" if match[1] else "12", "ea", "1", approx)


def _one(match: Match[str], approx: bool) -> Size | None:
    return sized(match[1], match[2], "1", approx)


def _per_measure(match: Match[str], approx: bool) -> Size | None:
    return sized(match[1] or "1", match[2], "1", approx)


def _single(match: Match[str], approx: bool) -> Size | None:
    return sized("1", match[1] if match[1] in _SINGLE_NOUNS else "ea", "1", approx)


def _bare(match: Match[str], approx: bool) -> Size | None:
    return sized("1", match[1], "1", approx)


def _roll(match: Match[str], approx: bool) -> Size | None:
    """`30cm x 120m`: width by length. Two sides in metres, or none, are not an amount."""
    sides = sorted(
        (size for side in ((1, 2), (3, 4)) if (size := sized(match[side[0]], match[side[1]]))),
        key=lambda size: size.amount,
    )
    return sides[-1] if len(sides) == 2 and [match[2], match[4]].count("m") == 1 else None


Form = tuple[Pattern, Callable[[Match[str], bool], Size | None]]
NUMBERED: tuple[Form, ...] = (
    (_ONE, _one),
    (_RANGE, _range),
    (_TIMES, _times),
    (_ROLL, _roll),
    (_TIMES_AFTER, _times_after),
    (_LITRES_AND_PACK, _litres_and_pack),
    (_PACKS_OF, _packs_of),
    (_DRINKS, _drinks),
    (_HOLDS, _holds),
    (_HOLDS_MANY, _packs_of),
)
WORDS: tuple[Form, ...] = ((_PER_MEASURE, _per_measure), (_SINGLE, _single), (_DOZEN, _dozen), (_BARE, _bare))
"""Forms that need no number."""


def _count(text: str) -> int:
    number = Decimal(text.replace(",", ""))
    return int(number) if number == number.to_integral_value() else 0


def sized(number: str, word: str, count: str = "1", approx: bool = False) -> Size | None:
    """`count` packs of `number` units that `word` names; None for an amount or a count that no pack has."""
    unit, times = UNITS[word], _count(count)
    amount = Decimal(number.replace(",", "")) * unit.scale
    if not (0 < amount <= _MAX_AMOUNT and 1 <= times <= _MAX_COUNT) or (word in _PLURALS and amount > _MAX_COUNT):
        return None  # `1980s` is a decade
    return Size(_plain(amount), unit.base, times, approx, noun=unit.noun)


def _plain(amount: Decimal) -> Decimal:
    """The amount without trailing zeros and without an exponent."""
    integral = amount.to_integral_value()
    return integral.quantize(Decimal(1)) if amount == integral else amount.normalize()
