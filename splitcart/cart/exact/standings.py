"""The best sets of stores so far, and the bounds of those that are undecided.

A value is in cents: the cost of a set's plan, plus `Model.absent` for each line that the set does not fill. `absent` is
more than any plan costs, so that a set which fills more lines has the smaller value.
"""

from dataclasses import dataclass, field

from splitcart.cart.exact.choices import Choice
from splitcart.cart.exact.model import FAR
from splitcart.cart.exact.problem import Stores


@dataclass(order=True, frozen=True, slots=True)
class Candidate:
    """A set of stores with its assignment. The order is by value (cents), then fewer stores, then the smaller
    stores."""

    value: int
    size: int
    stores: Stores
    choices: tuple[Choice, ...] = field(compare=False)


@dataclass(slots=True)
class Standing:
    """The two best sets of at most some number of stores, and the bounds of undecided sets."""

    best: Candidate | None = None
    second: Candidate | None = None
    undecided: list[int] = field(default_factory=list)
    """Lower bounds of the values of undecided sets."""

    def offer(self, candidate: Candidate) -> None:
        if self.best is not None and candidate.stores == self.best.stores:
            self.best = min(self.best, candidate)
        elif self.best is None or candidate < self.best:
            self.best, self.second = candidate, self.best
        elif self.second is None or candidate < self.second or candidate.stores == self.second.stores:
            self.second = candidate

    def limit(self, absent: int, size: int, stores: Stores) -> int:
        """The value below which a set matters, as the best or as a runner-up that fills as many lines as the best."""
        if self.best is None:
            return FAR
        as_many = (self.best.value // absent + 1) * absent
        runner_up = as_many if self.second is None else min(as_many, self.second.value)
        first = self.best.value + ((size, stores) < (self.best.size, self.best.stores))
        return max(runner_up, first)

    @property
    def is_proven(self) -> bool:
        """Whether no undecided set can be better than the best."""
        return not any(self.best is None or value < self.best.value for value in self.undecided)
