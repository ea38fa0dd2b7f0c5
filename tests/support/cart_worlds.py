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
    """What a zone asks for each line: (price, offer) or None where it has none."""
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
