"""Woolworths: its numbers, barcodes, prices and stores."""

from random import Random

from sandbox.goods import barcodes
from sandbox.goods.good import Good
from sandbox.goods.traits import Traits


def _sku(section: str, good: Good, chance: Random) -> str:
    if section == "market":
        return str(chance.randrange(1_100_000_000, 1_199_999_999))
    return str(chance.randrange(*chance.choice(((10_000, 99_999), (100_000, 999_999), (6_000_000, 6_999_999)))))


def _barcode(sku: str, good: Good, chance: Random) -> str | None:
    """A leading zero is lost of some; a few digits are wrong."""
    lot = chance.random()
    if len(good.gtin) == 12 and good.gtin[0] == "0":
        return good.gtin[1:]
    return barcodes.spoilt(good.gtin) if lot < 0.008 else good.gtin


TRAITS = Traits(
    order=0,
    private=("Woolworths", "Essentials", "Macro", "Hillview"),
    sku=_sku,
    barcode=_barcode,
    sections=("tobacco", "market"),
    special_share=0.19,
    multibuy_share=0.1,
    member_share=0.06,
    member_multibuy_share=0.25,
    store_codes=(1105, 6999),
    fallback="1101",
)
