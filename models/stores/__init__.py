"""Companies and their stores: creation, locks and look-ups."""
