"""A statistics collector for stages that run without a crawler."""

from collections import Counter


class Tally:
    def __init__(self):
        self.counts = Counter()

    def inc_value(self, key, count=1, start=0):
        self.counts[key] += count

    def short(self):
        """The counts by `<stage>/<event>`."""
        return {key.removeprefix("splitcart/"): count for key, count in self.counts.items()}
