"""Scrapy's cookies, with the list of public suffixes that comes with its package."""

from collections.abc import Iterable
from http.cookiejar import Cookie

from scrapy import Request
from scrapy.downloadermiddlewares.cookies import CookiesMiddleware as ScrapyCookies
from scrapy.http.cookies import CookieJar
from scrapy.utils.httpobj import urlparse_cached
from tldextract import TLDExtract

_SPLIT = TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)
"""Reads its 10,000 suffixes on first use; all crawls of a process share them."""


class CookiesMiddleware(ScrapyCookies):
    """Scrapy's own fetches the newest list of public suffixes from the internet at the first cookie: a request outside
    the crawl, to a host whose robots.txt was not read, and a delay on a machine without internet."""

    def _process_cookies(self, cookies: Iterable[Cookie], *, jar: CookieJar, request: Request) -> None:
        """Refuse cookies for a public suffix such as com.au, as Scrapy does."""
        host = (urlparse_cached(request).hostname or "").lower()
        if not host:
            return
        for cookie in cookies:
            domain = cookie.domain.removeprefix(".")
            if domain and not _SPLIT(domain).domain:
                if domain != host:
                    continue
                cookie.domain = host
            jar.set_cookie_if_ok(cookie, request)  # type: ignore[arg-type]
