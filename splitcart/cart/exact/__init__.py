"""The search for the cheapest split: bounds over sets of stores, exact assignments of lines, and the proof."""
