"""One product spider and one store locator a chain."""
