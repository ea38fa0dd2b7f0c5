"""The last lines of a crawl: how it ended and why, what it found and changed, how long it took, what to do next."""

from datetime import datetime

from scrapy import Spider
from scrapy.crawler import Crawler

from models.publishing.publish import Published
from models.publishing.stores import Located
from splitcart.runs.verdict import Verdict, confirm_time
from splitcart_spiders.advice import next_step
from splitcart_spiders.crawl.chain_spider import ChainSpider
from splitcart_spiders.middlewares import chain_of
from splitcart_spiders.middlewares.gate import Gate

NEXT = "next:"
EXPLAINED = {"requested": ": only a part of the store was asked for", "shutdown": ": it was interrupted"}
"""What a reason that is a bare code means."""
Changed = Published | Located | None
"""What a run changed; None: nothing."""


def lines(crawler: Crawler, status: str, reason: str, judged: Verdict | None, changed: Changed) -> list[str]:
    """The lines; the first states how it ended, the last what to do. judged: None if no run was opened or judged."""
    spider = crawler.spider
    assert spider is not None
    error = Gate.of(crawler).error
    why = "" if reason in ("finished", status) else f": {reason}{EXPLAINED.get(reason, '')}"
    why += f": {error}" if error and str(error) not in reason else ""
    details = [_found(crawler, changed), *_walked(spider), _spent(crawler)] if judged else []
    return [f"{status}: {name_of(spider)}{why}", *details, *_next(crawler, status, reason, judged)]


def name_of(spider: Spider) -> str:
    """What is crawled, as messages name it."""
    return f"{chain_of(spider)} store {spider.store_code}" if isinstance(spider, ChainSpider) else spider.name


def _found(crawler: Crawler, changed: Changed) -> str:
    if isinstance(changed, Located):
        return (
            f"stores: {changed.found:,} found, {changed.new:,} new, {changed.changed:,} changed, "
            f"{changed.missed:,} missing, {changed.closed:,} closed"
        )
    if isinstance(changed, Published):
        seen = changed.inserted + changed.updated + changed.unchanged
        return (
            f"products: {seen:,} with a price, {changed.inserted:,} new, {changed.updated:,} changed, "
            f"{changed.missing:,} missing, {changed.delisted:,} no longer ranged"
        )
    assert crawler.stats is not None
    return f"items: {crawler.stats.get_value('item_scraped_count', 0):,} seen, nothing published"


def _walked(spider: Spider) -> list[str]:
    if not isinstance(spider, ChainSpider):
        return []
    walks = [walk.category() for walk in spider.walker.walks.values()]
    failed = sum(category.failed is not None for category in walks)
    before = len(spider.walker.proven_before)
    resumed = f", {before} proven before" if before else ""
    return [f"categories: {len(walks)} walked{resumed}, {failed} failed"]


def _spent(crawler: Crawler) -> str:
    assert crawler.stats is not None
    begun: datetime | None = crawler.stats.get_value("start_time")
    requests = crawler.stats.get_value("downloader/request_count", 0)
    seconds = (datetime.now(begun.tzinfo) - begun).total_seconds() if begun else 0.0
    return f"time: {seconds:,.1f} s, {requests:,} requests, {requests / max(seconds, 0.1):.1f} a second"


def _next(crawler: Crawler, status: str, reason: str, judged: Verdict | None) -> list[str]:
    spider = crawler.spider
    assert spider is not None
    values = {"spider": spider.name, "slug": chain_of(spider), "store": ""}
    if isinstance(spider, ChainSpider):
        values["store"] = spider.store_code
    if judged and (when := confirm_time(judged)):
        values["confirm_at"] = f"{when:%Y-%m-%d %H:%M} UTC"
    error = Gate.of(crawler).error
    step = error.remedy if error else next_step(status, reason, values)
    return [f"{NEXT} {step}"] if step else []
