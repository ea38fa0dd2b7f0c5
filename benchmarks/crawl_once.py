"""One crawl as its own process, so that the peak memory is the crawl's; prints one JSON object.

python -m benchmarks.crawl_once SANDBOX_URL DATABASE_URL STORE full|off
"""

import json
import sys
from pathlib import Path

from scrapy.crawler import CrawlerProcess
from scrapy.utils.project import get_project_settings

BARE = {
    "ITEM_PIPELINES": {},
    "EXTENSIONS": {"splitcart_spiders.extensions.run.RunExtension": None},
}


def peak_mb() -> float:
    """The most memory this process has held. (getrusage's maximum also counts what the parent process held.)"""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


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
        "peak_mb": peak_mb(),
        "status": stats.get("splitcart/run/status"),
        "reason": stats.get("splitcart/run/reason"),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(*sys.argv[1:])
