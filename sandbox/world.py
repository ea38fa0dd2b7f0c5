"""The world behind the four storefronts: goods, stores, prices by store and day, and the truth about them."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from sandbox.dice import Dice
from sandbox.goods.catalogue import Catalogue, nationals
from sandbox.goods.good import Good
from sandbox.places import places
from sandbox.places.places import Store
from sandbox.pricing import Offers, Prices, State
from sandbox.sites import sites
from sandbox.tree import Tree

EPOCH = dt.date(2026, 6, 3)
"""Day 0, a Wednesday: the day on which specials flip."""
Columns = tuple[list[str], list[str], np.ndarray, np.ndarray, np.ndarray, np.ndarray]


class World:
    """Goods, stores, prices and truth of the sandbox; the same for the same arguments.

    products: lines a chain sells (tobacco and market lines come on top). stores: per chain. zones: price zones per
    chain. noise: share of lines whose price in a store differs from its zone's. ALDI has one zone and no noise.
    zone_share: share of lines that a zone prices differently. range_low: the smallest share of lines a store lists.
    promo_only: share of lines that stand under promotional roots only.
    woolworths_cap: how many products of one category can be had. coles_page_cap: pages of one category.
    """

    def __init__(
        self,
        seed: int = 1,
        products: int = 400,
        stores: int = 4,
        zones: int = 2,
        *,
        noise: float = 0.004,
        zone_share: float = 0.3,
        range_low: float = 0.3,
        promo_only: float = 0.01,
        woolworths_cap: int = 10_000,
        coles_page_cap: int = 104,
    ) -> None:
        self.seed, self.products, self.zones = seed, products, zones
        self.noise, self.zone_share, self.range_low, self.promo_only = noise, zone_share, range_low, promo_only
        self.woolworths_cap, self.coles_page_cap = woolworths_cap, coles_page_cap
        self.dice = Dice(seed)
        self.sites = sites()
        self.traits = {chain: site.TRAITS for chain, site in self.sites.items()}
        self._trees: dict[str, Tree] = {}
        self._pool: list[Good] | None = None
        self._catalogues: dict[str, Catalogue] = {}
        self._prices: dict[str, Prices] = {}
        self._stores = {chain: places.draw(chain, traits, stores, self.dice) for chain, traits in self.traits.items()}
        self._by_code = {(s.chain, s.store_code): s for chain in self.traits for s in self._stores[chain]}
        for chain, traits in self.traits.items():
            if traits.fallback:
                self._by_code[chain, traits.fallback] = self._fallback(chain, traits.fallback)
        self._zones = {chain: self._zone_table(chain) for chain in self.traits}
        self.state = lru_cache(maxsize=64)(self._state)
        self.zone_offers = lru_cache(maxsize=64)(self._zone_offers)

    def _fallback(self, chain: str, number: str) -> Store:
        """The store that answers where none is named: in no locator, full range, zone 0."""
        first = self._stores[chain][0]
        return replace(first, store_code=number, locator_id=number, index=-1, name="Online", is_online=True)

    def stores(self, chain: str) -> list[Store]:
        """The chain's stores as its locator should list them, including IGA's that do not sell online."""
        return list(self._stores[chain])

    @property
    def chains(self) -> list[str]:
        return list(self.sites)

    def store(self, chain: str, store_code: str) -> Store | None:
        return self._by_code.get((chain, store_code))

    def catalogue(self, chain: str) -> Catalogue:
        if chain not in self._catalogues:
            if self._pool is None:
                self._pool = nationals(self.dice, self.products)
            self._catalogues[chain] = Catalogue(
                chain, self.traits[chain], self.dice, self.products, self._pool, self.promo_only
            )
        return self._catalogues[chain]

    def prices(self, chain: str) -> Prices:
        if chain not in self._prices:
            self._prices[chain] = Prices(
                self.catalogue(chain), self.dice, self.noise, self.zone_share, self.range_low
            )  # fmt: skip
        return self._prices[chain]

    def tree(self, chain: str) -> Tree:
        """The chain's category tree, with the lines that stand in it."""
        if chain not in self._trees:
            self._trees[chain] = self.sites[chain].build(self)
        return self._trees[chain]

    def _zone_table(self, chain: str) -> np.ndarray:
        count = len(self._stores[chain])
        if self.traits[chain].national_prices:
            return np.zeros(count, dtype=np.int64)
        order = np.argsort(self.dice.uniform(f"{chain}:zone-of", np.arange(count)))
        table = np.empty(count, dtype=np.int64)
        table[order] = np.arange(count) % self.zones
        return table

    def zone_of(self, chain: str, store_code: str) -> int:
        index = self._by_code[chain, store_code].index
        return 0 if index < 0 else int(self._zones[chain][index])

    def _zone_offers(self, chain: str, zone: int, day: int) -> tuple[np.ndarray, Offers]:
        return self.prices(chain).zone(zone, day)

    def _state(self, chain: str, store_code: str, day: int) -> State:
        regular, offers = self.zone_offers(chain, self.zone_of(chain, store_code), day)
        return self.prices(chain).store(self._by_code[chain, store_code], day, regular, offers)

    @staticmethod
    def date_of(day: int) -> dt.date:
        return EPOCH + dt.timedelta(days=day)

    def day_at(self, chain: str, store_code: str, when: dt.datetime) -> int:
        """The day on the calendar of a store's own time zone at an aware moment."""
        store = self._by_code.get((chain, store_code)) or self._stores[chain][0]
        return (when.astimezone(ZoneInfo(store.timezone)).date() - EPOCH).days

    def truth(self, chain: str, store_code: str, day: int) -> list[dict[str, Any]]:
        """What a correct crawl of the store on that day stores: one dict for each product, in order of sku.

        Besides the item's fields: `category_paths` (every path that is right), `acceptable` (field -> every value that
        is right where the answer can be read in two ways), `promo_only`, and `offer_id` where the chain sends one.
        """
        state = self.state(chain, store_code, day)
        site = self.sites[chain]
        catalogue = self.catalogue(chain)
        store = self._by_code[chain, store_code]
        if not store.is_online:
            return []
        rows = []
        for line in catalogue.lines[: catalogue.main]:
            if state.ranged[line.index]:
                rows.append(site.truth(self, store, day, line, state))
        return sorted(rows, key=lambda row: row["sku"])

    def prices_array(self, chain: str, day: int, stores: Sequence[str] | None = None) -> Columns:
        """(store_codes, skus, price, was, multibuy quantity, multibuy total): int64 arrays of stores x lines, cents.

        -1 where a line is not ranged or has no such value. Prices are what one unit costs (weighed packs: the pack),
        whether in stock or not.
        """
        codes = list(stores) if stores is not None else [store.store_code for store in self._stores[chain]]
        catalogue = self.catalogue(chain)
        site = self.sites[chain]
        grams = np.array([site.pack_grams(line) for line in catalogue.lines[: catalogue.main]], dtype=np.int64)
        tables = [np.full((len(codes), catalogue.main), -1, dtype=np.int64) for _ in range(4)]
        for row, store_code in enumerate(codes):
            store, prices = self._by_code[chain, store_code], self.prices(chain)
            offers = prices.own(store, day, *self.zone_offers(chain, self.zone_of(chain, store_code), day))
            ranged = prices.ranged(store, day)[: catalogue.main]
            for place, column in enumerate((offers.price, offers.was, offers.quantity, offers.total)):
                values = column[: catalogue.main]
                if place < 2:
                    values = np.where((grams > 0) & (values >= 0), (values * grams + 500) // 1000, values)
                tables[place][row] = np.where(ranged, values, -1)
        skus = [line.sku for line in catalogue.lines[: catalogue.main]]
        return codes, skus, tables[0], tables[1], tables[2], tables[3]
