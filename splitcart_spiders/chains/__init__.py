"""One mapping a chain: raw record -> ProductItem or Drop."""
