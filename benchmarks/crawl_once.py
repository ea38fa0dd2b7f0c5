"""One crawl in a process of its own, so that its peak memory is its own; prints one JSON object.

python -m benchmarks.crawl_once SANDBOX_URL DATABASE_URL STORE full|off
"""

import json
import resource
import sys

from scrapy.crawler import CrawlerProcess
from scrapy.utils.project import get_project_settings

BARE = {
    "ITEM_PIPELINES": {},
    "EXTENSIONS": {"splitcart_spiders.extensions.run.RunExtension": None},
}


def main(sandbox_url: str, database_url: str, store: str, mode: str) -> None:
    """Crawl one Woolworths store; `off` runs the same spider without pipelines, run and database."""
    settings = get_project_settings()
    settings.setdict({"DEV_BASE_URL": sandbox_url, "DATABASE_URL": database_url, "LOG_LEVEL": "ERROR"}, "cmdline")
    if mode == "off":
        settings.setdict(BARE, "cmdline")
    process = CrawlerProcess(settings)
    crawler = process.create_crawler("woolworths")
    process.crawl(crawler, store=store, dev="1")
    process.start()
    stats = crawler.stats.get_stats()
    figures = {
        "items": stats.get("item_scraped_count", 0) + stats.get("item_dropped_count", 0),
        "seconds": stats["elapsed_time_seconds"],
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "status": stats.get("splitcart/run/status"),
        "reason": stats.get("splitcart/run/reason"),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(*sys.argv[1:])
