"""What a crawl run was: its facts, the proof of its coverage, and the verdict."""
