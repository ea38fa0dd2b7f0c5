"""The stand-in for Woolworths."""
