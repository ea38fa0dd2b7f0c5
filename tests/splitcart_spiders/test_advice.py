"""What to do after a crawl: every ending names a command, a setting or where to look."""

import json
import shlex

import pytest

from splitcart.runs.facts import Gates
from splitcart_spiders.advice import next_step

KNOWN = {"spider": "iga", "slug": "iga", "store": "7"}


@pytest.mark.parametrize(
    ("status", "reason", "words"),
    [
        ("complete", "finished", "scripts/split_cart.py LIST --stores iga:7"),
        ("partial", "requested", "scrapy crawl iga -a store=7"),
        ("partial", "shutdown", "-a resume=1"),
        ("partial", "closespider_timeout", "-a resume=1"),
        ("partial", "category_failed: a", "-a resume=1"),
        ("partial", "store_short: 3", "a second run at 12 hours from now"),
        ("partial", "crosses_flip: it", "crawl it again"),
        ("partial", "totals_short: 20 of 200", "crawl it again"),
        ("failed", "empty_store: nothing", "open the storefront for store 7"),
        ("failed", "failed: KeyError", "inspect_runs.py --company iga"),
        ("held", "store 7 is held until", "-a wait=1"),
        ("failed", "the run could not be opened: it", ""),
    ],
)
def test_every_ending_has_its_next_step(status, reason, words):
    step = next_step(status, reason, KNOWN)
    assert words in step
    assert bool(step) == bool(words)


def test_a_shortfall_names_the_time_from_which_it_may_be_confirmed():
    assert "2026-06-03 20:00 UTC" in next_step("partial", "turnover: 1", KNOWN | {"confirm_at": "2026-06-03 20:00 UTC"})


@pytest.mark.parametrize(
    ("reason", "gate"),
    [
        ("implausible: median new/old price over 9 known prices is 2.000, expected 0.8 to 1.25", "ratio_high"),
        ("implausible: 8 of 9 known prices changed outside a flip, expected at most 40%", "changed_share"),
        ("implausible: the price or name of 8 of 9 listed rows could not be read, expected", "unreadable_share"),
    ],
)
def test_implausible_prices_name_the_setting_as_it_is_written_and_the_commands(reason, gate):
    step = next_step("failed", reason, KNOWN)
    assert "scripts/replay.py iga" in step
    [setting] = [word for word in shlex.split(step.replace("(", " ")) if word.startswith("RUN_GATES={")]
    assert getattr(Gates.of(json.loads(setting.removeprefix("RUN_GATES="))), gate) != getattr(Gates(), gate)


def test_a_locators_next_step_is_a_store_or_another_run():
    locator = {"spider": "iga_stores", "slug": "iga", "store": ""}
    assert "scrapy crawl iga -a store=ID" in next_step("complete", "finished", locator)
    assert "run it again" in next_step("partial", "unanswered: x", locator)
