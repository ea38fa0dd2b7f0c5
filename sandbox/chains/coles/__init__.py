"""The stand-in for Coles."""
