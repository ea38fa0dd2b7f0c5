"""The events that a worker reports, as plain lines or as lines of JSON. `live` shows them as tables."""

import os
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from _support.output import print_json, print_lines
from _support.schedule import short

from models.database.retry import original
from models.database.secrets import without_secrets
from splitcart.runs.verdict import EVERY_STORE
from splitcart.scheduling.rule import REASONS

Fields = dict[str, Any]


class Report(Protocol):
    """Reports one event with its fields; docs/scheduling.md lists the events."""

    def __call__(self, event: str, **fields: Any) -> None: ...


def shown(fields: Fields) -> Fields:
    """The fields of an event for output: times as ISO text, an error as text without secrets."""
    return {name: _value(each) for name, each in fields.items()}


def _value(each: Any) -> Any:
    if isinstance(each, datetime):
        return each.isoformat()
    if isinstance(each, BaseException):
        lines = (str(original(each)).strip() or type(each).__name__).splitlines()
        return without_secrets(f"{type(each).__name__}: {lines[0]}", os.environ.get("DATABASE_URL", ""))
    return each


def as_json(company: str, clock: Callable[[], datetime]) -> Report:
    """Reports each event as a line of JSON: at, event, company, and the event's own fields."""

    def report(event: str, **fields: Any) -> None:
        print_json({"at": clock().isoformat(), "event": event, "company": company} | shown(fields))

    return report


def as_lines(clock: Callable[[], datetime]) -> Report:
    """Reports each event with its time, in one line or more."""

    def report(event: str, **fields: Any) -> None:
        first, *more = in_words(event, shown(fields))
        print_lines(f"{short(clock())}  {first}", *(f"    {line}" for line in more))

    return report


def in_words(event: str, fields: Fields) -> list[str]:
    """An event as one or more lines of text; `fields` as `shown` returns them."""
    return WORDS[event](fields)


def name_of(fields: Fields) -> str:
    """What an event's crawl reads: `store ID` or `the locator`."""
    if fields["store_id"] == EVERY_STORE:
        return "the locator"
    probe = f", a probe of {fields['probe']} pages" if fields.get("probe") else ""
    return f"store {fields['store_id']}{probe}"


def _crawling(fields: Fields) -> list[str]:
    called = f" ({fields['store_name']})" if fields["store_name"] else ""
    return [f"crawling {name_of(fields)}{called}; log: {fields['log']}"]


def outcome(fields: Fields) -> str:
    """How a crawl ended: status, reason, counts, changes and note."""
    counts = [f"{fields[name]} {name}" for name in ("listings", "requests") if fields[name] is not None]
    changed = [f"{n} {name}" for name, n in (fields["changes"] or {}).items() if n and name != "unchanged"]
    more = [part for part in (fields["told"],) if part]
    if fields["status"] == "running":
        more.append("its process is gone: its lease dies, and the store is offered again after its delay")
    return ", ".join([f"{fields['status']} ({fields['reason'] or 'no reason'})", *counts, *changed, *more])


def _crawled(fields: Fields) -> list[str]:
    first = f"{name_of(fields)}: {outcome(fields)}, {fields['seconds']} s, run {fields['run']}"
    return [first] if fields["status"] == "complete" else [first, f"log: {fields['log']}"]


def _not_begun(fields: Fields) -> list[str]:
    why = fields["told"] or f"exit code {fields['code']}"
    return [f"{name_of(fields)}: no run was opened: {why}", *([f"log: {fields['log']}"] if fields["log"] else [])]


def _idle(fields: Fields) -> list[str]:
    reasons = [f"{count} {reason}: {REASONS[reason]}" for reason, count in fields["reasons"].items()]
    free = fields["next_free_at"]
    when = f"the next frees at {_short(free)}" if free else "none will free by itself"
    return [f"no store is offered; {when}; asking again at {_short(fields['until'])}", *reasons]


def _stopping(fields: Fields) -> list[str]:
    held = [f"store {store}" if store != EVERY_STORE else "the locator" for store in fields["in_hand"]]
    held += ["a merge of groups"] if fields["merging"] else []
    if not held:
        return [f"asked to stop by {fields['why']}"]
    return [f"asked to stop by {fields['why']}: finishing {', '.join(held)}; a second signal breaks off"]


def _breaking_off(fields: Fields) -> list[str]:
    return [f"asked again to stop: breaking off {', '.join(fields['in_hand']) or 'nothing'}"]


def _merged(fields: Fields) -> list[str]:
    return [
        f"groups merged: {fields['groups_before']} before, {fields['groups_after']} after ({fields['merged']} merged, "
        f"{fields['ejected']} ejected, {fields['put_off']} put off); {fields['slots']} slots built"
    ]


def _short(when: str | None) -> str:
    return short(datetime.fromisoformat(when) if when else None)


WORDS: dict[str, Callable[[Fields], list[str]]] = {
    "started": lambda fields: [f"working on {fields['name']}, policy {fields['policy']}; logs: {fields['logs']}"],
    "crawling": _crawling,
    "crawled": _crawled,
    "not_begun": _not_begun,
    "idle": _idle,
    "merging": lambda _: ["merging groups"],
    "merged": _merged,
    "not_merged": lambda fields: [f"groups were not merged: {fields['error']}; crawling goes on"],
    "node": lambda fields: [fields["told"]],
    "stopping": _stopping,
    "breaking_off": _breaking_off,
    "ended": lambda fields: [f"ended with {fields['code']}: {fields['why']}"],
}
"""Every event, and the function that puts its fields in words."""
