"""Slots of large lists as shops have them: price zones, specials, families under one offer, the fees of each chain."""

import random

from tests.support import carts

FEES = {"woolworths": (900, 9000, 5000), "coles": (700, 10000, 5000), "iga": (500, 6000, 3000), "aldi": (0, None, 0)}
STOCKED = {"woolworths": 0.95, "coles": 0.95, "iga": 0.8, "aldi": 0.55}
LEVEL = {"woolworths": 1.0, "coles": 1.0, "iga": 1.12, "aldi": 0.85}


def world(seed, lines, stores, *, offers=0.25, zones=3, fees=None, visit_cents=0, home=None, cents_per_km=0):
    """A document and terms. `offers`: the share of families that a chain has under one multibuy this week."""
    draw = random.Random(seed)
    shops = [_shop(draw, at, zones) for at in range(stores)]
    families = _families(draw, lines)
    weeks = {zone: _week(draw, zone[0], families, offers) for zone in sorted({zone for _, zone in shops})}
    found = [carts.line(number + 1, [], quantity=draw.choice((1, 1, 1, 2, 2, 3, 4))) for number in range(lines)]
    for shop, zone in shops:
        for number, listed in enumerate(weeks[zone]):
            if listed:
                options = found[number]["options"]
                options.append(_option(draw, shop, number, found[number]["quantity"], listed))
    for each in found:
        each["reason"] = None if each["options"] else "not sold at these stores"
    terms = carts.Terms(dict(FEES if fees is None else fees), (), visit_cents, home, cents_per_km)
    return carts.document([shop for shop, _ in shops], found), terms


def _shop(draw, at, zones):
    company = carts.COMPANIES[at % 4]
    place = (-33.8 - draw.random() / 5, 151 + draw.random() / 5)
    return carts.store(company, 100 + at, place=place), (company, draw.randrange(zones))


def _families(draw, lines):
    """The family of each line, and its usual price: a list buys one to four things of a family."""
    found, family = [], 0
    while len(found) < lines:
        base = int(draw.lognormvariate(6.1, 0.6))
        found += [(family, base + draw.choice((0, 0, 20, 50)))] * draw.choice((1, 1, 1, 2, 2, 3, 4))
        family += 1
    return found[:lines]


def _week(draw, company, families, offers):
    """What a zone charges for each line: (price, offer), or None where it does not sell it."""
    deals, found = {}, []
    for family, base in families:
        price = max(20, int(base * LEVEL[company] * draw.uniform(0.85, 1.2)) // 5 * 5)
        if family not in deals:
            deals[family] = draw.random() < offers, draw.choice((2, 2, 3)), draw.uniform(0.6, 0.9), price
        deal, quantity, cut, usual = deals[family]
        if draw.random() > STOCKED[company]:
            found.append(None)
        elif deal:
            found.append((usual, (f"offer {family}", quantity, int(usual * quantity * cut) // 10 * 10)))
        else:
            special = draw.random() < 0.2
            found.append((int(price * draw.choice((0.5, 0.7, 0.8))) if special else price, None))
    return found


def _option(draw, shop, number, quantity, listed):
    price, deal = listed
    if deal is None and draw.random() < 0.03:  # a price of the store's own
        price += draw.choice((-10, 10, 50))
    more = {"is_on_special": deal is not None}
    if deal:
        more |= {"offer_id": deal[0], "multibuy_quantity": deal[1], "multibuy_total_cents": deal[2]}
    return carts.option(shop, number + 1, max(1, price), quantity, **more)


def hard_case(seed):
    """A document, terms and a number of stores: one of the kinds that are hard to split."""
    draw = random.Random(seed)
    kind = HARD[seed % len(HARD)]
    return kind(draw)


def _any_world(draw):
    fees = {}
    for company in carts.COMPANIES:
        if draw.random() < 0.7:
            free_above = draw.choice((None, 2000, 5000, 10000, 20000))
            fees[company] = (draw.choice((0, 300, 900, 1500)), free_above, draw.choice((0, 0, 2000, 5000, 8000)))
    more = {"offers": draw.choice((0, 0.25, 0.6, 1.0)), "zones": draw.choice((1, 3, 8)), "fees": fees}
    more["visit_cents"] = draw.choice((0, 0, 100, 800))
    if draw.random() < 0.3:
        more |= {"home": (-33.9, 151.1), "cents_per_km": draw.choice((10, 60))}
    size = draw.choice((5, 10, 20, 30, 50, 80)), draw.choice((3, 6, 10, 16, 24))
    return *world(draw.random(), *size, **more), draw.choice((1, 2, 3, 4))


def _shops(draw, count):
    return [_shop(draw, at, 1)[0] for at in range(count)]


def _all_equal(draw):
    """Every option costs the same everywhere: nothing but ties."""
    shops = _shops(draw, 12)
    lines = [carts.line(at, [carts.option(shop, at, 250) for shop in shops]) for at in range(1, 31)]
    return carts.document(shops, lines), carts.Terms(), 3


def _knapsack(draw):
    """Minimums and waived fees that only certain sums of dear options reach."""
    shops = _shops(draw, 4)
    lines = []
    for at in range(1, 26):
        options = [
            carts.option(shop, at + 100 * copy, draw.randint(50, 400) * 2) for shop in shops for copy in range(2)
        ]
        lines.append(carts.line(at, options))
    fees = {company: (draw.randint(1, 9) * 100, 6001, draw.choice((0, 4001))) for company in carts.COMPANIES}
    return carts.document(shops, lines), carts.Terms(fees), 3


def _one_large_lot(draw):
    """All lines of a store share one offer, at different single prices."""
    shops = _shops(draw, 4)
    offers = {shop["store"]: (draw.randint(2, 5), draw.randint(400, 900)) for shop in shops}
    lines = []
    for at in range(1, 21):
        options = []
        for shop in shops:
            lot = dict(zip(("multibuy_quantity", "multibuy_total_cents"), offers[shop["store"]], strict=True))
            options.append(carts.option(shop, at, draw.randint(100, 400), draw.randint(1, 3), offer_id="mix", **lot))
        lines.append(carts.line(at, options))
    return carts.document(shops, lines), carts.Terms(dict(FEES)), 3


def _twins(draw):
    """Many stores of one price, so that sets tie by the hundred."""
    found, terms = world(draw.random(), 25, 4, zones=1)
    shops = [
        shop | {"store": f"{shop['store']}{copy}", "store_id": f"{shop['store_id']}{copy}"}
        for shop in found["stores"]
        for copy in range(5)
    ]
    for line in found["lines"]:
        line["options"] = [
            option | {"store": f"{option['store']}{copy}", "store_id": f"{option['store_id']}{copy}"}
            for option in line["options"]
            for copy in range(5)
        ]
    return carts.document(shops, found["lines"]), terms, 3


def _out_of_reach(draw):
    """Minimums that two stores together cannot meet, and that one store barely meets."""
    found, terms = world(draw.random(), 30, 10)
    goods = sum(min((o["total_price_cents"] for o in line["options"]), default=0) for line in found["lines"])
    terms.fees = {company: (500, None, int(goods * draw.uniform(0.55, 1.3))) for company in carts.COMPANIES}
    return found, terms, 3


def _falling_lots(draw):
    """Lots that cost less than the units of an open one, where a minimum is asked."""
    shops = _shops(draw, 5)
    lines = []
    for at in range(1, 16):
        options = []
        for shop in shops:
            lot = {"offer_id": f"mix {at % 4}", "multibuy_quantity": 3, "multibuy_total_cents": 300}
            options.append(carts.option(shop, at, 200, **lot if draw.random() < 0.7 else {}))
        lines.append(carts.line(at, options))
    fees = {company: (300, 2500, draw.randint(500, 2500)) for company in carts.COMPANIES}
    return carts.document(shops, lines), carts.Terms(fees), 3


HARD = (_any_world, _any_world, _any_world, _all_equal, _knapsack, _one_large_lot, _twins, _out_of_reach, _falling_lots)
