"""Clocks that are wrong: noticed before a run is dated, and healed after."""
