"""ALDI: its numbers, barcodes, prices and stores."""

from random import Random

from sandbox.goods.good import Good
from sandbox.goods.traits import Traits


def _sku(section: str, good: Good, chance: Random) -> str:
    variant = chance.random() < 0.1
    number = f"{chance.randrange(100_000, 999_999)}{chance.randrange(1, 9):03d}" if variant else ""
    return (number or str(chance.randrange(100_000, 999_999))).zfill(18)


def _barcode(sku: str, good: Good, chance: Random) -> str | None:
    """Never."""
    chance.random()
    return None


TRAITS = Traits(
    order=2,
    private=("FARMDALE", "REMANO", "EXPRESSI", "HILLCREST", "WORLD KITCHEN", "CONFIDENCE"),
    sku=_sku,
    barcode=_barcode,
    national_share=0.2,
    without=("deli",),
    level=0.82,
    nines=True,
    national_prices=True,
    special_share=0.01,
    weighed_specials=False,
    store_codes=(0, 999),
    store_code_form="G{:03d}",
)
