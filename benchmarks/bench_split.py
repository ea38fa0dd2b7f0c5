"""What the cheapest split costs, compared with the textbook integer programme on HiGHS, and how it grows."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.figures import Figure, row
from splitcart.cart.split import Plan, split
from tests.support import cart_milp, cart_plans, cart_worlds

LINES, MOST = 100, 4
DEADLINE = 10.0
HARD_CASES, HARD_DEADLINE = 1000, 2.0
MILP_SECONDS = 300.0


def planner(document: dict[str, Any], terms: Any, most: int, deadline: float = DEADLINE) -> Callable[[], list[Plan]]:
    """The split of a document that was read before."""
    slots, limits = cart_plans.slots_of(document), cart_plans.terms_of(terms)
    return lambda: split(slots, limits, most, seconds=deadline, now=time.monotonic)


def measured(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of this process, which others on the machine do not lengthen, and the result of the work."""
    began = time.process_time()
    found = work()
    return time.process_time() - began, found


def world_times(stores: int, seeds: range, lines: int = LINES, most: int = MOST) -> tuple[list[float], int]:
    """Seconds of each of some worlds, the better of two, and how many were not proven."""
    times, unproven = [], 0
    for seed in seeds:
        document, terms = cart_worlds.world(seed, lines, stores)
        work = planner(document, terms, most)
        seconds, plans = min((measured(work) for _ in range(2)), key=lambda each: each[0])
        times.append(seconds)
        unproven += not all(plan.is_optimal for plan in plans)
    return times, unproven


def beside_highs() -> Iterator[Figure]:
    """One world solved both ways; the same plan must come out."""
    document, terms = cart_worlds.world(0, 10, 5)
    measured(planner(document, terms, 2))  # imports and first compilations
    document, terms = cart_worlds.world(1, LINES, 20)
    highs, optimum = measured(lambda: cart_milp.optimum(document, terms, MOST, MILP_SECONDS))
    seconds, plans = min((measured(planner(document, terms, MOST)) for _ in range(3)), key=lambda each: each[0])
    if optimum is not None and optimum != (len(plans[-1].lines), plans[-1].total_cents):
        raise AssertionError(f"HiGHS finds {optimum}, the split {len(plans[-1].lines), plans[-1].total_cents}")
    against = f"HiGHS: {highs:.1f} s" + ("" if optimum else ", not finished")
    name = f"split: {LINES} lines x 20 stores, plans for 1 to {MOST}"
    yield row(
        name,
        seconds * 1000,
        "CPU ms",
        against,
        highs / seconds,
        "100 times faster, about 30 ms",
        highs >= 100 * seconds,
    )


def many_stores() -> Iterator[Figure]:
    times, unproven = world_times(40, range(20))
    p50, p95 = (float(np.percentile(times, part)) * 1000 for part in (50, 95))
    name = f"split: {LINES} lines x 40 stores, plans for 1 to {MOST}"
    yield row(f"{name}, p95 of 20", p95, "CPU ms", f"median {p50:.0f} ms", p95 / p50, "about 200 ms", p95 <= 300)
    yield row(f"{name}, not proven", unproven, "of 20", "", None, "0", unproven == 0)


def hard_cases() -> Iterator[Figure]:
    """Random and adversarial lists: none may take longer than its deadline, whatever it asks for."""
    longest, proven = 0.0, 0
    for seed in range(HARD_CASES):
        document, terms, most = cart_worlds.hard_case(seed)
        work = planner(document, terms, most, HARD_DEADLINE)
        began = time.monotonic()
        plans = work()
        longest = max(longest, time.monotonic() - began)
        proven += all(plan.is_optimal for plan in plans)
    against = f"deadline {HARD_DEADLINE:g} s"
    name = f"split: {HARD_CASES} random and adversarial cases"
    yield row(f"{name}, longest", longest, "s", against, longest / HARD_DEADLINE, "at most 1", longest <= HARD_DEADLINE)
    share = proven / HARD_CASES
    yield row(f"{name}, proven", share, "share", "", None, "at least 0.95", share >= 0.95)


def growth() -> Iterator[Figure]:
    """Medians of five worlds each, with the exponent where one size grows."""
    for what, sizes in (("lines", (25, 50, 100, 200)), ("stores", (10, 20, 40, 80)), ("most", (1, 2, 3, 4, 5))):
        medians = []
        for size in sizes:
            known = {"lines": LINES, "stores": 20, "most": MOST} | {what: size}
            times, _ = world_times(known["stores"], range(5), known["lines"], known["most"])
            medians.append(float(np.median(times)) * 1000)
        medians_by_size = ", ".join(f"{size}: {value:.0f}" for size, value in zip(sizes, medians, strict=True))
        exponent = float(np.polyfit(np.log(sizes), np.log(medians), 1)[0])
        named = {"lines": "lines", "stores": "stores", "most": "stores allowed"}[what]
        yield row(
            f"split: growth with {named} (exponent)", exponent, "", f"CPU ms at {medians_by_size}", None, "", None
        )


def run() -> Iterator[Figure]:
    """The rows. Nothing but this process is needed."""
    yield from beside_highs()
    yield from many_stores()
    yield from growth()
    yield from hard_cases()
