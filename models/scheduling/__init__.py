"""Stores handed out to crawls: the facts that the rule reads, the lease of a store, and the views for operators."""
