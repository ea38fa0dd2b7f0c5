"""Slots of lists drawn at random, and the plans that trying everything finds. It shares no code with what it tests."""

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from itertools import permutations, product
from math import asin, cos, floor, radians, sin, sqrt

COMPANIES = ("aldi", "coles", "iga", "woolworths")
OBSERVED = "2026-11-25T03:10:00+00:00"


@dataclass
class Terms:
    """fees: company -> (fee, free above or None, minimum), in cents."""

    fees: dict = field(default_factory=dict)
    members: tuple = ()
    visit_cents: int = 0
    home: tuple | None = None
    cents_per_km: float = 0


def store(company, number, name="Newtown", place=(None, None)):
    return {
        "store": f"{company}:{number}",
        "store_id": str(number),
        "company_name": company.title(),
        "store_name": name,
        "store_address": f"{number} King Street",
        "latitude": place[0],
        "longitude": place[1],
    }


def option(of, product_id, cents, quantity=1, **more):
    """An option of a store, with every other field filled in."""
    found = {key: of[key] for key in ("store", "company_name", "store_id", "store_name", "store_address")}
    found |= {
        "product_id": product_id,
        "product_name": f"Product {product_id}",
        "brand": None,
        "size": "1 L",
        "sku": str(1000 + product_id),
        "is_substitute": False,
        "quantity": quantity,
        "quantity_unit": None,
        "unit_price_cents": cents,
        "price_basis": "each",
        "typical_grams": None,
        "total_price_cents": 0,
        "was_price_cents": None,
        "is_on_special": False,
        "offer_id": None,
        "offer_kind": None,
        "offer_until": None,
        "multibuy_quantity": None,
        "multibuy_total_cents": None,
        "member_price_cents": None,
        "member_multibuy_quantity": None,
        "member_multibuy_total_cents": None,
        "unit_price": None,
        "unit_of_measure": None,
        "source": "own",
        "observed_at": OBSERVED,
        "flip_since": False,
        "is_estimated": False,
        "department": "Pantry",
        "image_url": None,
    }
    unknown = set(more) - set(found)
    assert not unknown, unknown
    found |= more
    found["total_price_cents"] = alone(found, ())
    return found


def line(number, options, item=None, quantity=1, unit=None):
    """A line of the document with its options."""
    reason = None if options else "not sold at these stores"
    head = {"line": number, "item": item or f"product:{number}", "quantity": quantity, "quantity_unit": unit}
    return {**head, "reason": reason, "options": options}


def document(stores, lines):
    return {"version": 1, "as_of": "2026-11-27T08:00:00+00:00", "stores": stores, "lines": lines}


def half_up(amount, parts):
    return floor(amount / parts + 0.5) if amount % parts * 2 != parts else amount // parts + 1


def ways(choice, members):
    """(single price, units, lot or None, fixed cost or None) of each way to pay for an option."""
    company = choice["store"].split(":")[0]
    single = choice["unit_price_cents"]
    member = company in members
    if member and choice["member_price_cents"] is not None:
        single = min(single, choice["member_price_cents"])
    if choice["price_basis"] == "kg":
        pieces = choice["quantity_unit"] is None
        grams = choice["quantity"] * choice["typical_grams"] if pieces else choice["quantity"]
        return [(single, 0, None, half_up(single * grams, 1000))]
    multibuys = [(choice["multibuy_quantity"], choice["multibuy_total_cents"])]
    if member and choice["member_multibuy_quantity"]:
        multibuys.append((choice["member_multibuy_quantity"], choice["member_multibuy_total_cents"]))
    offer = ("o", choice["offer_id"]) if choice["offer_id"] is not None else ("l", choice["sku"])
    found = []
    for quantity, total in multibuys:
        lot = None if quantity is None else (choice["store"], offer, quantity, total)
        way = (single, choice["quantity"], lot, None if lot else single * choice["quantity"])
        if way not in found:
            found.append(way)
    return found


@cache
def lots(singles, quantity, total):
    """Every number of lots tried, the dearest units in them."""
    ordered = sorted(singles, reverse=True)
    return min(n * total + sum(ordered[n * quantity :]) for n in range(len(ordered) // quantity + 1))


def alone(choice, members):
    return min(
        fixed if lot is None else lots((single,) * units, lot[2], lot[3])
        for single, units, lot, fixed in ways(choice, members)
    )


def costs_at_most(choice, members):
    return max(single * units if fixed is None else fixed for single, units, _, fixed in ways(choice, members))


def goods_of(chosen):
    """Goods by store of (option, way) pairs."""
    goods, shared = defaultdict(int), defaultdict(tuple)
    for choice, (single, units, lot, fixed) in chosen:
        if lot is None:
            goods[choice["store"]] += fixed
        else:
            goods[choice["store"]] += 0
            shared[lot] += (single,) * units
    for lot, singles in shared.items():
        goods[lot[0]] += lots(singles, lot[2], lot[3])
    return goods


def fees_of(goods, terms):
    """The fees; None where a minimum is not met."""
    total = 0
    for name, cents in goods.items():
        fee, free_above, minimum = terms.fees.get(name.split(":")[0], (0, None, 0))
        if cents < minimum:
            return None
        if free_above is None or cents < free_above:
            total += fee
    return total


def trip_of(stores, terms, places):
    if terms.home is None:
        return 0
    best = min(
        sum(map(apart, (terms.home, *way), (*way, terms.home)))
        for way in permutations([places[name] for name in stores])
    )
    return floor(best * terms.cents_per_km + 0.5)


def apart(one, two):
    a, b, c, d = map(radians, (*one, *two))
    return 2 * 6371.0 * asin(sqrt(sin((c - a) / 2) ** 2 + cos(a) * cos(c) * sin((d - b) / 2) ** 2))


def ranked(options, members):
    ordered = sorted(options, key=lambda o: (o["is_substitute"], o["store"], o["product_id"], o["sku"]))
    return [(choice, way) for choice in ordered for way in ways(choice, members)]


def by_sets(found, terms):
    """The best of each set of stores that is exactly visited: stores -> (-filled, cost, ranks, chosen)."""
    places = {each["store"]: (each["latitude"], each["longitude"]) for each in found["stores"]}
    rows = [[(None, None), *ranked(each["options"], terms.members)] for each in found["lines"]]
    best, trips = {}, {}
    for numbers in product(*[range(len(row)) for row in rows]):
        chosen = [rows[at][number] for at, number in enumerate(numbers) if number]
        if not chosen:
            continue
        goods = goods_of(chosen)
        fees = fees_of(goods, terms)
        if fees is None:
            continue
        stores = tuple(sorted(goods))
        if stores not in trips:
            trips[stores] = trip_of(stores, terms, places) + len(stores) * terms.visit_cents
        ranks = tuple(number or len(row) for number, row in zip(numbers, rows, strict=True))
        value = (-len(chosen), sum(goods.values()) + fees + trips[stores], ranks, numbers)
        if stores not in best or value < best[stores]:
            best[stores] = value
    return best, rows


def brute(found, terms, most):
    """For 1 to `most` stores: (filled, cost, stores, [(line, product_id, sku, store)], runner-up), or None."""
    sets, rows = by_sets(found, terms)
    plans = []
    for number in range(1, most + 1):
        allowed = sorted((v[0], v[1], len(s), s) for s, v in sets.items() if len(s) <= number)
        if not allowed:
            plans.append(None)
            continue
        filled, cost, _, stores = allowed[0]
        others = [value[1] for value in allowed[1:] if value[0] == filled]
        lines = [
            (each["line"], row[at][0]["product_id"], row[at][0]["sku"], row[at][0]["store"])
            for each, row, at in zip(found["lines"], rows, sets[stores][3], strict=True)
            if at
        ]
        plans.append((-filled, cost, stores, lines, min(others, default=None)))
    return plans


def small_case(draw):
    """A document, terms and a number of stores: few lines and stores, all that couples them, many equal costs."""
    spread = draw.choice((2, 6, 30, 400))
    stores = _some_stores(draw)
    offers = {
        (each["store"], k): (draw.randint(2, 3), draw.randint(1, 3 * spread)) for each in stores for k in range(2)
    }
    lines, room = [], 220
    for number in range(1, draw.randint(1, 4) + 1):
        quantity, unit = draw.choice(((1, None), (1, None), (2, None), (3, None), (750, "g")))
        options = []
        for each in stores:
            for copy in range(draw.choice((0, 1, 1, 1, 2))):
                options.append(_some_option(draw, each, number, copy, quantity, unit, spread, offers))
        while (len(options) + 1) * 1.3 > room:
            options.pop()
        room = room / (len(options) * 1.2 + 1) + 1
        lines.append(line(number, options, quantity=quantity, unit=unit))
    return document(stores, lines), _some_terms(draw, stores, spread), draw.randint(1, 3)


def _some_stores(draw):
    found = []
    for at in range(draw.randint(1, 4)):
        place = (-33.8 - draw.randint(0, 9) / 50, 151 + draw.randint(0, 9) / 50)
        found.append(store(draw.choice(COMPANIES), draw.choice((2, 10)) * 10 + at, place=place))
    return found


def _some_option(draw, each, number, copy, quantity, unit, spread, offers):
    cents = draw.randint(0, spread) + draw.choice((0, spread))
    product_id = draw.choice((number, number, 7)) + 20 * copy
    more = {"is_substitute": draw.random() < 0.2}
    if unit or draw.random() < 0.1:
        grams = draw.choice((150, 333, 500))
        return option(
            each, product_id, cents, quantity, quantity_unit=unit, price_basis="kg", typical_grams=grams, **more
        )
    if draw.random() < 0.5:
        kind = draw.randint(0, 2)
        if kind < 2:
            lot = offers[each["store"], kind]
            more |= {"offer_id": f"offer {kind}", "multibuy_quantity": lot[0], "multibuy_total_cents": lot[1]}
        else:
            more |= {"multibuy_quantity": 2, "multibuy_total_cents": draw.randint(0, 2 * cents + 1)}
    if draw.random() < 0.3:
        more["member_price_cents"] = draw.randint(0, cents + 2)
    if draw.random() < 0.2:
        more |= {"member_multibuy_quantity": 2, "member_multibuy_total_cents": draw.randint(0, 2 * cents + 1)}
    return option(each, product_id, cents, quantity, **more)


def _some_terms(draw, stores, spread):
    terms = Terms()
    for company in {each["store"].split(":")[0] for each in stores}:
        if draw.random() < 0.6:
            free_above = draw.choice((None, draw.randint(0, 6 * spread)))
            minimum = draw.choice((0, 0, draw.randint(0, 4 * spread)))
            terms.fees[company] = (draw.randint(0, 2 * spread), free_above, minimum)
        if draw.random() < 0.4:
            terms.members = (*terms.members, company)
    terms.visit_cents = draw.choice((0, 0, draw.randint(0, spread)))
    if draw.random() < 0.3:
        terms.home, terms.cents_per_km = (-33.9, 151.1), draw.choice((1, 7.5))
    return terms


def lots_case(draw):
    """As `small_case`, but with five stores of which nearly every option is in a lot that lines share."""
    stores = [store(draw.choice(COMPANIES), 10 + at) for at in range(5)]
    lots = {each["store"]: (draw.randint(2, 3), draw.randint(60, 260)) for each in stores}
    lines = []
    for number in range(1, 5):
        quantity = draw.choice((1, 1, 2))
        options = [_in_lot(draw, each, number, quantity, lots[each["store"]]) for each in stores]
        lines.append(line(number, options, quantity=quantity))
    return document(stores, lines), Terms(visit_cents=draw.choice((0, 5, 25))), 3


def crossing_case(draw):
    """Two stores whose one lot takes every line: what is dear at one is cheap at the other."""
    stores = [store("aldi", 1), store("coles", 1)]
    lots = {each["store"]: (draw.randint(2, 4), draw.randint(150, 400)) for each in stores}
    lines = []
    for number in range(1, 9):
        dear = draw.randint(20, 200)
        prices = dict(zip((each["store"] for each in stores), (dear, 220 - dear), strict=True))
        options = [_in_lot(draw, each, number, 1, lots[each["store"]], prices[each["store"]]) for each in stores]
        lines.append(line(number, options))
    fees = {"aldi": (draw.choice((0, 40)), draw.choice((None, 300)), draw.choice((0, 250)))}
    return document(stores, lines), Terms(fees), 2


def _in_lot(draw, each, number, quantity, lot, cents=None):
    cents = draw.randint(30, 160) if cents is None else cents
    if draw.random() < 0.15:
        return option(each, number, cents, quantity)
    more = {"offer_id": "mix", "multibuy_quantity": lot[0], "multibuy_total_cents": lot[1]}
    return option(each, number, cents, quantity, **more)
