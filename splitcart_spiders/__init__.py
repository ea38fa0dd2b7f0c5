"""The crawl: one spider a chain on a shared base."""
