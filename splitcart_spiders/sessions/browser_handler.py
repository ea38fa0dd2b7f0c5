"""The browser's download handler; what it asks without a browser is verified as everything else. Loads playwright."""

from scrapy_playwright.handler import ScrapyPlaywrightDownloadHandler

from splitcart_spiders.downloads.tls import Verifying


class BrowserHandler(Verifying, ScrapyPlaywrightDownloadHandler):
    """The browser verifies certificates itself."""
