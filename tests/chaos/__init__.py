"""Crawls while faults happen; `make chaos`."""
