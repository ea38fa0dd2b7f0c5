"""A stand-in for the four storefronts with known truth and switchable faults.

It imports none of the project's other packages: it must not share a parser with what it tests.
"""
