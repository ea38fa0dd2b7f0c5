"""Every setting of the project, with its reason. The only place that reads the environment."""

import os

from splitcart_spiders.middlewares import ORDER, SPIDER_ORDER

BOT_NAME = "SplitCart"
BOT_VERSION = "0.1"
SPIDER_MODULES = ["splitcart_spiders.spiders"]
NEWSPIDER_MODULE = "splitcart_spiders.spiders"
# The project's `crawl` command turns the run's verdict into the exit code; scrapyd runs the same command.
COMMANDS_MODULE = "splitcart_spiders.commands"

# Where prices are kept; without it models.database.engine.url_from names a SQLite file in the user's data folder.
DATABASE_URL = os.environ.get("DATABASE_URL")
XDG_DATA_HOME = os.environ.get("XDG_DATA_HOME")
# Where `-a dev=1` sends every request: the sandbox.
DEV_BASE_URL = os.environ.get("DEV_BASE_URL") or "http://127.0.0.1:8000"

# The contact for a site's operator; part of the User-Agent.
CONTACT = os.environ.get("SPLITCART_CONTACT") or "not set"
# None: polite outside dev only. 1 turns the manners on in dev too; 0 turns nothing off outside dev.
POLITE = None
# Requests a second and host, for the whole fleet; a run's lease carries its share.
HOST_RATE = 1.0
# Requests under way to a host at once. When a block comes at most one other has left; the rate holds up to 2 s latency.
HOST_IN_FLIGHT = 2
# `allow` crawls although robots.txt was denied, blocked or unreachable: the operator's decision.
ROBOTS_UNAVAILABLE = "stop"
# Coles' session begins in Chromium: this one, else one on PATH, else playwright's own.
# None: in dev a plain request where none is found; True always wants one, False never.
CHROMIUM = os.environ.get("CHROMIUM")
BROWSER = None
# Where its cookies are kept (None: the user's cache folder), and for how many seconds they are offered again.
SESSION_DIR = None
SESSION_MAX_AGE = 3600
# Scrapy's own jitter and robots middleware would break the promises of ours.
DOWNLOAD_DELAY = 0
DOWNLOAD_DELAY_JITTER = 0
ROBOTSTXT_OBEY = False
RETRY_TIMES = 4
RETRY_BACKOFF = 2.0
CONCURRENT_REQUESTS = 16
CONCURRENT_REQUESTS_PER_DOMAIN = 16
DOWNLOAD_TIMEOUT = 60
# The largest honest body is a category page of about 3 MB.
DOWNLOAD_MAXSIZE = 16 * 1024 * 1024
DOWNLOAD_WARNSIZE = 0
# Breaks off downloads when the run has lost its store.
DOWNLOADER = "splitcart_spiders.downloads.downloader.GatedDownloader"
# This handler verifies certificates, whatever the setting below it is. No other scheme is used.
_HTTP = "splitcart_spiders.downloads.tls.VerifyingHandler"
DOWNLOAD_HANDLERS = {"http": _HTTP, "https": _HTTP, "data": None, "file": None, "ftp": None, "s3": None}
DOWNLOAD_VERIFY_CERTIFICATES = True
# Redirects are followed on the chain's own hosts only; a meta refresh is not followed.
REDIRECT_MAX_TIMES = 10
METAREFRESH_ENABLED = False
# Requests of two stores that differ only in a cookie are two requests.
REQUEST_FINGERPRINTER_CLASS = "splitcart_spiders.downloads.fingerprint.StoreRequestFingerprinter"

# A store is held while its lease lives; a killed crawl frees it after LEASE_SECONDS at the latest.
LEASE_SECONDS = 120
HEARTBEAT_SECONDS = 30
# A store that was handed out is not offered again for so long, unless its crawl fails.
SCHEDULE_LOCKOUT_HOURS = 4
# How long a store waits after its crawl failed; doubled with each further failure, a day at most.
SCHEDULE_FAILURE_MINUTES = 10
# A worker locates a company's stores when its last complete locator run is older; one that failed is tried again after.
LOCATE_DAYS = 7
LOCATE_AGAIN_HOURS = 6
# A worker merges a company's groups when a complete run has ended since the last merge, at most so often.
MERGE_MINUTES = 30
# A locator run has no heartbeat; the longest makes some 2,000 requests at one a second.
LOCATOR_LEASE_SECONDS = 2 * 3600
# Seconds by which a rehearsal's clock is ahead: with `-a dev=1` (scripts: `--dev`) only, so that the sandbox's days are
# days to a run too. By environment it holds for a worker and its crawls.
CLOCK_AHEAD = os.environ.get("CLOCK_AHEAD") or 0
# A clock that is further ahead of the latest time in the database opens no run, unless with `-a clock=trust`.
CLOCK_MOST_DAYS = 400
# Arguments of splitcart.runs.verdict.Gates that replace its defaults.
RUN_GATES: dict[str, float] = {}
# Rows of a market's other sellers are dropped and counted unless this is set.
KEEP_MARKETPLACE = False

EXTENSIONS = {
    # Connected first, so that the first line is logged before the database is waited for.
    "splitcart_spiders.extensions.progress.ProgressExtension": 890,
    # Opened after every other extension is connected, so that its verdict comes last.
    "splitcart_spiders.extensions.run.RunExtension": 900,
    "splitcart_spiders.extensions.stores.StoresExtension": 900,
    # A rehearsal without a sandbox ends before its first request.
    "splitcart_spiders.extensions.sandbox_there.SandboxThereExtension": 905,
    # Reads the run that one of those two opened.
    "splitcart_spiders.extensions.run_share.ShareExtension": 910,
}
# Every stage takes only the item, so Scrapy's support for stages that take the spider is left out.
ITEM_PROCESSOR = "splitcart_spiders.item_processor.StageRunner"
ITEM_PIPELINES = {
    # Later stages need not check whether a field is there, or its type.
    "pipelines.validate.ValidatePipeline": 100,
    # Texts are compared from here on: white space in one spelling, valid GTINs only.
    "pipelines.clean.CleanPipeline": 200,
    # Specials and multibuys follow from prices that are known to be sane.
    "pipelines.price.PricePipeline": 300,
    # Needs the price and the size, to check the shelf's number against them.
    "pipelines.unit_price.UnitPricePipeline": 400,
    # Compares what would be stored, so it comes after every repair.
    "pipelines.duplicates.DuplicatesPipeline": 600,
    # Only what survived is staged.
    "pipelines.unit_of_work.UnitOfWorkPipeline": 900,
}
# Each number has its reason where the middlewares are.
DOWNLOADER_MIDDLEWARES = ORDER
SPIDER_MIDDLEWARES = SPIDER_ORDER

# A telnet console and a remote control would give others access.
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False
FEED_EXPORT_ENCODING = "utf-8"
# One row a sku, the one that publishing would choose; a name that begins with = is a formula to a spreadsheet.
_LINES = "splitcart_spiders.exporters.JsonLines"
FEED_EXPORTERS = {
    "json": "splitcart_spiders.exporters.Json", "jsonlines": _LINES, "jsonl": _LINES, "jl": _LINES,
    "csv": "splitcart_spiders.exporters.SafeCsv", "xml": "splitcart_spiders.exporters.Xml",
    "marshal": None, "pickle": None,
}  # fmt: skip
# The categories that were walked, after the products.
EXPORT_CATEGORIES = False
FEED_EXPORT_FIELDS = [
    "company", "store_id", "sku", "name", "brand", "gtin", "size", "price_cents", "was_price_cents", "price_basis",
    "typical_grams", "is_estimated", "is_on_special", "is_available", "is_ranged", "unit_price", "unit_of_measure",
    "offer_id", "offer_kind", "multibuy_quantity", "multibuy_total_cents", "member_price_cents",
    "member_multibuy_quantity", "member_multibuy_total_cents", "category_path", "url", "image_url", "sponsored",
    "scraped_at",
]  # fmt: skip
LOG_LEVEL = "INFO"
# Seconds between two lines about the progress of a crawl; 0: none. DEBUG logs each page and item.
PROGRESS_SECONDS = 10
LOGSTATS_INTERVAL = 0
