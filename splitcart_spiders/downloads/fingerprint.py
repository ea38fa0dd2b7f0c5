"""Fingerprints by store: requests of two stores differ, even if only a cookie or a body distinguishes them."""

import hashlib
from typing import Self
from weakref import WeakKeyDictionary

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.utils.request import fingerprint

from splitcart_spiders.storefront import StorefrontSpider


class StoreRequestFingerprinter:
    """Scrapy's fingerprint and the store: `request.meta["store"]`, else the spider's store_code."""

    def __init__(self, crawler: Crawler | None = None) -> None:
        self.crawler = crawler
        self._known: WeakKeyDictionary[Request, bytes] = WeakKeyDictionary()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def fingerprint(self, request: Request) -> bytes:
        """20 bytes; equal for requests that ask the same of the same store."""
        if request not in self._known:
            spider = self.crawler.spider if self.crawler else None
            store = request.meta.get("store") or (spider.store_code if isinstance(spider, StorefrontSpider) else "")
            digest = hashlib.sha1(fingerprint(request) + b"\0" + str(store).encode(), usedforsecurity=False)
            self._known[request] = digest.digest()
        return self._known[request]
