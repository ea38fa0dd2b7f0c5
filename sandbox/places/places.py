"""Where stores stand: suburbs with postcode, coordinates and time zone."""

from dataclasses import dataclass

from sandbox.dice import Dice
from sandbox.goods.traits import Traits

TIMEZONES = {
    "NSW": "Australia/Sydney",
    "ACT": "Australia/Sydney",
    "VIC": "Australia/Melbourne",
    "QLD": "Australia/Brisbane",
    "SA": "Australia/Adelaide",
    "WA": "Australia/Perth",
    "TAS": "Australia/Hobart",
    "NT": "Australia/Darwin",
}
REGIONS = {
    "NSW": "New South Wales",
    "ACT": "Australian Capital Territory",
    "VIC": "Victoria",
    "QLD": "Queensland",
    "SA": "South Australia",
    "WA": "Western Australia",
    "TAS": "Tasmania",
    "NT": "Northern Territory",
}
OFFSETS = {"NSW": "10:0", "ACT": "10:0", "VIC": "10:0", "TAS": "10:0", "QLD": "10:0", "SA": "9:30", "NT": "9:30"}
"""Standard time of a state, as Woolworths' locator writes it; WA is 8:0."""

SUBURBS = (
    ("Newtown", "NSW", "2042", -33.8978, 151.1792),
    ("Carlton", "VIC", "3053", -37.8001, 144.9671),
    ("Fortitude Valley", "QLD", "4006", -27.4570, 153.0340),
    ("Subiaco", "WA", "6008", -31.9485, 115.8268),
    ("Norwood", "SA", "5067", -34.9211, 138.6316),
    ("Sandy Bay", "TAS", "7005", -42.8993, 147.3270),
    ("Dickson", "ACT", "2602", -35.2502, 149.1390),
    ("Casuarina", "NT", "0810", -12.3738, 130.8816),
    ("Bondi Junction", "NSW", "2022", -33.8915, 151.2480),
    ("Brunswick", "VIC", "3056", -37.7667, 144.9600),
    ("Toowong", "QLD", "4066", -27.4845, 152.9920),
    ("Joondalup", "WA", "6027", -31.7448, 115.7661),
    ("Glenelg", "SA", "5045", -34.9820, 138.5160),
    ("Parramatta", "NSW", "2150", -33.8136, 151.0034),
    ("Geelong", "VIC", "3220", -38.1485, 144.3610),
    ("Toowoomba", "QLD", "4350", -27.5598, 151.9507),
    ("Fremantle", "WA", "6160", -32.0540, 115.7460),
    ("Mount Gambier", "SA", "5290", -37.8284, 140.7804),
    ("Launceston", "TAS", "7250", -41.4391, 147.1358),
    ("Wagga Wagga", "NSW", "2650", -35.1082, 147.3598),
    ("Ballarat", "VIC", "3350", -37.5622, 143.8503),
    ("Cairns", "QLD", "4870", -16.9203, 145.7710),
    ("Bunbury", "WA", "6230", -33.3256, 115.6396),
    ("Newcastle", "NSW", "2300", -32.9283, 151.7817),
    ("Footscray", "VIC", "3011", -37.8000, 144.9010),
    ("Townsville", "QLD", "4810", -19.2590, 146.8169),
    ("Broken Hill", "NSW", "2880", -31.9530, 141.4530),
    ("Alice Springs", "NT", "0870", -23.6980, 133.8807),
)
QUARTERS = ("North", "South", "Plaza", "Central", "East")
"""What a second store of a suburb is called; some have the name of the first."""
STREETS = (
    "King Street",
    "High Street",
    "Station Road",
    "Beach Road",
    "Victoria Avenue",
    "George Street",
    "Main Street",
)


@dataclass(frozen=True, slots=True)
class Store:
    """One store of one chain."""

    chain: str
    store_code: str
    """The chain's own id, as the storefront's paths have it."""
    locator_id: str
    """As the locator names it; the same but for IGA."""
    index: int
    name: str
    address: str
    suburb: str
    postcode: str
    state: str
    latitude: float
    longitude: float
    timezone: str
    is_online: bool = True


def _number(chain: str, traits: Traits, index: int, taken: set[str], dice: Dice) -> str:
    """A store code in the chain's own form: 4 digits, unpadded, G and 3 digits, 5 digits."""
    for attempt in range(10000):
        number = int(dice.integers(f"{chain}:store-id", *traits.store_codes, index, attempt))
        text = traits.store_code_form.format(number)
        if text not in taken:
            return text
    raise ValueError(f"no store code left for {chain}: ask for fewer stores")


def _finder_id(chain: str, index: int, dice: Dice) -> str:
    return str(1 + int(dice.integers(f"{chain}:finder", 0, 20000, index)))


def draw(chain: str, traits: Traits, count: int, dice: Dice) -> list[Store]:
    """`count` stores over the states; the first three stand in three time zones."""
    taken: set[str] = {"1100", traits.fallback or ""}
    stores = []
    for index in range(count):
        suburb, state, postcode, latitude, longitude = SUBURBS[(index + traits.order) % len(SUBURBS)]
        round_ = index // len(SUBURBS)
        number = _number(chain, traits, index, taken, dice)
        taken.add(number)
        jitter = dice.uniform(f"{chain}:place", index, [0, 1]) * 0.03 - 0.015
        street = STREETS[int(dice.integers(f"{chain}:street", 0, len(STREETS), index))]
        name = suburb if round_ == 0 or index % 9 == 0 else f"{suburb} {QUARTERS[round_ % len(QUARTERS)]}"
        stores.append(
            Store(
                chain=chain,
                store_code=number,
                locator_id=_finder_id(chain, index, dice) if traits.finder_ids else number,
                index=index,
                name=name,
                address=f"{int(dice.integers(f'{chain}:house', 1, 400, index))} {street}",
                suburb=suburb,
                postcode=postcode,
                state=state,
                latitude=round(latitude + float(jitter[0]), 6),
                longitude=round(longitude + float(jitter[1]), 6),
                timezone="Australia/Broken_Hill" if suburb == "Broken Hill" else TIMEZONES[state],
                is_online=not traits.offline_every or (index + 1) % traits.offline_every != 0,
            )
        )
    return stores
