"""What the grammar of size texts is made of: numbers, units, containers, and words for `about`."""

from splitcart.patterns import Pattern
from splitcart.units import COUNT_WORDS, MEASURE_WORDS

MAX_TEXT = 200
"""Characters of the longest text that is taken for a size, or for a name with one at its end."""
NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,7})(?:\.[0-9]{1,4})?|\.[0-9]{1,4}"
NUM = rf"({NUMBER})\s*"
"""A number, which is a group, and the space behind it."""
UNIT = rf"({MEASURE_WORDS}|{COUNT_WORDS})(?![a-z])\.?\s*"
MEASURE = rf"({MEASURE_WORDS})(?=[^a-z]|x\s*[0-9]|$)\.?\s*"
TIMES_SIGN = r"[x×*]\s*"
BOX = (
    r"(?:\(?(?:each|ea|case|cases|carton|ctn|packs?|packets?|pk|pkt|block|cube|slab|cans?|bottles?|stubb(?:y|ies)|tins?"
    r"|tray|punnet|bags?|tub|jar|box|loaf|pouch|bunch|piece|package|sleeve|cask|longnecks?|multipack|prepack(?:ed)?"
    r"|minimum|min|approx|approximately|average|avg)(?![a-z])\.?\)?\s*)"
)
CAN = r"(?:cans?|bottles?|stubb(?:y|ies)|tins?|longnecks?|casks?)"
PER = (
    r"(?:per\s+(?:package|pack|packet|piece|each|ea|punnet|bag|tray|unit|item|bunch|box|tub|jar|carton|net|head|loaf"
    r"|bottle|can|portion|serve)\s*)?"
)
TAIL = rf"{BOX}{{0,3}}{PER}"
CIRCA = r"approx(?:imately)?|about|average|avg|est|around|circa|ca|up to"
LEADS = frozenset(
    ["approx", "approximately", "about", "average", "avg", "est", "around", "circa", "ca", "min", "minimum"]
)
"""Words that may stand before a size at the end of a name and belong to it."""
ABOUT = Pattern(rf"(?<![a-z])(?:{CIRCA})(?![a-z])\.?|~", MAX_TEXT)
LEAD = Pattern(rf"^(?:(?:{CIRCA}|min(?:imum)?|from)(?![a-z])\.?|~)\s*", MAX_TEXT)
