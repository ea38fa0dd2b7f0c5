"""What spiders yield. A field that the chain does not send is None; nothing is guessed."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(kw_only=True, slots=True)
class ProductItem:
    """One product of one store, as seen in one response."""

    company: str
    """Display name of the company: Woolworths, Coles, ALDI, IGA."""
    store_id: str
    """The chain's own store id, as its storefront's paths use it."""
    sku: str
    name: str | None
    """None: one was sent and could not be read. A known listing keeps the name it has."""
    brand: str | None = None
    gtin: str | None = None
    """14 digits with a valid check digit, or None. A mapping passes the raw digits; the pipeline normalises."""
    size: str | None = None
    """The pack size as the chain writes it, trimmed."""
    price_cents: int | None = None
    """What one purchasable unit costs, or one kilogram if price_basis is `kg`. None: listed, not purchasable."""
    is_unreadable: bool = False
    """The name or the price could not be read, though the row is listed: a sighting without a price."""
    was_price_cents: int | None = None
    """The price before the special; always above price_cents."""
    price_basis: str = "each"
    """`each` or `kg`."""
    typical_grams: int | None = None
    """Weight of one typical piece or step of weighed goods."""
    is_estimated: bool = False
    is_on_special: bool = False
    """was_price_cents > price_cents, nothing else."""
    is_available: bool = True
    is_ranged: bool = True
    unit_price: float | None = None
    """Dollars per unit_of_measure at quantity one, 4 decimals: the shelf's number converted, never recomputed."""
    unit_of_measure: str | None = None
    """`kg`, `l`, `m` or `ea`."""
    offer_id: str | None = None
    offer_kind: str | None = None
    """`multibuy`; `member_multibuy` if only members get it."""
    multibuy_quantity: int | None = None
    multibuy_total_cents: int | None = None
    """For the whole multibuy_quantity."""
    member_price_cents: int | None = None
    """What members of the chain's club pay for one; always below price_cents."""
    member_multibuy_quantity: int | None = None
    member_multibuy_total_cents: int | None = None
    """For the whole member_multibuy_quantity, for members only."""
    category_path: tuple[str, ...] = ()
    """Names from department to leaf; never a promotional root unless nothing else gives a path."""
    url: str | None = None
    image_url: str | None = None
    sponsored: bool = False
    """An advertised row: gives price and sighting, never the category; the organic row replaces it."""
    scraped_at: datetime | None = None
    """UTC, aware."""
    shelf_unit_price: str | None = None
    """Transit only, mapping to unit-price stage: the shelf's unit-price number in dollars as text, e.g. `0.74`."""
    shelf_unit_measure: str | None = None
    """Transit only: the measure as sent, e.g. `100G`, `per 1 kg`, `100 sheets`."""
    category_key: str | None = None
    """Transit only, spider to unit of work: the key of the category whose walk saw this row."""


@dataclass(kw_only=True, slots=True)
class CategoryItem:
    """One node of a chain's category tree that the crawl visits."""

    company: str
    store_id: str
    key: str
    """The chain's id of the node (slug if the chain has no id)."""
    path: tuple[str, ...]
    is_promo: bool = False


@dataclass(kw_only=True, slots=True)
class BarcodeItem:
    """The barcode of a product page, for chains whose listing pages have none."""

    company: str
    store_id: str
    sku: str
    gtin: str | None
    """14 digits, or None: looked up, and the page has none."""


@dataclass(kw_only=True, slots=True)
class StoreItem:
    """One store, as a locator lists it."""

    company: str
    store_id: str
    locator_id: str | None = None
    store_name: str
    address_line_1: str | None = None
    suburb: str | None = None
    state: str | None = None
    postcode: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    timezone: str | None = None
    """IANA name."""
    is_online: bool = True


@dataclass(frozen=True, slots=True)
class Drop:
    """Why a mapping made no item of a record; counted as splitcart/mapping/<reason>."""

    reason: str
    sku: str | None = None
    sponsored: bool = False
    """Whether it was an advertisement, which no category's total counts."""
