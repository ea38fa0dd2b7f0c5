"""What a worker reports: each event as a plain line, as a line of JSON, or in a table on a terminal."""

import os
from collections.abc import Callable
from datetime import datetime
from typing import Any

from _support.output import print_json, say
from _support.schedule import short

from models.database.retry import original
from models.database.secrets import without_secrets
from splitcart.scheduling.rule import REASONS

Tell = Callable[..., None]


def shown(fields: dict[str, Any]) -> dict[str, Any]:
    """An event's fields as JSON has them: times as ISO text, an error in words, nothing secret."""
    return {name: _value(each) for name, each in fields.items()}


def _value(each: Any) -> Any:
    if isinstance(each, datetime):
        return each.isoformat()
    if isinstance(each, BaseException):
        lines = (str(original(each)).strip() or type(each).__name__).splitlines()
        return without_secrets(f"{type(each).__name__}: {lines[0]}", os.environ.get("DATABASE_URL", ""))
    return each


def as_json(company: str, clock: Callable[[], datetime]) -> Tell:
    """One JSON object a line: at, event, company, and the event's own fields."""

    def tell(event: str, **fields: Any) -> None:
        print_json({"at": clock().isoformat(), "event": event, "company": company} | shown(fields))

    return tell


def as_lines(clock: Callable[[], datetime]) -> Tell:
    """One line an event, with its time."""

    def tell(event: str, **fields: Any) -> None:
        first, *more = in_words(event, shown(fields))
        say(f"{short(clock())}  {first}", *(f"    {line}" for line in more))

    return tell


def in_words(event: str, told: dict[str, Any]) -> list[str]:
    """An event, as `shown` gives it, in a line or more."""
    return WORDS[event](told)


def name_of(told: dict[str, Any]) -> str:
    """What a crawl is of."""
    if told["store_id"] == "*":
        return "the locator"
    probe = f", a probe of {told['probe']} pages" if told.get("probe") else ""
    return f"store {told['store_id']}{probe}"


def _crawling(told: dict[str, Any]) -> list[str]:
    called = f" ({told['store_name']})" if told["store_name"] else ""
    return [f"crawling {name_of(told)}{called}; log: {told['log']}"]


def outcome(told: dict[str, Any]) -> str:
    """What became of a crawl, without its name."""
    counts = [f"{told[name]} {name}" for name in ("listings", "requests") if told[name] is not None]
    changed = [f"{n} {name}" for name, n in (told["changes"] or {}).items() if n and name != "unchanged"]
    more = [part for part in (told["told"],) if part]
    if told["status"] == "running":
        more.append("its process is gone: its lease dies, and the store is offered again after its delay")
    return ", ".join([f"{told['status']} ({told['reason'] or 'no reason'})", *counts, *changed, *more])


def _crawled(told: dict[str, Any]) -> list[str]:
    first = f"{name_of(told)}: {outcome(told)}, {told['seconds']} s, run {told['run']}"
    return [first] if told["status"] == "complete" else [first, f"log: {told['log']}"]


def _not_begun(told: dict[str, Any]) -> list[str]:
    why = told["told"] or f"exit code {told['code']}"
    return [f"{name_of(told)}: no run was opened: {why}", *([f"log: {told['log']}"] if told["log"] else [])]


def _idle(told: dict[str, Any]) -> list[str]:
    reasons = [f"{count} {reason}: {REASONS[reason]}" for reason, count in told["reasons"].items()]
    free = told["next_free_at"]
    when = f"the next frees at {_short(free)}" if free else "none will free by itself"
    return [f"no store is offered; {when}; asking again at {_short(told['until'])}", *reasons]


def _stopping(told: dict[str, Any]) -> list[str]:
    held = [f"store {store}" if store != "*" else "the locator" for store in told["in_hand"]]
    held += ["a merge of groups"] if told["merging"] else []
    if not held:
        return [f"asked to stop by {told['why']}"]
    return [f"asked to stop by {told['why']}: finishing {', '.join(held)}; a second signal breaks off"]


def _breaking_off(told: dict[str, Any]) -> list[str]:
    return [f"asked again to stop: breaking off {', '.join(told['in_hand']) or 'nothing'}"]


def _merged(told: dict[str, Any]) -> list[str]:
    return [
        f"groups merged: {told['groups_before']} before, {told['groups_after']} after ({told['merged']} merged, "
        f"{told['ejected']} ejected, {told['put_off']} put off); {told['slots']} slots built"
    ]


def _short(when: str | None) -> str:
    return short(datetime.fromisoformat(when) if when else None)


WORDS: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "started": lambda told: [f"working on {told['name']}, policy {told['policy']}; logs: {told['logs']}"],
    "crawling": _crawling,
    "crawled": _crawled,
    "not_begun": _not_begun,
    "idle": _idle,
    "merging": lambda _: ["merging groups"],
    "merged": _merged,
    "not_merged": lambda told: [f"groups were not merged: {told['error']}; crawling goes on"],
    "node": lambda told: [told["told"]],
    "stopping": _stopping,
    "breaking_off": _breaking_off,
    "ended": lambda told: [f"ended with {told['code']}: {told['why']}"],
}
"""Each event that there is, in words."""
