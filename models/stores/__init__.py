"""Companies and their stores: found, created, locked."""
