"""Crawls a sandbox while faults happen, and checks that the database stays true. The rounds are in tests/chaos."""

import sys
from importlib import import_module

import _path

main = import_module("tests.chaos.__main__").main

if __name__ == "__main__":
    sys.exit(main())
