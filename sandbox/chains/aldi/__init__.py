"""The stand-in for ALDI."""
