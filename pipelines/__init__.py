"""Item pipelines: one concern a file, adapters from items to the rules in splitcart."""
