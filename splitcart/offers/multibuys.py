"""Multibuys in the words of a shelf, and the word that limits an offer to members."""

from splitcart.money import to_cents
from splitcart.patterns import IGNORE_CASE, Pattern

LONGEST = 1000
_WORDS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}
_WORDS |= {"twelve": 12, "a dozen": 12}
_MANY_FOR = Pattern(
    rf"(?<![\w.,$])([0-9]{{1,3}}|{'|'.join(_WORDS)})(?: or more|\+)?\s?for\s?(?:only |just )?"
    r"(\$\s?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,6})(?:\.[0-9]{1,2})?|[0-9]{1,4}\s?(?:c|¢|cents?)(?![a-z]))"
    r"(?![.,]?[0-9])(\s?(?:each|ea)(?![a-z]))?",
    LONGEST,
    IGNORE_CASE,
)
_MEMBERS = Pattern(r"(?<![a-z])(?<!non[ -])members?(?![a-z])", LONGEST, IGNORE_CASE)


def from_words(text: str | None) -> tuple[int, int] | None:
    """Quantity and total in cents of the first multibuy in a text: `Pick any 2 for $7`, `Buy 5 for $4`, `2 for 90c`.

    An amount for each (`2 for $3.50 each`) is multiplied. None without a multibuy, or if its quantity is 1.
    """
    for match in _MANY_FOR.finditer(" ".join((text or "")[:LONGEST].split())):
        quantity = _WORDS.get(match[1].lower()) or int(match[1])
        cents = to_cents(match[2])
        if quantity > 1 and cents:
            return quantity, cents * quantity if match[3] else cents
    return None


def for_members(text: str | None) -> bool:
    """Whether a label names members (`Member Price`), so that the price is not everyone's."""
    return bool(text and _MEMBERS.search(text))
