"""Passes rows from the last pipeline to the writer thread, and counts how many have arrived."""

import asyncio
from collections.abc import Callable
from typing import Any

from models.staging.writer import StagingWriter, Totals
from splitcart.runs.verdict import Category
from splitcart_spiders.crawl.chain_spider import ChainSpider
from splitcart_spiders.crawl.fields import is_campaign
from splitcart_spiders.items import BarcodeItem, StoreItem


class Staging:
    """The rows of one run: begun when the run is open, ended by the last pipeline."""

    def __init__(self) -> None:
        self.spider: ChainSpider | None = None
        self.writer: StagingWriter | None = None
        self.totals: Totals | None = None
        """How many rows were accepted, staged and quarantined; None until the end."""
        self.barcodes: dict[str, str | None] = {}
        """Barcodes of product pages, by sku; None: the page has none."""
        self.processed = 0
        """Items that left the pipelines so far."""
        self.unnamed = 0
        """Rows without a name whose sku is not known either: counted, not staged."""
        self.known_skus: Callable[[], frozenset[str]] = frozenset
        """Reads the skus of the company's listings."""
        self.known: frozenset[str] | None = None
        """Those skus; read when the first row without a name arrives."""
        self.ending: tuple[int | None, list[Category]] = (None, [])
        """Rows accepted by the last heartbeat, and the categories whose rows were all among them."""

    def begin(self, spider: ChainSpider, writer: StagingWriter, known_skus: Callable[[], frozenset[str]]) -> None:
        """Start the writer; call it on the event loop."""
        self.spider, self.writer, self.known_skus = spider, writer, known_skus
        writer.start()

    @property
    def errors(self) -> list[str]:
        """Why the writer gave up, if it did."""
        return [self.totals.error] if self.totals and self.totals.error else []

    async def stage(self, row: dict[str, Any]) -> None:
        """Pass one row to the writer thread; waits while its buffer is full.

        A row without a name is staged for a known listing only, as a sighting.
        """
        assert self.writer is not None
        assert self.spider is not None
        if row["name"] is None and not await self.is_known(row["sku"]):
            self.unnamed += 1
            return
        path = row["category_path"]
        row["is_promo"] = bool(path) and is_campaign(path[0], self.spider.chain.PROMO_ROOTS)
        await self.writer.put(row)

    async def is_known(self, sku: str) -> bool:
        """Whether the company has a listing of the sku."""
        if self.known is None:
            self.known = await asyncio.to_thread(self.known_skus)
        return sku in self.known

    async def stage_barcode(self, item: BarcodeItem) -> None:
        """Keep the barcode of one product page until the rows are resolved to products."""
        self.barcodes[item.sku] = item.gtin

    async def stage_store(self, item: StoreItem) -> None:
        """Raises TypeError: a crawl of one store finds products, not stores."""
        raise TypeError(f"a crawl of one store yielded store {item.store_id}")

    async def end_staging(self) -> None:
        """Write what is buffered; called once, by the last pipeline."""
        if self.writer is not None and self.totals is None:
            self.totals = await self.writer.close()

    def give_up(self, why: str) -> None:
        """Stage nothing more: the run has lost its lease or its database."""
        if self.writer is not None:
            self.writer.give_up(why)

    def item_done(self) -> None:
        """Count an item that left the pipelines (staged, dropped or refused)."""
        self.processed += 1

    def ended_and_staged(self) -> list[Category]:
        """The categories that had ended by the last heartbeat and whose rows the database has by now.

        A resumed run may skip them. Empty for a probe: a page past a category's end ends its walk, and proves nothing.
        """
        assert self.writer is not None
        assert self.spider is not None
        if self.spider.probe:
            return []
        walker, writer = self.spider.walker, self.writer
        accepted, ended = self.ending
        ready = ended if accepted is not None and writer.staged + writer.quarantined >= accepted else []
        self.ending = (None, [])
        if self.processed == walker.yielded:
            closed = (walk.category() for key, walk in walker.walks.items() if key not in walker.unfinished)
            self.ending = (writer.accepted, [category for category in closed if category.failed is None])
        return ready
