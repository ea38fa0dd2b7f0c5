"""What a worker reports: words, JSON and a table, without secrets and without control characters."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from _worker.events import WORDS, as_json, as_lines
from _worker.live import Board, on_terminal
from rich.console import Console

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
CRAWL = {"store_id": "G452", "spider": "aldi", "probe": None}
RUN = {
    "run": 7, "status": "complete", "reason": "finished", "requests": 19, "listings": 56, "seconds": 9.5, "told": "",
    "changes": {"inserted": 56, "updated": 0, "unchanged": 3}, "log": "/logs/a.log",
}  # fmt: skip
EVENTS = [
    ("started", {"name": "aldi", "policy": "oldest", "logs": "/logs"}, "working on aldi, policy oldest; logs: /logs"),
    ("crawling", CRAWL | {"store_name": "Albury", "log": "/l"}, "crawling store G452 (Albury); log: /l"),
    ("crawling", CRAWL | {"store_name": "", "log": "/l", "store_id": "*"}, "crawling the locator; log: /l"),
    ("crawling", CRAWL | {"store_name": "", "log": "/l", "probe": 8}, "crawling store G452, a probe of 8 pages; log"),
    ("crawled", CRAWL | RUN, "store G452: complete (finished), 56 listings, 19 requests, 56 inserted, 9.5 s, run 7"),
    ("crawled", CRAWL | RUN | {"status": "failed", "reason": "x"}, "log: /logs/a.log"),
    ("crawled", CRAWL | RUN | {"status": "running", "told": "ended by SIGKILL"}, "ended by SIGKILL, its process is"),
    ("not_begun", CRAWL | {"code": 1, "told": "", "log": "/l"}, "store G452: no run was opened: exit code 1"),
    (
        "idle",
        {"reasons": {"scheduled": 2, "closed": 1}, "next_free_at": LATER, "until": LATER},
        "the next frees at 2026-11-27 13:00:00 UTC; asking again at 2026-11-27 13:00:00 UTC",
    ),
    ("idle", {"reasons": {"scheduled": 2}, "next_free_at": None, "until": LATER}, "2 scheduled: it was handed out"),
    ("merging", {}, "merging groups"),
    (
        "merged",
        {"groups_before": 9, "groups_after": 3, "merged": 6, "ejected": 0, "put_off": 0, "slots": 5},
        "groups merged: 9 before, 3 after (6 merged, 0 ejected, 0 put off); 5 slots built",
    ),
    ("not_merged", {"error": ValueError("at sqlite")}, "groups were not merged: ValueError: at sqlite; crawling goes"),
    ("node", {"told": "node a:6800 works again"}, "node a:6800 works again"),
    ("stopping", {"why": "SIGTERM", "in_hand": [], "merging": False}, "asked to stop by SIGTERM"),
    (
        "stopping",
        {"why": "SIGTERM", "in_hand": ["1", "*"], "merging": True},
        "finishing store 1, the locator, a merge of groups; a second signal breaks off",
    ),
    ("breaking_off", {"why": "SIGTERM", "in_hand": ["1"]}, "asked again to stop: breaking off 1"),
    ("ended", {"code": 5, "why": "the network is down"}, "ended with 5: the network is down"),
]


def test_every_event_has_its_words():
    assert {name for name, *_ in EVENTS} == set(WORDS)


@pytest.mark.parametrize(("name", "fields", "words"), EVENTS)
def test_an_event_is_a_line_with_its_time(name, fields, words, capsys):
    as_lines(lambda: NOW)(name, **fields)
    shown = capsys.readouterr().out
    assert shown.startswith("2026-11-27 12:00:00 UTC  ")
    assert words in shown


@pytest.mark.parametrize(("name", "fields", "_words"), EVENTS)
def test_an_event_is_one_line_of_json(name, fields, _words, capsys):
    as_json("aldi", lambda: NOW)(name, **fields)
    [line] = capsys.readouterr().out.splitlines()
    event = json.loads(line)
    assert (event.pop("at"), event.pop("event"), event.pop("company")) == (NOW.isoformat(), name, "aldi")
    assert set(event) == set(fields)


def test_what_came_from_outside_moves_no_cursor_and_a_password_is_not_shown(capsys, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:hunter2@db/splitcart")
    fields = CRAWL | RUN | {"reason": "\x1b[31m[bold]no\nline", "status": "failed"}
    wrong = ValueError("no answer from postgresql://me:hunter2@db/splitcart\nand more")
    for report in (as_lines(lambda: NOW), as_json("aldi", lambda: NOW)):
        report("crawled", **fields)
        report("not_merged", error=wrong)
    shown = capsys.readouterr().out + drawn([("crawled", fields), ("not_merged", {"error": wrong})])
    assert "\x1b" not in shown
    assert "hunter2" not in shown
    assert "[bold]no" in shown


def drawn(events):
    board = Board("aldi, policy oldest", lambda: NOW + timedelta(seconds=90))
    for name, fields in events:
        board.report(name, **fields)
    made = Console(file=io.StringIO(), width=160)
    made.print(board.shown())
    return made.file.getvalue()


def test_the_table_shows_the_store_in_hand_the_last_results_and_what_is_next():
    begun = {"crawling": EVENTS[1][1], "crawled": EVENTS[4][1], "idle": EVENTS[8][1]}
    shown = drawn([("crawling", begun["crawling"])])
    assert "store G452" in shown
    assert "2026-11-27 12:01:30 UTC" in shown
    shown = drawn(begun.items())
    assert "nothing" in shown
    assert "complete (finished), 56 listings" in shown
    assert "the next frees at 2026-11-27 13:00:00 UTC" in shown


def test_on_a_terminal_the_table_is_drawn_and_what_it_showed_last_stays():
    console = Console(file=io.StringIO(), width=160, force_terminal=True)
    with on_terminal("aldi, policy oldest", lambda: NOW, console) as report:
        report("crawling", **EVENTS[1][1])
        report("ended", code=0, why="asked to stop")
    shown = console.file.getvalue()
    assert "aldi, policy oldest" in shown
    assert shown.rindex("ended with 0: asked to stop") > shown.rindex("store G452") > 0
