"""Brands in one spelling, and the private labels of each company."""

import unicodedata
from collections.abc import Mapping

from splitcart import cleaning
from splitcart.patterns import Pattern

_MAX_TEXT = 200
_APOSTROPHES = Pattern("['`]", most=4 * _MAX_TEXT)
_AND = Pattern("[&+]", most=4 * _MAX_TEXT)
_NOT_A_WORD = Pattern("[^a-z0-9]+", most=20 * _MAX_TEXT)
_ASCII = {code: chr(code).casefold() if chr(code).isalnum() else " " for code in range(128)} | dict.fromkeys(b"'`")
"""The result of the expressions above for each ASCII character: a shortcut for ASCII texts, which are nearly all."""
_NO_BRAND = frozenset({"", "no brand", "unbranded", "na", "n a", "none", "null", "generic", "other"})

ALIASES: Mapping[str, str] = {
    "a2 milk": "a2",
    "cocacola": "coca cola",
    "coke": "coca cola",
    "community company": "community co",
    "macro": "macro wholefoods market",
    "macro organic": "macro wholefoods market",
    "odd bunch": "the odd bunch",
    "ww": "woolworths",
}
"""Other spelling -> the one kept, both normalised. Aliases that crawls find are in the database."""

_LABELS = {
    "woolworths": """woolworths|essentials|homebrand|macro wholefoods market|the odd bunch|smitten|balnea|bell farms
        |little ones|baxters|hillview""",
    "coles": """coles|smart buy|natures kitchen|daley st|wild tides|urban coffee culture|koi|cub|wellness road
        |im perfect""",
    "aldi": """aldi|bakers life|belmont|berg|blackstone|brannans|broad oak farms|brooklea|cattitude|chefs cupboard
        |choceur|colway|confidence|corale|cowbelle|dairy fine|damora|emporium selection|expressi|farmdale|goldenvale
        |green action|hillcrest|imperial grain|inner goodness|jindurra station|julius|just organic|kirkton house|lacura
        |logix|lyttos|mamia|merryfield|natures pick|never any|ocean royale|ombra|oh so natural|park lane|power force
        |protane|radiance|remano|sprinters|stonemill|tandil|the fishmonger|the fresh salad co|the juice company
        |the olive tree|trimat|urban eats|westacre|westcliff|white mill|world kitchen""",
    "iga": "iga|black and gold|community co|no frills",
}
PRIVATE_LABELS: Mapping[str, frozenset[str]] = {
    company: frozenset(label.strip() for label in labels.split("|")) for company, labels in _LABELS.items()
}
"""Company (casefolded) -> its own labels, normalised. A label that begins with the company's name is its own too."""


def normalise(text: object) -> str:
    """The words of a brand or a name: lower case, no accents, apostrophes or signs, `&` as `and`. Empty for what is not
    a str."""
    return " ".join(words(text)) if isinstance(text, str) else ""


def words(text: str) -> list[str]:
    """Like `normalise`, word by word."""
    text = cleaning.without_marks(text[:_MAX_TEXT])
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text).casefold()
        bare = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
        return _NOT_A_WORD.sub(" ", _AND.sub(" and ", _APOSTROPHES.sub("", bare))).split()
    if "&" in text or "+" in text:
        text = _AND.sub(" and ", text)
    return text.translate(_ASCII).split()


def key(brand: object, aliases: Mapping[str, str] = ALIASES) -> str:
    """The one spelling of a brand; empty if there is none. Aliases may be chained; a circle of them ends at its
    smallest name."""
    name = normalise(brand)
    if name in _NO_BRAND:
        return ""
    path = [name]
    while name in aliases:
        name = aliases[name]
        if name in path:
            return min(path[path.index(name) :])
        path.append(name)
    return name


def same(a: str, b: str) -> bool:
    """Whether two brand keys are one brand in two spellings: equal without spaces, or one begins with the words of the
    other."""
    if a.replace(" ", "") == b.replace(" ", ""):
        return True
    short, long = sorted((a.split(), b.split()), key=len)
    return bool(short) and long[: len(short)] == short


def owner(brand: object, aliases: Mapping[str, str] = ALIASES) -> str | None:
    """The company (casefolded) whose private label this is, or None."""
    name = key(brand, aliases)
    for company, labels in PRIVATE_LABELS.items():
        if name in labels or name.split()[:1] == [company]:
            return company
    return None
