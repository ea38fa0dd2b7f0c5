"""Checks before a store is crawled: whether the locator lists it, and what accepting another store's answer means."""

import asyncio
import logging

from scrapy.crawler import Crawler
from scrapy.spiderloader import SpiderLoader
from sqlalchemy import Engine

from models.stores.listed import check_listed
from splitcart_spiders.crawl.chain_spider import ChainSpider

logger = logging.getLogger(__name__)


async def check(engine: Engine, crawler: Crawler, spider: ChainSpider) -> None:
    """Raises StoreUnlisted for a store that the last complete locator run does not list.

    A store that a scheduler handed out, or that the operator accepts unlisted (`-a unlisted=1`), is not looked up.
    """
    if spider.accept_fulfilment:
        log_fulfilment(spider)
    if spider.unlisted or spider.lease:
        return
    slug = spider.chain.SLUG
    if await asyncio.to_thread(check_listed, engine, slug, spider.store_code):
        return
    if f"{slug}_stores" in SpiderLoader.from_settings(crawler.settings).list():
        logger.warning(
            "whether %s has a store %s is not known: no complete run of its locator is stored; scrapy crawl %s_stores",
            spider.chain.COMPANY,
            spider.store_code,
            slug,
        )


def log_fulfilment(spider: ChainSpider) -> None:
    """Log what `--accept-fulfilment` will store, and how to undo it."""
    undo = f"python scripts/forget_fulfilment.py --company {spider.chain.SLUG} --store {spider.store_code}"
    logger.info(
        "accepting another store's answer: once this run publishes, that store is remembered as the one which fulfils "
        "%s, and later crawls accept it without the option. To take it back: %s",
        spider.store_code,
        undo,
    )
