"""IGA: its numbers, barcodes, prices and stores."""

from random import Random

from sandbox.goods import barcodes
from sandbox.goods.good import Good
from sandbox.goods.traits import Traits


def _sku(section: str, good: Good, chance: Random) -> str:
    if good.weighed:
        form = chance.choice(("8006", "8006", "180000006"))
        return form + str(chance.randrange(1000, 9999))
    return str(chance.randrange(1_000, 999_999))


def _barcode(sku: str, good: Good, chance: Random) -> str | None:
    """Absent for one in eight; junk, or the sku itself, for others."""
    lot = chance.random()
    if lot < 0.008:
        return barcodes.spoilt(good.gtin)
    if lot < 0.13:
        return None
    junk = ("null", "notfound", "N/A", "TEST_BARCODE")
    return sku if lot < 0.15 else junk[int(lot * 1000) % 4] if lot < 0.18 else good.gtin.zfill(13)


TRAITS = Traits(
    order=3,
    private=("Black & Gold", "Community Co", "IGA Signature"),
    sku=_sku,
    barcode=_barcode,
    national_share=0.75,
    promo_only=False,
    level=1.14,
    special_share=0.24,
    multibuy_share=0.05,
    multibuy_each=True,
    member_share=0.03,
    member_multibuy_share=0.3,
    store_codes=(10000, 79999),
    finder_ids=True,
    offline_every=7,
    denial="cloudflare",
)
