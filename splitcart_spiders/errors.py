"""What can end a crawl. Each class says who raises it and what the operator should do."""


class CrawlError(Exception):
    """Base of the tree; never raised itself. `reason` goes to the run row, `remedy` to the log."""

    reason = "failed"
    remedy = "Read the log above this line."


class BlockedError(CrawlError):
    """Raised when the site denies us (denial, interstitial or challenge page, any status), or its robots.txt does."""

    reason = "blocked"
    remedy = (
        "Stop crawling this chain for a while; lower HOST_RATE; check robots.txt and CONTACT. Nothing was published."
    )


class StoreMismatch(CrawlError):
    """Raised when the site answers for another store than asked."""

    reason = "store_mismatch"
    remedy = "The store may be fulfilled by another: check, then pass --accept-fulfilment. Nothing was published."


class NetworkDown(CrawlError):
    """Raised when every retry of a request failed before one byte came from the host."""

    reason = "network_down"
    remedy = "Check this machine's network and DNS, then crawl again. Nothing was published."


class CatalogueError(CrawlError):
    """Raised for an impossible answer: a total above 0 without rows, a page that repeats before the total, a cap."""

    reason = "catalogue_error"
    remedy = "The site's shape may have changed: replay a saved body with scripts/replay.py."
    status: int | None = None
    """The error status that the last try was answered with, where that is the fault."""


class UnknownCategory(CatalogueError):
    """Raised when `-a categories=` names what the store's tree does not have."""

    remedy = "Name a category as the tree does, by its name, slug or key, or leave -a categories= out."


class BrowserMissing(CrawlError):
    """Raised when a session must be opened in a browser and none can be started."""

    remedy = (
        "Install Chromium (Debian: apt-get install chromium), or set CHROMIUM to its path, or run `playwright install "
        "chromium`. Nothing was published."
    )
