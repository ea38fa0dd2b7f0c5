"""The stand-in storefronts, a folder each."""
