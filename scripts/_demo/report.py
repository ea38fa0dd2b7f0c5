"""What the demo's crawls left in the database, as tables, and whether it equals what the sandbox offered."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from _support import oracle
from _support.output import text
from rich.console import Console
from rich.table import Table
from sqlalchemy import Row, func, select

from models.checks.checking import check
from models.database import engine as engines
from models.tables import companies, crawl_runs, staged_items
from sandbox.world import World

Key = tuple[str, str]
"""(chain, store code)."""
BEST = 3
"""Specials shown for each store."""


def dollars(cents: int | None) -> str:
    return "" if cents is None else f"${cents / 100:,.2f}"


class Report:
    """Reads the demo's database; `world` is what was crawled."""

    def __init__(self, url: str, world: World, day: int = 0) -> None:
        self.url, self.world, self.day = url, world, day
        self.engine = engines.create(url)

    def staged(self) -> dict[Key, int]:
        """Rows staged so far by each running crawl."""
        rows = select(func.count()).where(staged_items.c.run_id == crawl_runs.c.id).scalar_subquery()
        query = (
            select(companies.c.slug, crawl_runs.c.store_code, rows)
            .join(companies, companies.c.id == crawl_runs.c.company_id)
            .where(crawl_runs.c.status == "running")
        )
        with self.engine.connect() as connection:
            return {(slug, code): count for slug, code, count in connection.execute(query)}

    def run(self, chain: str, store_code: str) -> Row[Any] | None:
        """The last run of a store."""
        return oracle.last_run(self.engine, chain, store_code)

    def show_stores(self, console: Console, keys: Sequence[Key], seconds: Mapping[Key, float]) -> None:
        """Prints a row for each store: what its crawl stored."""
        table = Table("chain", "store", "run", *(), title="What landed", title_justify="left")
        for name in ("products", "prices", "specials", "drops, repairs", "requests", "seconds"):
            table.add_column(name, justify="right")
        for chain, store_code in keys:
            run = self.run(chain, store_code)
            assert run is not None
            counts = run.counts or {}
            with self.engine.connect() as connection:
                offers = oracle.offers(connection, chain, store_code)
            specials = sum(price.offer["is_on_special"] for _, price in offers.values())
            store = self.world.store(chain, store_code)
            figures = (counts.get("listings"), len(offers), specials, sum((counts.get("drops") or {}).values()))
            table.add_row(
                text(chain),
                text(f"{store_code} {store.name if store else ''}"),
                text(run.status, "green" if run.status == "complete" else "bold red"),
                *(f"{figure or 0:,}" for figure in (*figures, counts.get("requests"))),
                f"{seconds[chain, store_code]:.1f}",
            )
        console.print(table)

    def show_drops(self, console: Console, keys: Sequence[Key]) -> None:
        """Rows that were dropped or repaired, by chain and reason."""
        drops: Counter[tuple[str, str]] = Counter()
        for chain, store_code in keys:
            run = self.run(chain, store_code)
            for reason, count in ((run.counts or {}).get("drops") or {}).items() if run else ():
                drops[chain, reason] += count
        table = Table("chain", "stage/event", title="Rows dropped or repaired", title_justify="left")
        table.add_column("rows", justify="right")
        for (chain, reason), count in sorted(drops.items()):
            table.add_row(text(chain), text(reason), f"{count:,}")
        console.print(table if drops else "No row was dropped or repaired.")

    def show_specials(self, console: Console, keys: Sequence[Key]) -> None:
        """The deepest specials of the first store of each chain."""
        table = Table("chain", "product", "size", title="The deepest specials", title_justify="left")
        for name in ("price", "was", "unit price"):
            table.add_column(name, justify="right")
        for chain, store_code in {chain: (chain, store_code) for chain, store_code in reversed(keys)}.values():
            with self.engine.connect() as connection:
                every = [(listing, row.offer) for listing, row in oracle.offers(connection, chain, store_code).values()]
            offers = [(listing, offer) for listing, offer in every if offer["is_on_special"]]
            offers.sort(key=lambda pair: pair[1]["price_cents"] / pair[1]["was_price_cents"])
            for listing, offer in offers[:BEST]:
                price, was = dollars(offer["price_cents"]), dollars(offer["was_price_cents"])
                unit = (
                    f"${offer['unit_price_e4'] / 1e4:,.2f}/{offer['unit_of_measure']}" if offer["unit_price_e4"] else ""
                )
                named = (chain, listing.name[:50], listing.size or "", price, was, unit)
                table.add_row(*map(text, named))
        console.print(table)

    def show_truth(self, console: Console, keys: Sequence[Key]) -> int:
        """Compares every price with the sandbox's; returns how many differ."""
        compared, wrong = 0, []
        for chain, store_code in keys:
            truth = oracle.offered(self.world, chain, store_code, self.day)
            found = oracle.stored(self.engine, chain, store_code)
            wrong += [f"{chain} {store_code} {line}" for line in oracle.differences({}, found, truth)]
            compared += len(truth)
        verdict = "all equal" if not wrong else f"{len(wrong):,} differ"
        line = f"Compared with the sandbox, price by price: {compared:,} products, {verdict}"
        console.print()
        console.print(text(line, "bold red" if wrong else "green"))
        for difference in wrong[:10]:
            console.print(text(f"  {difference}"))
        return len(wrong)

    def show_soundness(self, console: Console) -> int:
        """Checks every invariant of the database; returns how many are broken."""
        with self.engine.connect() as connection:
            broken = list(check(connection))
        for one in broken:
            console.print(text(f"{one.check}: {one.promise}; broken {one.count} times", "bold red"))
        if not broken:
            console.print("Every invariant of the database holds (scripts/check_database.py).")
        return len(broken)
