"""Whether listings are one product: by GTIN, the company's SKU, or brand, name words and size; with vetoes, and a
reason.

Neither the decision about two listings nor the grouping of many depends on their order.
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
"""One over the share by which an approximate amount may be more or less: a quarter."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A listing, as the texts of one company's site describe it."""

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
    """gtin, sku or key: the evidence for one product, before any veto; None without any."""
    reason: str
    """`code: detail`; for a veto the detail is the two values that differ."""
    learned: frozenset[tuple[str, str]] = frozenset()
    """(kind, value) of kind key, gtin or brand: other names of the one product, by which it is found from now on."""


def normalized_key(brand: object, name: object, size: object = None) -> str:
    """`brand|name words|size`: the words sorted, without the brand before them and the size after them.

    `size` is a Size, a text, or None (then a size at the end of the name counts). The order of words does not matter.
    Never raises.
    """
    name_text = _text(name)
    if isinstance(size, Size):
        return _key(_text(brand), *_size_and_words(name_text, size, None))
    stated, written = _sized(_text(size))
    chosen, words = _size_and_words(name_text, packs.stated(size, name_text), size)
    return _key(_text(brand), chosen, words, written if chosen is stated else "")


def decide(a: Listing, b: Listing, aliases: Mapping[str, str] = brands.ALIASES) -> Decision:
    """Whether `a` and `b` are one product, whatever their order. `aliases`: other spellings of brands (normalised)."""
    by = _same_by(a, b)
    if by is None:
        return Decision(False, None, "nothing_says_same: neither gtin nor sku nor key")
    veto = _veto(a, b, by, aliases)
    if veto is not None:
        return Decision(False, by, veto)
    return Decision(True, by, f"same_{by}", _learned(a, b, aliases))


def vetoed(a: Listing, b: Listing, aliases: Mapping[str, str] = brands.ALIASES) -> bool:
    """Whether `a` and `b` may not be one product, whatever a third listing has in common with both."""
    return _veto(a, b, _same_by(a, b) or "key", aliases) is not None


def resolve(
    listings: Iterable[Listing], aliases: Mapping[str, str] = brands.ALIASES
) -> list[tuple[tuple[Listing, ...], frozenset[tuple[str, str]]]]:
    """All listings by product: (its listings in order, what was learned). The order of `listings` does not matter.

    Groups are joined by gtin first, then by sku, then by key. Two groups are not joined if any listing of one is vetoed
    with a listing of the other.
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


def _same_by(a: Listing, b: Listing) -> str | None:
    """The strongest evidence that both are one product: gtin, sku or key; None without any."""
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
    """Two valid barcodes are two products, unless the barcode of one company's sku changed and nothing else did."""
    if not a.gtin or not b.gtin or a.gtin == b.gtin:
        return None
    if by == "sku" and _facts(a).size == _facts(b).size and _facts(a).key == _facts(b).key:
        return None
    return f"veto_gtin: {min(a.gtin, b.gtin)} is not {max(a.gtin, b.gtin)}, and size, count and name do not all agree"


def differ(a: Size | None, b: Size | None) -> bool:
    """Whether two sizes are of different packs. Unknown sizes and different measures (ml, g, sheets, packs) never
    differ.

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
    others = (listing.gtin, listing.name, listing.brand, listing.size, listing.company)
    return (_company(listing), listing.sku, *(text or "" for text in others))


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is read from a listing's texts, once, because listings are compared many times."""

    size: Size | None
    """From the size text, else from the end of the name."""
    key: str
    words: str
    """The words of the name, without the size that ends it."""


def _facts(listing: Listing) -> _Facts:
    return _read(_text(listing.brand), _text(listing.name), _text(listing.size))


@lru_cache(maxsize=8192)
def _read(brand: str, name: str, size_text: str) -> _Facts:
    size, words = _size_and_words(name, packs.stated(size_text, name), size_text)
    return _Facts(size, _key(brand, size, words), " ".join(words))


def _size_and_words(name: str, size: Size | None, written: object) -> tuple[Size | None, list[str]]:
    """The size of a listing and the words of its name without that size. `size`: that of its size text `written`."""
    rest, in_name = packs.split_name(name)
    size = packs.chosen(size, written, name, in_name)
    if size is not None and in_name is not None and (size.unit != in_name.unit or differ(size, in_name)):
        rest = name  # `Panadol 500mg` in a pack of 20: the amount in the name is a word like any other
    return size, brands.words(rest)


def _key(brand: str, size: Size | None, words: list[str], written_size: str = "") -> str:
    """`written_size`: the size in plain form, if the caller has it."""
    brand_words, make = _brand(brand)
    has_brand = len(brand_words) < len(words) and words[: len(brand_words)] == brand_words
    bare = words[len(brand_words) :] if has_brand else words
    return f"{make}|{' '.join(sorted(set(bare) - _STOP_WORDS))}|{written_size or _plain(size)}"


@lru_cache(maxsize=4096)
def _sized(text: str) -> tuple[Size | None, str]:
    """The size of a size text, and the same in plain form. Cached, because a company writes few sizes."""
    return (size := packs.parse(text)), _plain(size)


@lru_cache(maxsize=4096)
def _brand(brand: str) -> tuple[list[str], str]:
    """The words of a brand, as it stands before names, and its key. Cached, because a shop has few brands."""
    return brands.words(brand), brands.key(brand)


def _plain(size: Size | None) -> str:
    """A size as part of a key: `6x30g`, `~150g`, `~1000-2500g`."""
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
