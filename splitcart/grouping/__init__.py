"""Which stores charge the same: comparing, merging and leaving, as pure rules."""
