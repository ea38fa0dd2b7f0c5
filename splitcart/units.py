"""The one table of units: every word for a measure that a shelf or a pack was seen to use."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

BaseUnit = Literal["g", "ml", "m", "ea"]


@dataclass(frozen=True, slots=True)
class Unit:
    """What a word measures: `scale` base units; `noun` tells counted things apart (a roll is not a sheet)."""

    base: BaseUnit
    scale: Decimal
    noun: str = ""


_MEASURES: dict[tuple[BaseUnit, str], str] = {
    ("g", "0.001"): "mg milligram milligrams",
    ("g", "1"): "g gm gms gr grm gram grams gramme grammes",
    ("g", "1000"): "kg kgs kilo kilos kilogram kilograms kilogramme",
    ("ml", "1"): "ml mls mil millilitre millilitres milliliter milliliters nl",
    ("ml", "10"): "cl",
    ("ml", "1000"): "l lt ltr ltrs lts litre litres liter liters",
    ("m", "0.001"): "mm millimetre millimetres",
    ("m", "0.01"): "cm cms centimetre centimetres",
    ("m", "1"): "m mt mtr mtrs metre metres meter meters",
}
"""`nl` is a misspelt ml; a misspelt `Mm` is told from mm in sizes.py."""

_COUNTS = {
    "": "ea each eaches unit units pk pks pkt pkts pack packs packet packets pac item items ct count",
    "piece": "piece pieces pce pces pcs pc portion portions serve serves",
    "sheet": "sheet sheets sht shts ss",
    "roll": "roll rolls",
    "tablet": "tablet tablets tab tabs caplet caplets capsule capsules cap caps softgel softgels lozenge lozenges",
    "wipe": "wipe wipes tissue tissues",
    "bag": "bag bags teabag teabags sachet sachets stick sticks pouch pouches pod pods",
    "can": "can cans bottle bottles",
    "nappy": "nappy nappies pad pads liner liners tampon tampons pant pants",
    "wash": "wash washes load loads",
    "slice": "slice slices egg eggs roll-up rollups bar bars muffin muffins wrap wraps",
    "set": "set sets pair pairs",
    "bunch": "bunch bunches bulb bulbs head heads punnet punnets",
}

UNITS: dict[str, Unit] = {
    word: Unit(base, Decimal(scale)) for (base, scale), words in _MEASURES.items() for word in words.split()
} | {word: Unit("ea", Decimal(1), noun) for noun, words in _COUNTS.items() for word in words.split()}
UNITS["dozen"] = Unit("ea", Decimal(12), "")

MEASURE_WORDS = "|".join(sorted((w for w, unit in UNITS.items() if unit.base != "ea"), key=len, reverse=True))
COUNT_WORDS = "|".join(sorted((w for w, unit in UNITS.items() if unit.base == "ea"), key=len, reverse=True))
