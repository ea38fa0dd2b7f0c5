"""Which product is this: GTIN, then the company's SKU, then brand, name words and size; with vetoes, and a reason.

A decision about two listings does not depend on their order, nor a grouping of many on theirs.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

from splitcart.identity import brands, variants
from splitcart.sizes import packs
from splitcart.sizes.packs import Size

_STOP_WORDS = frozenset(("a", "an", "and", "for", "in", "of", "the", "with"))
_APPROX_SHARE = 4
"""Approximate amounts differ when one is more than a quarter off the other."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What one company's site says of one thing it sells."""

    company: str
    sku: str
    name: str
    brand: str | None = None
    size: str | None = None
    gtin: str | None = None
    """Normalised (14 digits) or None."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether two listings are one product."""

    same: bool
    by: str | None
    """gtin, sku or key: what said same, before any veto; None where nothing did."""
    reason: str
    """`code: detail`; of a veto the two values that differ."""
    learned: frozenset[tuple[str, str]] = frozenset()
    """(kind, value) of kind key, gtin or brand: names by which the one product is known from now on."""


def normalized_key(brand: object, name: object, size: object = None) -> str:
    """`brand|name words|size`: the words sorted, without the brand before them and the size after them.

    `size` is a Size, a text, or None (then a size at the name's end counts). Never raises; the same for any order of
    words.
    """
    called = _text(name)
    if isinstance(size, Size):
        return _key(_text(brand), *_told(called, size, None))
    stated, written = _sized(_text(size))
    found, words = _told(called, packs.stated(size, called), size)
    return _key(_text(brand), found, words, written if found is stated else "")


def decide(a: Listing, b: Listing, aliases: Mapping[str, str] = brands.ALIASES) -> Decision:
    """Whether `a` and `b` are one product; `aliases` are the brands known to be one (normalised). Symmetric."""
    by = _said_by(a, b)
    if by is None:
        return Decision(False, None, "nothing_says_same: neither gtin nor sku nor key")
    veto = _veto(a, b, by, aliases)
    if veto is not None:
        return Decision(False, by, veto)
    return Decision(True, by, f"same_{by}", _learned(a, b, aliases))


def vetoed(a: Listing, b: Listing, aliases: Mapping[str, str] = brands.ALIASES) -> bool:
    """Whether `a` and `b` may not be one product, whatever a third listing says of both."""
    return _veto(a, b, _said_by(a, b) or "key", aliases) is not None


def resolve(
    listings: Iterable[Listing], aliases: Mapping[str, str] = brands.ALIASES
) -> list[tuple[tuple[Listing, ...], frozenset[tuple[str, str]]]]:
    """All listings by product: its listings in order, and what was learned. The same for any order of `listings`.

    Groups grow by gtin first, then by sku, then by key, and never join two listings that are vetoed: what two listings
    may not be, two groups that hold them may not be either.
    """
    ordered = sorted(set(listings), key=_order)
    groups: dict[Listing, list[Listing]] = {listing: [listing] for listing in ordered}
    learned: dict[int, frozenset[tuple[str, str]]] = defaultdict(frozenset)
    for by, bucket_of in _BUCKETS:
        for a, b in _pairs(ordered, bucket_of):
            ours, theirs = groups[a], groups[b]
            decision = decide(a, b, aliases)
            if decision.same and decision.by == by and ours is not theirs and _may_join(ours, theirs, aliases):
                ours.extend(theirs)
                groups.update(dict.fromkeys(theirs, ours))
                learned[id(ours)] |= learned.pop(id(theirs), frozenset())
            if decision.same and groups[a] is groups[b]:
                learned[id(groups[a])] |= decision.learned
    distinct = {id(group): group for group in groups.values()}.values()
    return sorted(
        ((tuple(sorted(group, key=_order)), learned[id(group)]) for group in distinct),
        key=lambda one: _order(one[0][0]),
    )


def _said_by(a: Listing, b: Listing) -> str | None:
    if a.gtin and a.gtin == b.gtin:
        return "gtin"
    if (_company(a), a.sku) == (_company(b), b.sku):
        return "sku"
    if _facts(a).key == _facts(b).key and not (a.gtin and b.gtin) and all(_facts(a).key.split("|")):
        return "key"
    return None


def _veto(a: Listing, b: Listing, by: str, aliases: Mapping[str, str]) -> str | None:
    ours, theirs = _facts(a).size, _facts(b).size
    if differ(ours, theirs):
        return "veto_size: " + " is not ".join(sorted((str(ours), str(theirs))))
    ours_key, theirs_key = brands.key(a.brand, aliases), brands.key(b.brand, aliases)
    if ours_key and theirs_key and not brands.same(ours_key, theirs_key):
        return f"veto_brand: {min(ours_key, theirs_key)} is not {max(ours_key, theirs_key)}"
    if _company(a) != _company(b) and (label := brands.owner(ours_key) or brands.owner(theirs_key)):
        return f"veto_private_label: a label of {label} is sold by no other company"
    if clash := variants.conflict(_facts(a).words, _facts(b).words):
        return f"veto_variant: {clash[0]} " + " is not ".join(sorted(" ".join(words) for words in clash[1:]))
    return _veto_of_gtins(a, b, by)


def _veto_of_gtins(a: Listing, b: Listing, by: str) -> str | None:
    """Two valid barcodes are two products, unless one company's sku changed its barcode and nothing else."""
    if not a.gtin or not b.gtin or a.gtin == b.gtin:
        return None
    if by == "sku" and _facts(a).size == _facts(b).size and _facts(a).key == _facts(b).key:
        return None
    return f"veto_gtin: {min(a.gtin, b.gtin)} is not {max(a.gtin, b.gtin)}, and size, count and name do not all agree"


def differ(a: Size | None, b: Size | None) -> bool:
    """Whether two sizes tell different packs. Unknown sizes and different measures (ml, g, sheets, packs) tell nothing.

    One count beside a single amount (6 x 30 g, 180 g) is one pack written two ways; two counts are two packs.
    """
    if a is None or b is None or a.unit != b.unit or (a.unit == "ea" and a.noun != b.noun):
        return False
    if a.approx or b.approx:
        (low, high), (other_low, other_high) = _bounds(a), _bounds(b)
        return low > other_high or other_low > high
    if a.count == b.count:
        return a.amount != b.amount
    return a.total != b.total or min(a.count, b.count) > 1


def _bounds(size: Size) -> tuple[float, float]:
    slack = float(size.total) / _APPROX_SHARE if size.approx and size.low is None else 0.0
    return float(size.low or size.total) - slack, float(size.total) + slack


def _learned(a: Listing, b: Listing, aliases: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    names = {("key", _facts(a).key), ("key", _facts(b).key)}
    gtins = {("gtin", gtin) for gtin in (a.gtin, b.gtin) if gtin}
    makes = {("brand", key) for one in (a, b) if (key := brands.key(one.brand, aliases))}
    return frozenset().union(*(kind for kind in (names, gtins, makes) if len(kind) > 1))


def _pairs(ordered: Sequence[Listing], bucket_of: Callable[[Listing], object]) -> Iterable[tuple[Listing, Listing]]:
    buckets: dict[object, list[Listing]] = defaultdict(list)
    for listing in ordered:
        if (bucket := bucket_of(listing)) is not None:
            buckets[bucket].append(listing)
    for bucket_listings in buckets.values():
        yield from combinations(bucket_listings, 2)


def _may_join(ours: Sequence[Listing], theirs: Sequence[Listing], aliases: Mapping[str, str]) -> bool:
    return not any(vetoed(a, b, aliases) for a in ours for b in theirs)


def _company(listing: Listing) -> str:
    return listing.company.casefold()


def _order(listing: Listing) -> tuple[str, ...]:
    told = (listing.gtin, listing.name, listing.brand, listing.size, listing.company)
    return (_company(listing), listing.sku, *(text or "" for text in told))


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a listing's texts tell: read once, for listings are compared many times."""

    size: Size | None
    """Of the size text, else of the name's end."""
    key: str
    words: str
    """Of the name, without the size that ends it."""


def _facts(listing: Listing) -> _Facts:
    return _read(_text(listing.brand), _text(listing.name), _text(listing.size))


@lru_cache(maxsize=8192)
def _read(brand: str, name: str, size_text: str) -> _Facts:
    size, words = _told(name, packs.stated(size_text, name), size_text)
    return _Facts(size, _key(brand, size, words), " ".join(words))


def _told(name: str, size: Size | None, written: object) -> tuple[Size | None, list[str]]:
    """The size of a listing, its size text's or else its name's, and the words of the name without that size."""
    rest, told = packs.split_name(name)
    size = packs.chosen(size, written, name, told)
    if size is not None and told is not None and (size.unit != told.unit or differ(size, told)):
        rest = name  # `Panadol 500mg` in a pack of 20: the name's own amount is a word like any other
    return size, brands.words(rest)


def _key(brand: str, size: Size | None, words: list[str], written_size: str = "") -> str:
    """`written_size`: the size in plain form, where it is known; else it is worked out."""
    written, make = _brand(brand)
    bare = words[len(written) :] if len(written) < len(words) and words[: len(written)] == written else words
    return f"{make}|{' '.join(sorted(set(bare) - _STOP_WORDS))}|{written_size or _plain(size)}"


@lru_cache(maxsize=4096)
def _sized(text: str) -> tuple[Size | None, str]:
    """What a size text tells, and that in plain form: a company writes few sizes."""
    return (size := packs.parse(text)), _plain(size)


@lru_cache(maxsize=4096)
def _brand(brand: str) -> tuple[list[str], str]:
    """The words of the brand, as it is written before names, and its key: a shop has few brands."""
    return brands.words(brand), brands.key(brand)


def _plain(size: Size | None) -> str:
    """A size for a key: `6x30g`; approximate ones and ranges say so."""
    if size is None:
        return ""
    about = "~" if size.approx else ""
    times = f"{size.count}x" if size.count > 1 else ""
    low = "" if size.low is None else f"{size.low:f}-"
    return f"{about}{times}{low}{size.amount:f}{size.unit}{size.noun}"


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


_BUCKETS: tuple[tuple[str, Callable[[Listing], object]], ...] = (
    ("gtin", lambda listing: listing.gtin),
    ("sku", lambda listing: (_company(listing), listing.sku)),
    ("key", lambda listing: _facts(listing).key),
)
