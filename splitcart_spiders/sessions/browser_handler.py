"""The browser's download handler; its requests without a browser are verified as all others are. Loads playwright."""

from scrapy_playwright.handler import ScrapyPlaywrightDownloadHandler

from splitcart_spiders.downloads.tls import Verifying


class BrowserHandler(Verifying, ScrapyPlaywrightDownloadHandler):
    """The browser verifies certificates itself."""
