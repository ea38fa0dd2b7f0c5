"""The search for the cheapest split: bounds of sets of stores, exact assignments of lines, and the proof."""
