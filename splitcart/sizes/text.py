"""Makes size texts plain: one case, one kind of dash and of digit, `½` as a decimal fraction."""

from re import Match

from splitcart.patterns import Pattern
from splitcart.sizes.units import COUNT_WORDS, MEASURE_WORDS

MAX_TEXT = 200
"""The most characters of a text that is read as a size, or as a name with a size at its end."""


def plain(text: str) -> str:
    """The text casefolded, with ASCII characters for signs that have an equivalent, and single spaces."""
    if "Mm" in text:
        text = _MISSPELT.sub("ml", text)
    folded = text.casefold()
    if not folded.isascii():
        folded = _FRACTION.sub(_decimal, folded.translate(_TWINS))
    if "." in folded:
        folded = _STRAY_DOT.sub(" ", folded)
    if "[" in folded:
        folded = folded.replace("[", "(").replace("]", ")")
    if "pack" in folded:
        folded = _NUMBER_WORD.sub(lambda match: _NUMBER_WORDS[match[0]], folded)
    if "-" in folded:
        folded = _HYPHEN.sub(" ", folded)
    return " ".join(folded.split())


def ungrouped(text: str) -> str:
    """A size without the spaces in the number that it begins with: `1 000 g`. A space that may separate a count from a
    measure (`24 375ml`) stays."""
    match = _GROUPED.match(text)
    return match[0].replace(" ", "") + text[match.end() :] if match else text


def _decimal(match: Match[str]) -> str:
    return (match[1] or "0").strip() + _FRACTIONS[match[2]]


_FRACTIONS = {
    "\u00bd": ".5",
    "\u00bc": ".25",
    "\u00be": ".75",
    "\u2155": ".2",
    "\u2156": ".4",
    "\u2157": ".6",
    "\u2158": ".8",
    "\u215b": ".125",
    "\u215c": ".375",
    "\u215d": ".625",
    "\u215e": ".875",
}
"""Thirds are left out: they have no finite decimal fraction."""
_FRACTION = Pattern(
    rf"(?:(?<![0-9.,])([0-9]{{1,3}}|[0-9] )|(?<![0-9.,])(?<![0-9] ))([{''.join(_FRACTIONS)}])"
    rf"(?=\s?-?\s?(?:{MEASURE_WORDS}|dozen)(?![a-z]))",
    MAX_TEXT,
)
_SIGNS = {
    "-": "\u2010\u2011\u2012\u2013\u2014\u2212\ufe58\ufe63",
    "x": "\u2715\u2716\u2a09\u2a2f\u0445",
    "*": "\u2217\u204e",
    "~": "\u2248\u223c\u02dc",
    "'": "\u2019\u2018\u02bc\u00b4\u2032\u201b",
    "kg": "\u338f",
    "mg": "\u338e",
    "ml": "\u3396",
    "l": "\u2113",
    "mm": "\u339c",
    "cm": "\u339d",
    "": "\u212e",
}
_TWINS = str.maketrans(
    {sign: twin for twin, signs in _SIGNS.items() for sign in signs}
    | {chr(code): chr(code - 0xFEE0).casefold() for code in range(0xFF01, 0xFF5F)}
)
"""Dashes, times signs, `about` signs, apostrophes, units that are one sign, the `e` of estimated, full-width signs."""
_MISSPELT = Pattern(r"(?<=[0-9])\s?Mm\b", MAX_TEXT)
"""`700Mm`, a misspelt mL; mm and MM are millimetres."""
_STRAY_DOT = Pattern(rf"(?<=[a-z.]) \.(?=[0-9]{{2,}}\s?(?:{MEASURE_WORDS})(?![a-z]))", MAX_TEXT)
"""`approx .150g`: the dot belongs to the word before it."""
_HYPHEN = Pattern(rf"(?<=[0-9])-(?=(?:{COUNT_WORDS}|{MEASURE_WORDS})(?![a-z]))", MAX_TEXT)
"""`6-pack`"""
_NUMBER_WORDS = {"two": "2", "three": "3", "four": "4", "six": "6", "eight": "8", "ten": "10", "twelve": "12"}
_NUMBER_WORD = Pattern(
    rf"(?<![a-z0-9-])(?:{'|'.join(_NUMBER_WORDS)})(?=[ -]packs?(?![a-z]))"
    rf"|(?<=pack of )(?:{'|'.join(_NUMBER_WORDS)})(?![a-z])",
    MAX_TEXT,
)
"""`six pack`, `pack of six`"""
_GROUPED = Pattern(
    r"(?:1(?: [0-9]{3})+|[1-9][0-9]{0,2}(?: 000)+|[1-9](?: [0-9]{3})+(?= (?:g|gm|gms|grams?)(?![a-z])))(?![0-9])",
    MAX_TEXT,
)
