"""Coles: its numbers, barcodes, prices and stores."""

from random import Random

from sandbox.goods import barcodes
from sandbox.goods.good import Good
from sandbox.goods.traits import Traits


def _sku(section: str, good: Good, chance: Random) -> str:
    return str(chance.randrange(*chance.choice(((1_000_000, 9_999_999), (100_000, 999_999)))))


def _barcode(sku: str, good: Good, chance: Random) -> str | None:
    """On product pages only; absent for some, two for others."""
    lot = chance.random()
    if lot < 0.008:
        return barcodes.spoilt(good.gtin)
    return None if lot < 0.05 else f"{good.gtin},{barcodes.draw(chance)}" if lot < 0.09 else good.gtin


TRAITS = Traits(
    order=1,
    private=("Coles", "Coles Simply", "Coles Finest", "Coles Urban Coffee Culture"),
    sku=_sku,
    barcode=_barcode,
    sections=("tobacco",),
    special_share=0.22,
    multibuy_share=0.1,
    member_multibuy_share=0.12,
    store_codes=(200, 9999),
    fallback="584",
    denial="imperva_incident",
)
