"""Words by which two packs of one brand are different products: fat, flavour, strength and others."""

from collections.abc import Iterable
from functools import lru_cache
from itertools import chain

from splitcart.patterns import Pattern

_GROUPS = {
    "fat": "full cream,whole milk|skim,skimmed,skinny|light,lite,hi lo,reduced fat,low fat,trim|fat free,no fat",
    "sugar": "no sugar,zero sugar,sugar free,zero|diet|reduced sugar,less sugar,no added sugar|unsweetened|sweetened",
    "caffeine": "decaf,decaffeinated,caffeine free|caffeinated",
    "alcohol": "alcohol free,non alcoholic,zero alcohol,0 0|full strength|mid strength",
    "salt": "salted|unsalted,no salt,no added salt|salt reduced,reduced salt,low salt",
    "texture": "smooth|crunchy|chunky|creamy",
    "heat": "mild|medium|hot|extra hot",
    "bread": "white|wholemeal|multigrain,mixed grain|rye|sourdough|brioche",
    "slice": "thick|thin|toast|sandwich",
    "cut": "whole|half|quarter|sliced|diced|minced,mince|shredded|grated|block|fillet,fillets|crushed|chopped|rashers",
    "keeping": "fresh|frozen|canned,tinned|dried|uht,long life|pickled|smoked|raw|roasted|cooked",
    "farm": "free range|cage,caged|barn laid,barn",
    "milk": "almond|soy|oat|rice|coconut|goat|sheep|macadamia",
    "flavour": (
        "chocolate,choc|vanilla|strawberry|banana|caramel|mint,peppermint|spearmint|lemon|lime|orange|apple|raspberry"
        "|blueberry|mango|pineapple|passionfruit|peach|cherry|honey|mixed berry|watermelon|grape|coffee|hazelnut|peanut"
        "|barbecue,bbq|salt and vinegar|sour cream|chilli|garlic|tomato|onion|cheese|original,plain,natural,classic"
    ),
    "meat": "chicken|beef|lamb|pork|tuna|salmon|turkey|kangaroo|duck|prawn,prawns|ham|bacon",
    "for": "men,mens|women,womens|kids,children,childrens|baby|toddler",
    "stage": "newborn|infant|crawler|walker|junior",
    "pet": "dog,puppy|cat,kitten",
    "age": "puppy,kitten|adult|senior",
    "colour": "red|green|yellow|black|blue|pink|purple|brown",
    "big": "small,mini|large|jumbo,xl,extra large",
    "pot": "top loader|front loader",
}
"""Group -> variants, separated by `|`, each with its spellings. A name may have several of one group (chocolate,
mint)."""


def _spellings() -> dict[str, list[tuple[str, str]]]:
    table: dict[str, list[tuple[str, str]]] = {}
    for group, text in _GROUPS.items():
        for variant in text.split("|"):
            for spelling in variant.split(","):
                table.setdefault(spelling, []).append((group, variant.split(",")[0]))
    return table


_SPELLINGS = _spellings()
_LONGEST = 400
"""Characters of the normalised words of a name, in which `&` has become a word."""
_PATTERN = Pattern(rf"\b(?:{'|'.join(sorted(_SPELLINGS, key=len, reverse=True))})\b", _LONGEST)
_NUMBER = Pattern(r"\b[0-9]+(?:mg|mcg|iu|w)?\b", _LONGEST)


@lru_cache(maxsize=32_768)
def variants(words: str) -> dict[str, frozenset[str]]:
    """Group -> the variants in a normalised name; the group `number` has its numbers (strengths, stages,
    percentages)."""
    in_groups = chain.from_iterable(_SPELLINGS[spelling] for spelling in _PATTERN.findall(words))
    groups: dict[str, set[str]] = {}
    for group, variant in chain(in_groups, (("number", number) for number in _NUMBER.findall(words))):
        groups.setdefault(group, set()).add(variant)
    return {group: frozenset(names) for group, names in groups.items()}


def conflict(a: str, b: str) -> tuple[str, Iterable[str], Iterable[str]] | None:
    """The first group (by name) in which both names have variants and neither has all of the other's, with the
    variants."""
    ours, theirs = variants(a), variants(b)
    for group in sorted(ours.keys() & theirs.keys()):
        if not (ours[group] <= theirs[group] or theirs[group] <= ours[group]):
            return group, sorted(ours[group]), sorted(theirs[group])
    return None
