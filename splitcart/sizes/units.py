"""The table of units: every word that shelves and packs use for a measure."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

BaseUnit = Literal["g", "ml", "m", "ea"]


@dataclass(frozen=True, slots=True)
class Unit:
    """What a word measures: `scale` base units. `noun` distinguishes what is counted (a roll is not a sheet)."""

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
"""`nl` is a misspelt ml; `text.plain` turns a misspelt `Mm`, which is not mm, into ml."""

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
_PIECES = {
    "gummy": "gummy gummies gummie chew chews",
    "tablet": "gels pill pills pastille pastilles vegecap vegecaps vegecapsules vcaps",
    "strip": "patch patches plaster plasters strip strips bandage bandages",
    "bud": "bud buds swab swabs",
    "plate": "plate plates cup cups straw straws fork forks knife knives spoon spoons",
    "napkin": "napkin napkins serviette serviettes",
    "peg": "peg pegs skewer skewers toothpick toothpicks",
    "battery": "battery batteries candle candles balloon balloons match matches globe globes",
    "glove": "glove gloves mask masks",
    "blade": "blade blades razor razors cartridge cartridges refill refills filter filters",
    "cloth": "cloth cloths sponge sponges scourer scourers towel towels",
    "card": "card cards envelope envelopes sticker stickers label labels pen pens pencil pencils marker markers",
    "biscuit": "biscuit biscuits cookie cookies cracker crackers donut donuts doughnut doughnuts",
    "bun": "bun buns bagel bagels crumpet crumpets pikelet pikelets tortilla tortillas pancake pancakes scone scones"
    " croissant croissants",
    "patty": "patty patties burger burgers sausage sausages nugget nuggets rissole rissoles meatball meatballs pie pies"
    " dumpling dumplings schnitzel schnitzels fillet fillets",
    "cube": "cube cubes dose doses ampoule ampoules vial vials",
}
"""Counted things that are not a number of packs if a weight is given too: `4 Pies 700g`."""


def _counted(table: dict[str, str]) -> dict[str, Unit]:
    return {word: Unit("ea", Decimal(1), noun) for noun, words in table.items() for word in words.split()}


def _any_of(words: list[str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


UNITS: dict[str, Unit] = (
    {word: Unit(base, Decimal(scale)) for (base, scale), words in _MEASURES.items() for word in words.split()}
    | _counted(_COUNTS)
    | {"dozen": Unit("ea", Decimal(12))}
    | _counted(_PIECES)
    | dict.fromkeys(("s", "'s"), Unit("ea", Decimal(1)))  # `20s`, which no list of words has
)

MEASURE_WORDS = _any_of([word for word, unit in UNITS.items() if unit.base != "ea"])
PACK_WORDS = _any_of([*_counted(_COUNTS), "dozen"])
"""Packs, and what comes in packs: with a weight or a volume they are a second size."""
COUNT_WORDS = _any_of([*_counted(_COUNTS), "dozen", *_counted(_PIECES)])
