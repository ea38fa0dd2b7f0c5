"""What can end a crawl. Each class states what raises it and what the operator should do."""

from typing import TypeGuard


class CrawlError(Exception):
    """Base of the tree; never raised itself. `reason` is written to the run row, `remedy` to the log."""

    reason = "failed"
    remedy = "Read the log above this line."
    breaks_off = False
    """Whether the crawl ends without waiting for answers under way."""


class BlockedError(CrawlError):
    """Raised when the site denies a request (denial, interstitial or challenge page, any status), or its robots.txt
    does."""

    reason = "blocked"
    remedy = (
        "Stop crawling this chain for a while; lower HOST_RATE; check robots.txt and CONTACT. Nothing was published."
    )


class StoreMismatch(CrawlError):
    """Raised when the site answers for another store than asked."""

    reason = "store_mismatch"
    remedy = "The store may be fulfilled by another: check, then pass --accept-fulfilment. Nothing was published."


class NetworkDown(CrawlError):
    """Raised when every retry of a request failed before a byte came from the host."""

    reason = "network_down"
    remedy = "Check this machine's network and DNS, then crawl again. Nothing was published."


class SandboxMissing(NetworkDown):
    """Raised with `-a dev=1` when nothing listens at DEV_BASE_URL, before it has answered anything. Not retried."""

    remedy = (
        "Start the sandbox (python scripts/sandbox.py --port 8000), or set DEV_BASE_URL to where it listens. "
        "Nothing was published."
    )


class CertificateRefused(CrawlError):
    """Raised when a host's certificate is not trusted, not valid now, or not that host's. Never retried."""

    reason = "certificate_refused"
    remedy = (
        "Check this machine's clock and its CA certificates (Debian: ca-certificates; SSL_CERT_FILE names another "
        "file); else something between here and the site answers for it. Nothing was published."
    )


class LeftHosts(CrawlError):
    """Raised when an answer, or a request made from one, leads to an address that is not the chain's own."""

    reason = "left_hosts"
    remedy = (
        "Open the first address in a browser: if the chain has moved, the spider must name the new host (hosts). "
        "The second address was not requested, and nothing was published."
    )


class CatalogueError(CrawlError):
    """Raised for an impossible answer: a total above 0 without rows, a page that repeats before the total, a cap."""

    reason = "catalogue_error"
    remedy = "The site's shape may have changed: replay a saved body with scripts/replay.py."
    status: int | None = None
    """The error status of the last try, if that is the cause."""


class UnreadableTree(CatalogueError):
    """Raised when a store's categories cannot be read: without them nothing can be crawled."""

    remedy = (
        "Check that the chain has this store (scrapy crawl CHAIN_stores finds its stores, scripts/inspect_stores.py "
        "lists them). If it has, the site's shape may have changed: replay a saved body with scripts/replay.py."
    )


class UnknownCategory(CatalogueError):
    """Raised when `-a categories=` names a category that the store's tree does not have."""

    remedy = "Name a category as the tree does, by its name, slug or key, or leave -a categories= out."


class StoreLost(CrawlError):
    """Raised by the run's heartbeat when another run has taken the run or its store, or one of their rows is gone."""

    reason = "lease_lost"
    remedy = "Nothing was published. Look into crawl_runs for the run that has the store now, or crawl again."
    breaks_off = True


class DatabaseLost(CrawlError):
    """Raised by the run's heartbeat when the database did not answer while the lease lasted, or its file is gone."""

    reason = "database_lost"
    remedy = "Nothing was published. Bring the database back, then crawl again, with -a resume=1 within 6 hours."
    breaks_off = True


class BrowserMissing(CrawlError):
    """Raised when a session must be opened in a browser and none can be started."""

    remedy = (
        "If scrapy-playwright is missing, install the extra `coles` (pip install -r requirements-coles.txt). If "
        "Chromium is missing, install it (Debian: apt-get install chromium), set CHROMIUM to its path, or run "
        "`playwright install chromium`. Nothing was published."
    )


def ends_crawl(error: object) -> TypeGuard[CrawlError]:
    """Whether an error of a request ends the crawl; a CatalogueError costs its category at most."""
    return isinstance(error, CrawlError) and not isinstance(error, CatalogueError)
