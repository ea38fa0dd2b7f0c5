"""Owns a locator's run: every store that it finds is written when it ends, in one transaction."""

from dataclasses import asdict
from datetime import datetime
from typing import Any, ClassVar

from scrapy.crawler import Crawler

from models.errors import ClockWrong, SchemaMismatch, StoreHeld
from models.publishing import stores
from models.runs import opening
from models.runs.endings import Ending
from splitcart.runs.verdict import Verdict
from splitcart_spiders.crawl.locator_spider import LocatorSpider
from splitcart_spiders.extensions.owner import RunOwner
from splitcart_spiders.items import BarcodeItem, StoreItem
from splitcart_spiders.middlewares.gate import Gate

LEAST_SHARE = 0.5
"""A run that finds less of the known open stores than this is never complete."""


class FoundStores:
    """The stores of one locator run, kept in memory until it ends: a chain has at most a few thousand."""

    def __init__(self) -> None:
        self.by_code: dict[str, dict[str, Any]] = {}
        """Columns of `stores`, by the chain's own id of the store."""

    async def stage_store(self, item: StoreItem) -> None:
        """Keep one store; the latest item of a store replaces those before."""
        row = asdict(item)
        self.by_code[row.pop("store_id")] = {name: row[name] for name in stores.LOCATED}

    async def stage(self, row: dict[str, Any]) -> None:
        """Raises TypeError: a locator finds stores, not products."""
        raise TypeError(f"a locator yielded product {row.get('sku')}")

    async def stage_barcode(self, item: BarcodeItem) -> None:
        """Raises TypeError: a locator finds stores, not products."""
        raise TypeError(f"a locator yielded the barcode of {item.sku}")

    async def end_staging(self) -> None:
        """Nothing is buffered."""


class StoresExtension(RunOwner[LocatorSpider]):
    """One locator run; its lease is long, for it has no heartbeat."""

    spiders = LocatorSpider
    title = "Locator run"
    lease_setting = "LOCATOR_LEASE_SECONDS"
    refusals: ClassVar = {StoreHeld: "held", SchemaMismatch: "failed", ClockWrong: "failed"}
    staging: FoundStores

    def __init__(self, crawler: Crawler, url: str) -> None:
        super().__init__(crawler, url)
        self.staging = FoundStores()

    def conclude(self, spider: LocatorSpider, reason: str, now: datetime) -> tuple[Verdict, stores.Located | None]:
        """The verdict, and what it changed."""
        assert self.engine is not None
        assert self.run is not None
        judged = self.judge(spider, reason, stores.open_stores(self.engine, self.run.company_id))
        counts = {"unanswered": spider.unanswered[:20], "exceptions": self.exceptions[:10]}
        ending = Ending(verdict=judged, now=now, counts=counts)
        if judged.publishes == "nothing":
            opening.finish(self.engine, self.run, ending)
            return judged, None
        return judged, stores.publish_stores(self.engine, self.run, ending, self.staging.by_code)

    def judge(self, spider: LocatorSpider, reason: str, known: int) -> Verdict:
        """The verdict of a locator run; `known`: how many open stores of the chain are known. Complete only if every
        request was answered and at least LEAST_SHARE of the known stores were found. Failed or blocked: nothing is
        published. Else partial: the stores found are published."""
        found = len(self.staging.by_code)
        figures: dict[str, object] = {"found": found, "known": known}
        if error := Gate.of(self.crawler).error:
            status = "blocked" if error.reason == "blocked" else "failed"
            return Verdict(status, error.reason, "nothing", figures)
        if not found:
            return Verdict("failed", f"no_stores: 0 found, {known} known", "nothing", figures)
        if reason != "finished" or self.exceptions or spider.unanswered:
            why = [*self.exceptions, *spider.unanswered, reason][0]
            return Verdict("partial", f"unanswered: {why}", "seen", figures)
        if found < LEAST_SHARE * known:
            return Verdict("partial", f"too_few_stores: {found} found, {known} known", "seen", figures)
        return Verdict("complete", "finished", "all", figures)
