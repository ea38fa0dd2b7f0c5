"""Measures that are not the amount in a pack: what a bag holds, whom a nappy fits, how strong a tablet is."""

from collections.abc import Iterator
from re import Match

from splitcart.patterns import Pattern
from splitcart.sizes.text import MAX_TEXT
from splitcart.sizes.words import NUMBER

CAPACITY, USER = 1, 2
"""Topics of a name, as bits: vessels that are sold empty, so that a volume is what they hold; goods for a child or an
animal, so that kilograms are the user's."""
_BAGS = Pattern(r"(?<![a-z])(?:(?<!tea )bags|liners?|containers)(?![a-z])", MAX_TEXT)
_VESSEL = Pattern(
    r"(?<![a-z])(?:bag(?=[^0-9]*[0-9])|container|canisters?|buckets?|bins?|eskys?|eskies|kettles?|sauce ?pans?"
    r"|stock ?pots?|casseroles?|(?:slow|rice|pressure|multi) ?cookers?|(?:air ?)?fryers?|microwaves?|back ?packs?"
    r"|baskets?|hampers?|crates?|planters?|vases?|watering cans?|jerry ?cans?|capacity"
    r"|(?:lunch|storage|bento|snack|food|cooler|cake|gift|tool) ?box(?:es)?"
    r"|(?:storage|laundry|party|utility|wash|dishwashing) tubs?"
    r"|(?:foil|oven|baking|roasting|ice cube) (?:trays?|dish(?:es)?)"
    r"|basins?|tumblers?|(?<!chocolate )mugs?|thermos|decanters?|carafes?|beakers?"
    r"|(?:wine|beer|champagne|shot|drinking|cocktail) glass(?:es)?"
    r"|(?:storage|glass|mason|preserving|cookie|clip) jars?|(?:mixing|serving|pet|dog|glass|plastic|paper) bowls?"
    r"|(?:plastic|paper|disposable|party|travel|measuring|drinking|drink|foam|keep|reusable|coffee) cups?"
    r"|(?:glass|filter|measuring|plastic) jugs?|(?:insulated|vacuum|thermal|hip|steel) flasks?"
    r"|(?:drink|water|sports?|sipper|sippy|baby|feeding|spray|insulated|reusable|steel|tritan|kids|shaker)"
    r" bottles?|(?:glass|plastic) bottles?(?=[^0-9]*[0-9]))(?![a-z])",
    MAX_TEXT,
)
_FILLS = Pattern(
    r"(?<![a-z])(?:(?:spring|mineral|sparkling|still|purified|pure|filtered|soda|natural|tonic|alkaline|coconut|distilled"
    r"|rose|micellar) water|soft drink|(?:energy|sports?|iced) drink(?! bottle)|juice|milk|cola|lemonade|cordial"
    r"|beer(?! glass)|wine(?! glass)|cider|oil|sauce|syrup|vinegar|tea|iced|coffee(?! cup)|ice cream|cream|yogh?urt"
    r"|custard|jelly|soup|kombucha|smoothie|honey|spread|soap|shampoo|conditioner|detergent|cleaner|liquid|lotion|wash"
    r"|oral|gin|vodka|rum|whisk[a-z]*|descaler|deodori[sz]er|freshener|mix|soil|compost|mulch|litter|chlorine|paint)"
    r"(?![a-z])(?! (?:containers?|cups?|mugs?|bowls?|dispensers?|canisters?)(?![a-z]))",
    MAX_TEXT,
)
"""What a bottle, a bag or a cup contains that is not sold empty."""
_FITS = Pattern(
    r"(?<![a-z])(?:napp(?:y|ies)(?! ?(?:rash|cream|soak|san|balm|powder|wash|clean|treat))|diapers?|pull[ -]?ups?"
    r"|swimmers|swim ?pants|training pants|huggies|babylove|pampers|tooshies|rascals?|drynites|snugglers"
    r"|(?:heart|tape|all)?worm(?:ing|ers?)|(?:heart|tape|round|hook)worms?|de-?worm(?:ing|ers?)?|fleas?|ticks?(?= )"
    r"|spot[ -]on|parasit[a-z]*|nexgard|bravecto|advantix|frontline|drontal|milbemax|simparica|comfortis|seresto"
    r"|credelio|hooks?|hanging|(?:kitchen|bathroom|luggage|digital) scales?|airers?|trolley|step ?ladder|car seats?"
    r"|booster seats?|harness(?:es)?|carriers?|prams?|strollers?|life ?jackets?"
    r"|(?:tablets?|treatments?|collars?|pipettes?)(?=.*(?:dog|cat|pupp|kitten))"
    r"|(?:dogs?|cats?|puppy|puppies|kittens?)(?=.*(?:tablet|treatment|collar|pipette)))(?![a-z])",
    MAX_TEXT,
)
_KILOS = r"(?:kgs?|kilos?|kilograms?)"
_END = r"(?=[^a-z]|x\s*[0-9]|$)"
_SPAN = rf"(?:{NUMBER})\s*{_KILOS}?\s*(?:-|to)\s*(?:{NUMBER})\s*{_KILOS}"
_PETS = Pattern(r"(?<![a-z])(?:dogs?|cats?|pupp(?:y|ies)|kittens?|pets?)(?![a-z])", MAX_TEXT)
_ALWAYS = Pattern(
    rf"(?<![0-9.,])(?:(?:{NUMBER})\s*\+\s*{_KILOS}(?![a-z])"
    rf"|(?:{NUMBER})\s*{_KILOS}\s*(?:\+|plus(?![a-z])|(?:and|or|&) (?:over|up|above|more|under)(?![a-z]))"
    rf"|(?<![a-z])(?:over|under|above|below|(?:more|less) than|holds|fits)\s+(?:{NUMBER})\s*"
    rf"(?:{_KILOS}|litres?|lt?r?)(?![a-z])"
    rf"|(?:{NUMBER})\s*(?:mg|mcg|milligrams?|iu)(?![a-z])(?=.*[0-9])"
    rf"|(?:(?:{NUMBER})\s*(?:cm|mm)?\s*[hwdl]?\s*[x×*]\s*(?:[hwdl]\s*)?){{0,2}}(?:{NUMBER})\s*(?:cms?|mm)(?![a-z])"
    rf"(?!\s*[x×*]\s*(?:{NUMBER})\s*m(?![a-z]))(?=.*[0-9])"
    rf"|(?:{NUMBER})\s*(?:l|lt|ltr|litres?|ml|kg)\s+capacity(?![a-z]))",
    MAX_TEXT,
)
"""Measures that are not an amount in any name: `12kg+`, `over 10 kg`, `holds 5 kg`; and before a count, the strength
(`500mg 20 tablets`) or the dimensions (`27 x 33cm 20 pack`) of each piece."""
_VOLUME = Pattern(rf"(?<![0-9.,])(?:{NUMBER})\s*(?:ml|mls|cl|l|lt|ltr|ltrs|litres?|millilitres?){_END}", MAX_TEXT)
_WEIGHT = Pattern(
    rf"(?<![0-9.,])(?:(?:up to|over|under|above|from)\s+)?(?:{_SPAN}|(?:{NUMBER})\s*{_KILOS}){_END}", MAX_TEXT
)
_RANGE = Pattern(rf"(?<![0-9.,]){_SPAN}(?![a-z])", MAX_TEXT)
_MEASURED = Pattern(r"[0-9]\s?\+?\s?(?:k|m[lgcim]|l|c[lm]|iu)", MAX_TEXT)
"""What every measure of the expressions above contains; a text without it is not searched further."""


def topics_of(plain: str) -> int:
    """The topics of a plain text, which is a name with a size after it: CAPACITY, USER, both or neither (0)."""
    vessel = _BAGS.search(plain) or (_VESSEL.search(plain) and not _FILLS.search(plain))
    return (CAPACITY if vessel else 0) | (USER if _FITS.search(plain) else 0)


def without_asides(plain: str, topics: int = 0) -> str:
    """The text with each character of a measure that is not the amount sold replaced by a letter, so that its length
    stays."""
    if not _MEASURED.search(plain):
        return plain
    for pattern in _patterns(plain, topics | topics_of(plain)):
        plain = pattern.sub(_masked, plain)
    return plain


def _patterns(plain: str, topics: int) -> Iterator[Pattern]:
    yield _ALWAYS
    if topics & CAPACITY:
        yield _VOLUME
    if topics & USER:
        yield _WEIGHT
    elif _PETS.search(plain):
        yield _RANGE


def _masked(match: Match[str]) -> str:
    return "q" * len(match[0])
