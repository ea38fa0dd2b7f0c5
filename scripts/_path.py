"""Puts the checkout on sys.path, so that `python scripts/NAME.py` runs from anywhere."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
