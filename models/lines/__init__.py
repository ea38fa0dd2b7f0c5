"""What is kept for each line, a listing at a store: ordinals, sightings, fingerprints, and marks for slots."""
