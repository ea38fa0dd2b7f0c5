"""Crawls while things go wrong; `make chaos`."""
