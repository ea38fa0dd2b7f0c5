"""Sessions that begin in a browser, and their cookies."""
