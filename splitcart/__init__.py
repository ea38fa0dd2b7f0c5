"""The rules of SplitCart: pure functions and dataclasses; no Scrapy, no SQLAlchemy, no I/O."""
