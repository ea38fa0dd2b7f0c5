"""The stand-in for IGA."""
