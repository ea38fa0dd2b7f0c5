"""Checks the promises of the database that no constraint can hold."""
