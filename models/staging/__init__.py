"""What a run saw, kept apart until it is published."""
