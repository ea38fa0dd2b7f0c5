"""Stores handed out to crawls: what the rule reads, the lease that goes with a store, and what operators look at."""
