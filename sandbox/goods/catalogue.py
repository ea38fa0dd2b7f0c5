"""What a chain sells: goods that several chains share, its own labels, and lines of tobacco and of a market."""

import numpy as np

from sandbox.dice import Dice
from sandbox.goods import barcodes
from sandbox.goods.good import Good, Line
from sandbox.goods.traits import Traits
from sandbox.goods.words import BRANDS, EXTRA, KINDS, MARKET, SYLLABLES, TOBACCO, Kind


def _price(kind: Kind, brand: str | None, size: int, count: int, dice: Dice) -> int:
    chance = dice.stream(f"price:{kind.noun}:{brand}:{size}:{count}")
    rate = kind.rate[0] + (kind.rate[1] - kind.rate[0]) * chance.random()
    if kind.form in ("loose", "deli", "weighed"):
        return max(60, round(rate / 10) * 10)
    rate *= (size * count / (kind.sizes[0] * kind.counts[0])) ** -0.15
    per = 1000 if kind.form in ("g", "ml", "xg", "xml") else 1
    return max(60, round(rate * size * count / per / 5) * 5)


class _Maker:
    """Draws goods that differ in brand, words or size."""

    def __init__(self, dice: Dice, concern: str, brands: list[str]) -> None:
        self.dice = dice
        self.chance = dice.stream(f"goods:{concern}")
        self.brands = brands
        self.bases: dict[tuple[Kind, str | None, int, int], int] = {}
        self.taken: set[tuple[str | None, str, int, int]] = set()
        self.codes: set[str] = set()

    def make(self, kinds: tuple[Kind, ...]) -> Good:
        for attempt in range(1000):
            kind = self.chance.choice(kinds)
            brand = None if kind.form in ("loose", "deli") else self.chance.choice(self.brands)
            size, count = self.chance.choice(kind.sizes), self.chance.choice(kind.counts)
            words = f"{self.chance.choice(kind.varieties)} {kind.noun}"
            if attempt > 3:
                words = f"{self.chance.choice(EXTRA)} {words}"
            if attempt > 12:
                words = f"{words} No {self.chance.randrange(2, 20 * attempt)}"
            key = (brand, words, size, count)
            if key not in self.taken:
                self.taken.add(key)
                return Good(kind, brand, words, size, count, self._base(kind, brand, size, count), self._code(kind))
        raise ValueError("no unused good left: ask for fewer products")

    def _base(self, kind: Kind, brand: str | None, size: int, count: int) -> int:
        key = (kind, brand, size, count)
        if key not in self.bases:
            self.bases[key] = _price(kind, brand, size, count, self.dice)
        return self.bases[key]

    def _code(self, kind: Kind) -> str:
        while True:
            weighed = kind.form in ("loose", "deli")
            code = barcodes.in_store(self.chance) if weighed else barcodes.draw(self.chance)
            if code not in self.codes:
                self.codes.add(code)
                return code


def _brands(dice: Dice, wanted: int) -> list[str]:
    chance = dice.stream("brands")
    brands = list(BRANDS)
    while len(brands) < wanted:
        name = "".join(chance.choice(SYLLABLES) for _ in range(chance.choice((2, 3)))).title()
        if name not in brands:
            brands.append(name)
    return brands


def nationals(dice: Dice, products: int) -> list[Good]:
    """Goods that any chain may sell, with one barcode for all of them."""
    maker = _Maker(dice, "national", _brands(dice, min(40 + products // 50, 300)))
    return [maker.make(KINDS) for _ in range(products)]


class Catalogue:
    """All lines of one chain, and the arrays that prices are computed from."""

    def __init__(
        self, chain: str, traits: Traits, dice: Dice, products: int, pool: list[Good], promo_share: float
    ) -> None:
        self.chain = chain
        self.traits = traits
        self._dice = dice
        self._chance = dice.stream(f"{chain}:lines")
        self._skus: set[str] = set()
        self._families: dict[tuple[str, str | None, int, int], int] = {}
        self._factors: dict[tuple[str, str | None, int, int], float] = {}
        self._promo_share = promo_share if traits.promo_only else 0.0
        goods = self._goods(products, pool)
        self.lines: list[Line] = [self._line(index, good, "main") for index, good in enumerate(goods)]
        self.main = len(self.lines)
        for section, kinds in (("tobacco", TOBACCO), ("market", MARKET)):
            if section in traits.sections:
                maker = _Maker(dice, f"{chain}:{section}", list(BRANDS))
                for _ in range(3 + products // 40):
                    self.lines.append(self._line(len(self.lines), maker.make(kinds), section))
        self.base = np.array([line.base for line in self.lines], dtype=np.int64)
        self.family = np.array([line.family for line in self.lines], dtype=np.int64)

    def _goods(self, products: int, pool: list[Good]) -> list[Good]:
        own = _Maker(self._dice, self.chain, list(self.traits.private))
        shared = self._chance.sample(pool, min(len(pool), round(products * self.traits.national_share)))
        shared = [good for good in shared if good.kind.form not in self.traits.without]
        kinds = tuple(kind for kind in KINDS if kind.form not in self.traits.without)
        own.taken.update((good.brand, good.words, good.size, good.count) for good in shared)
        own.codes.update(good.gtin for good in pool)
        goods = shared + [own.make(kinds) for _ in range(products - len(shared))]
        self._chance.shuffle(goods)
        return goods

    def _line(self, index: int, good: Good, section: str) -> Line:
        chance = self._chance
        sku = self.traits.sku(section, good, chance)
        while sku in self._skus:
            sku = self.traits.sku(section, good, chance)
        self._skus.add(sku)
        family = (good.kind.noun, good.brand, good.size, good.count)
        if family not in self._factors:
            self._factors[family] = self.traits.level * (
                0.97 + 0.06 * self._dice.stream(f"{self.chain}:{family}").random()
            )
        main = section == "main"
        promo = main and (chance.random() < self._promo_share)
        return Line(
            index=index,
            sku=sku,
            good=good,
            brand=good.brand,
            base=max(60, round(good.base * self._factors[family] / 5) * 5),
            family=self._families.setdefault(family, len(self._families)),
            section=section,
            promo_only=promo,
            abroad=main and not promo and chance.random() < 0.08,
            barcode=None if section == "market" else self.traits.barcode(sku, good, chance),
        )
