"""Offers: unit prices, multibuys, and what a quantity costs."""
