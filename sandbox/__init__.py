"""A stand-in for the four storefronts with known truth and switchable faults."""
