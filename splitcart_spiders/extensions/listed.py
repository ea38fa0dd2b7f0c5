"""Before a store is crawled: whether the chain's locator lists it, and what accepting another store's answer means."""

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

    One that a scheduler handed out, or the operator vouches for (`-a unlisted=1`), is crawled without being asked of.
    """
    if spider.accept_fulfilment:
        say_what_is_learnt(spider)
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


def say_what_is_learnt(spider: ChainSpider) -> None:
    """What `--accept-fulfilment` remembers, and how to take it back."""
    back = f"python scripts/forget_fulfilment.py --company {spider.chain.SLUG} --store {spider.store_code}"
    logger.info(
        "accepting another store's answer: once this run publishes, that store is remembered as the one which fulfils "
        "%s, and later crawls accept it unasked. To take it back: %s",
        spider.store_code,
        back,
    )
