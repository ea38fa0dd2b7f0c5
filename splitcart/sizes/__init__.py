"""Sizes: what a text says of amount, count and unit."""
