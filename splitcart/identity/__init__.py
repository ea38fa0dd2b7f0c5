"""Which product is this: names, brands and variant words, and the decision about two listings."""
