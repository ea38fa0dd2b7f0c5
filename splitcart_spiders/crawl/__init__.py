"""How a store is crawled: the walk through its categories, with the proof of each."""
