"""How a chain's assortment, prices and stores differ from those of other chains."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from sandbox.goods import barcodes
from sandbox.goods.good import Good


def sku_of_six(section: str, good: Good, chance: Random) -> str:
    return str(chance.randrange(100_000, 999_999))


def mostly_true(sku: str, good: Good, chance: Random) -> str | None:
    return barcodes.spoilt(good.gtin) if chance.random() < 0.008 else good.gtin


@dataclass(frozen=True, kw_only=True, slots=True)
class Traits:
    """A site module's TRAITS; the defaults make a plain chain."""

    order: int = 9
    """Place among the chains, and by how many suburbs its stores are shifted."""
    private: tuple[str, ...] = ("Homebrand", "Corner Choice")
    sku: Callable[[str, Good, Random], str] = sku_of_six
    """(section, good, chance) -> a number; drawn again while it is taken."""
    barcode: Callable[[str, Good, Random], str | None] = mostly_true
    """(sku, good, chance) -> the barcode as the chain sends it."""
    national_share: float = 0.68
    """Share of its lines that other chains may sell too."""
    sections: tuple[str, ...] = ()
    """tobacco, market: what it sells beside its main lines."""
    without: tuple[str, ...] = ()
    """Forms of goods that it does not sell."""
    promo_only: bool = True
    """Whether it has promotional roots."""
    level: float = 1.0
    """Its prices against the others'."""
    nines: bool = False
    """Prices end in 9."""
    national_prices: bool = False
    """One zone, no noise."""
    special_share: float = 0.2
    weighed_specials: bool = True
    multibuy_share: float = 0.0
    multibuy_each: bool = False
    """The price of each is an integer number of cents."""
    member_share: float = 0.0
    """Of the lines without another offer, those that cost members less."""
    member_multibuy_share: float = 0.0
    """Of the multibuys, those that are for members only."""
    store_codes: tuple[int, int] = (1000, 9999)
    store_code_form: str = "{}"
    finder_ids: bool = False
    """The locator has its own ids."""
    offline_every: int = 0
    """Of so many stores the last does not sell online."""
    fallback: str | None = None
    """Who answers where no store is named."""
    denial: str = "akamai"
    """The form of its 403 page."""
