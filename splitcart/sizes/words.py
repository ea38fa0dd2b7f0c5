"""The parts of the grammar of size texts: numbers, units, containers, and words for `about`."""

from splitcart.patterns import Pattern
from splitcart.sizes.text import MAX_TEXT
from splitcart.sizes.units import COUNT_WORDS, MEASURE_WORDS

NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,7})(?:\.[0-9]{1,4})?|\.[0-9]{1,4}"
NUM = rf"({NUMBER})\s*"
"""A number, as a group, and the space after it."""
_KINDS = (
    "tea|coffee|dishwasher|dishwashing|laundry|cotton|paper|plastic|bin|garbage|freezer|sandwich|nappy|face|facial|baby"
    "|wet|free range|cage free|chewable|effervescent|soft|bread|dinner|hot dog|multivitamin|vitamin|probiotic|sanitary"
    "|panty|incontinence|drinking|alkaline|tealight|zip lock|snap lock|resealable|ice|birthday|index|greeting|vegan"
    "|fruit|kids|adult|black|green|white|herbal|round|large|extra large|jumbo|mini"
)
"""Words between a number and what is counted: `100 tea bags`."""
COUNT = rf"(?:(?:{_KINDS})[ -]){{0,2}}({COUNT_WORDS}|(?<=[0-9])'?s)"
"""What is counted; in `20s` and `200's` the s."""
SHEETS = r"(?:(?:a[3-6]|[1-5]\s?-?ply|[0-9]{2,3}\s?gsm)(?![a-z])\s*){0,2}"
"""What may follow the number of sheets: paper size, plies, weight."""
UNIT = rf"(?:(?:{_KINDS})[ -]){{0,2}}({MEASURE_WORDS}|{COUNT_WORDS}|(?<=[0-9])'?s)(?![a-z])\.?\s*"
MEASURE = rf"({MEASURE_WORDS})(?=[^a-z]|x\s*[0-9]|$)\.?\s*"
TIMES_SIGN = r"[x×*]\s*"
HOLDER = (
    r"(?:cases?|cartons?|ctns?|packs?|packets?|pk|pkt|blocks?|cubes?|slabs?|cans?|bottles?|stubb(?:y|ies)|tins?"
    r"|trays?|punnets?|bags?|tubs?|jars?|box(?:es)?|pouch(?:es)?|sleeves?|longnecks?|multipacks?|refills?|pumps?"
    r"|pottles?|aerosols?|sticks?|tubes?|sachets?|sprays?|triggers?|roll[ -]?ons?|wedges?|wheels?|logs?|bricks?|cups?"
    r"|bowls?|buckets?|pails?|drums?|kegs?|jugs?|flasks?|carafes?|vials?|ampoules?|squeez(?:e|er|y|ie|able)|dispensers?"
    r"|canisters?|cartridges?|wraps?|parcels?|nets?|sacks?|bales?|bundles?|paks?|tetra(?: ?pac?ks?)?|prismas?|bars?"
    r"|sets?|rolls?|growlers?|magnums?|tinnies|droppers?|pods?|satchets?|pots?|containers?)"
)
"""What goods are sold in."""
BOX = (
    rf"(?:\(?(?:{HOLDER}|each|ea|loaf|bunch|piece|package|cask|prepack(?:ed)?|total|net|nett|resealable|glass|plastic|pet"
    r"|bulk|value|family|share|sharing|snack|economy|travel|mini|large|small|standard|jumbo|king size"
    r"|minimum|min|approx|approximately|average|avg)(?![a-z])\.?\)?\s*)"
)
CAN = r"(?:cans?|bottles?|stubb(?:y|ies)|tins?|longnecks?|casks?)"
DRINKS = r"(?:cans?|bottles?|stubb(?:y|ies)|tinnies|longnecks?|blocks?|cubes?|slabs?|cartons?|ctns?|cases?)"
"""Containers beside the number of drinks, before the measure of each: `Block 30 375mL`, `24 Cans 330ml`."""
MANY_DRINKS = r"(?:cans|bottles|stubb(?:y|ies)|tinnies|longnecks|blocks?|cubes?|slabs?|cartons?|ctns?|cases?)"
"""Those containers that a number before them counts. A singular is not counted: `Omega 3 bottle`."""
PER = (
    r"(?:per\s+(?:package|pack|packet|piece|each|ea|punnet|bag|tray|unit|item|bunch|box|tub|jar|carton|net|head|loaf"
    r"|bottle|can|portion|serve|pouch|tube|stick)\s*)?"
)
TAIL = rf"{BOX}{{0,3}}{PER}"
CIRCA = r"approx(?:imately)?|about|average|avg|est|around|circa|ca|up to"
NET = r"net(?:t)?(?: w(?:eigh)?t)?|total"
LEADS = frozenset(
    ["approx", "approximately", "about", "average", "avg", "est", "around", "circa", "ca", "min", "minimum"]
)
"""Words that may stand before a size at the end of a name and belong to it."""
ABOUT = Pattern(rf"(?<![a-z])(?:{CIRCA})(?![a-z])\.?|~", MAX_TEXT)
LEAD = Pattern(rf"^(?:(?:{CIRCA}|min(?:imum)?|from|{NET})(?![a-z])\.?|~)\s*", MAX_TEXT)
