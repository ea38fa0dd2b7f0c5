"""Which store is crawled next, and why the others are not."""
