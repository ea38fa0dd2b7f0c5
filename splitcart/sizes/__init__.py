"""Sizes: the amount, count and unit of a pack, read from texts."""
