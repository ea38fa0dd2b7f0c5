"""Crawls as jobs on nodes of scrapyd: places, waiting jobs, nodes that die, and answers that no scrapyd gives."""

import argparse
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import crawl_worker
import pytest
from _worker.crawls import Crawl, Ended, NotStarted
from _worker.nodes import LONGEST_SILENCE, PENDING_SECONDS, UNSEEN_SECONDS, Job, ScrapydCrawls, nodes_of
from _worker.scrapyd import MOST_BYTES, Jobs, Node, NodeFailed, node_url
from sqlalchemy import Engine

from models.runs import endings
from models.runs.endings import Ending
from models.runs.run import Run
from models.scheduling import fates
from models.scheduling.fates import Fate
from models.scheduling.taking import reap
from splitcart.runs.verdict import EVERY_STORE, Verdict
from tests.support.nodes import FakeNode
from tests.support.schedules import HOLDER, begun, change, company_of, taken
from tests.support.storage import START
from tests.support.tls import Authority

# The client ------------------------------------------------------------------------------------------------------


class Web(ThreadingHTTPServer):
    """Answers every request with `status` and `body`, and keeps the requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.status, self.body, self.headers = 200, b"{}", {"Content-Type": "application/json"}
        self.asked: list[tuple[str, str, dict[str, list[str]], str | None]] = []
        self.answer: Callable[[Any], None] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    server: Web

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        self.server.asked.append((self.command, self.path, parse_qs(body), self.headers.get("Authorization")))
        if self.server.answer:
            self.server.answer(self.wfile)
            return
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.body)

    do_POST = do_GET

    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def jobs_of(**states: list[str]) -> bytes:
    lists = {state: [{"id": job} for job in states.get(state, [])] for state in ("pending", "running", "finished")}
    return json.dumps({"status": "ok", "node_name": "a", **lists}).encode()


def test_a_nodes_jobs_are_counted_over_all_projects(web: Web) -> None:
    web.body = jobs_of(pending=["c"], running=["a", "b"], finished=["d"])
    assert Node(web.url).jobs() == Jobs(frozenset("c"), frozenset("ab"))
    assert web.asked == [("GET", "/listjobs.json", {}, None)]


def test_a_job_is_scheduled_under_an_id_of_ours_and_cancelled_by_it(web: Web) -> None:
    web.body = b'{"status": "ok"}'
    node = Node(f"{web.url}/behind/a/proxy", user="crawl", secret="a:b")
    node.schedule("aldi", "job1", {"store": "G4 & 52", "lease": "T"})
    node.cancel("job1")
    node.cancel("job1", kill=True)
    basic = "Basic Y3Jhd2w6YTpi"
    job = {"project": ["splitcart"], "job": ["job1"]}
    scheduled = {"project": ["splitcart"], "spider": ["aldi"], "jobid": ["job1"], "store": ["G4 & 52"], "lease": ["T"]}
    assert web.asked == [
        ("POST", "/behind/a/proxy/schedule.json", scheduled, basic),
        ("POST", "/behind/a/proxy/cancel.json", job, basic),
        ("POST", "/behind/a/proxy/cancel.json", job | {"signal": ["KILL"]}, basic),
    ]
    assert "a:b" not in repr(node)


@pytest.mark.parametrize(
    ("status", "body", "remedy", "refused"),
    [
        (200, b'{"status": "error", "message": "project \'splitcart\' not found"}', "is the egg deployed there?", True),
        (401, b"<html>", "set SCRAPYD_USERNAME and SCRAPYD_PASSWORD", True),
        (302, b"", "is the address right?", False),
        (500, b"{}", "is the address right?", False),
        (200, b"<html>", "is this scrapyd?", False),
        (200, b"[" * 100_000, "is this scrapyd?", False),
        (200, b"[]", "is the address right?", False),
        (200, b"{}", "is the address right?", False),
        (200, b'{"status": "ok", "running": {}}', "is this scrapyd 1.6?", False),
        (200, b'{"status": "ok", "pending": ["a"]}', "is this scrapyd 1.6?", False),
        (200, b'{"status": "error", "message": "\x1b[2J"}', "is this scrapyd?", False),
        (200, b'{"status": "error", "message": "\\u001b[2J"}', "\\x1b[2J", True),
        (200, b" " * (MOST_BYTES + 1), "empty its queue", False),
    ],
)
def test_an_answer_that_no_scrapyd_gives_is_an_error_with_a_remedy(
    web: Web, status: int, body: bytes, remedy: str, refused: bool
) -> None:
    web.status, web.body, web.headers = status, body, {"Location": "http://127.0.0.1:1/"}
    with pytest.raises(NodeFailed) as failed:
        Node(web.url).jobs()
    assert remedy in str(failed.value)
    assert str(failed.value).isprintable()
    assert len(str(failed.value)) < 400
    assert failed.value.refused is refused
    assert len(web.asked) == 1  # no redirect is followed


def test_a_node_that_cannot_be_reached_certainly_did_nothing() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        node = Node(f"http://127.0.0.1:{nobody.getsockname()[1]}")
        with pytest.raises(NodeFailed, match="cannot be reached") as failed:
            node.schedule("aldi", "job1", {})
    assert failed.value.refused


def test_a_node_whose_certificate_nobody_signed_is_sent_nothing(tmp_path: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(Authority(tmp_path).certificate("127.0.0.1"))
    with Web() as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        node = Node(f"https://127.0.0.1:{server.server_port}", user="crawl", secret="secret")
        with pytest.raises(NodeFailed, match="CERTIFICATE_VERIFY_FAILED") as failed:
            node.schedule("aldi", "job1", {})
        server.shutdown()
        assert failed.value.refused
        assert server.asked == []


def test_a_node_that_sends_its_answer_too_slowly_is_given_up(web: Web) -> None:
    left = threading.Event()

    def drip(stream: Any) -> None:
        stream.write(b"HTTP/1.0 200 OK\r\nX: ")
        try:
            while not left.wait(0.02):
                stream.write(b"x")
        except OSError:
            left.set()

    web.answer = drip
    with pytest.raises(NodeFailed, match=r"no answer within 0\.2 s") as failed:
        Node(web.url, patience=0.2).jobs()
    assert left.wait(60)
    assert not failed.value.refused


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://a:6800", "http://a:6800"),
        ("http://A:6800/", "http://a:6800"),
        ("https://node_1.example.org/scrapyd/", "https://node_1.example.org:443/scrapyd"),
        ("http://[fd00::1]:6800", "http://[fd00::1]:6800"),
    ],
)
def test_a_nodes_address_is_spelt_in_one_way(text: str, url: str) -> None:
    assert node_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "", "a:6800", "ftp://a", "file:///etc/passwd", "http://", "http://a:0", "http://a:65536", "http://a:x",
        "http://a?b", "http://a#b", "http://a b", "http://a\r\nHost: b", "http://a/\x1b", "http://" + "a" * 300,
        "HTTP://a", "http://[::1", "http://ä",
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_node_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError) as refused:
        node_url(text)
    assert str(refused.value).isprintable()


def test_an_address_with_a_password_is_refused_and_not_repeated() -> None:
    for text in ("http://crawl:hunter2@a:6800", "http://hunter2@a", "x hunter2 @"):
        with pytest.raises(argparse.ArgumentTypeError, match="SCRAPYD_PASSWORD") as refused:
            node_url(text)
        assert "hunter2" not in str(refused.value)


def test_the_worker_refuses_a_node_with_a_password_in_its_address(capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in (["--scrapyd", "http://crawl:hunter2@a:6800"], ["--max-jobs", "0"], ["--scrapyd", "ftp://a"]):
        with pytest.raises(SystemExit) as refused:
            crawl_worker.main(["--company", "aldi", *wrong])
        assert refused.value.code == 2
    assert "hunter2" not in capsys.readouterr().err


def test_nodes_are_each_one_node_with_the_environments_name_and_password() -> None:
    options = argparse.Namespace(scrapyd=["http://a:6800", "http://b:6800", "http://a:6800"])
    found = nodes_of(options, {"SCRAPYD_USERNAME": "crawl", "SCRAPYD_PASSWORD": "hunter2"})
    assert [(node.name, node.user, node.secret) for node in found] == [(f"{n}:6800", "crawl", "hunter2") for n in "ab"]
    assert [node.user for node in nodes_of(options, {})] == ["", ""]


# The runner ------------------------------------------------------------------------------------------------------


class Scene:
    """Nodes a and b, a runner over them, a clock, and the fates of stores as run rows would have them."""

    def __init__(self, *nodes: FakeNode, most: int = 2) -> None:
        self.nodes = nodes or (FakeNode("a"), FakeNode("b"))
        self.time, self.reported, self.fates = 1000.0, [], {}
        self.crawls = ScrapydCrawls(self.nodes, most, self.watch, self.reported.append, lambda: self.time)
        self.taken = 0

    def watch(self, crawl: Crawl) -> Callable[[], Fate]:
        self.fates[crawl.store_code] = "starting"
        return lambda: self.fates[crawl.store_code]

    def start(self, store: str = "") -> Job:
        self.taken += 1
        code = store or str(self.taken)
        return self.crawls.start(Crawl(spider="aldi", store_code=code, arguments={"store": code, "lease": "T"}))

    def fill(self) -> list[Job]:
        """Starts crawls until there is no room, as the worker does at each look."""
        started = []
        while self.crawls.room():
            started.append(self.start())
        return started

    def later(self, seconds: float = 5.0) -> None:
        self.time += seconds
        for node in self.nodes:
            if not node.down:
                node.poll()

    def finish(self, job: Job) -> None:
        """The crawl ends well, and the runner notices."""
        self.run(job, "ended")
        for jobs in (job.place.node.pending, job.place.node.running):
            if job.id in jobs:
                jobs.remove(job.id)
        assert self.crawls.ended(job) == Ended()

    def run(self, job: Job, fate: Fate) -> None:
        self.fates[job.crawl.store_code] = fate


def test_each_node_is_given_as_many_jobs_as_it_begins_at_once_and_none_waits() -> None:
    scene = Scene(FakeNode("a", 3), FakeNode("b", 2), most=3)
    scene.nodes[1].running.append("another project's")
    started = []
    for _ in range(4):
        started += scene.fill()
        assert all(len(node.pending) <= 1 for node in scene.nodes)
        scene.later()
    assert [len(node.running) for node in scene.nodes] == [3, 2]
    assert [len(node.pending) for node in scene.nodes] == [0, 1]  # b runs fewer than --max-jobs says: one job shows it
    assert len({job.id for job in started}) == len(started) == 5
    for job in started:
        assert job.place.node.arguments[job.id] == {"spider": "aldi", "store": job.crawl.store_code, "lease": "T"}


def test_a_worker_leaves_places_to_the_workers_of_other_companies() -> None:
    scene = Scene(FakeNode("a", 4), FakeNode("b", 4), most=4)
    scene.crawls.at_once = 3
    assert scene.crawls.room() == 3
    first = scene.fill()[0]
    scene.later()
    scene.fill()
    scene.later()
    assert [len(node.running) for node in scene.nodes] == [2, 1]
    assert scene.crawls.room() == 0
    scene.finish(first)
    assert scene.crawls.room() == 1


def test_a_job_that_waits_too_long_is_cancelled_and_shows_how_many_jobs_the_node_runs() -> None:
    scene = Scene(FakeNode("a", 1))
    first = scene.fill()
    scene.later()
    [second] = scene.fill()
    scene.run(first[0], "running")
    scene.later(PENDING_SECONDS)
    assert scene.crawls.ended(second) is None
    scene.later(1)
    scene.time += 5
    assert isinstance(scene.crawls.ended(second), Ended)
    assert scene.nodes[0].cancelled == [(second.id, False)]
    assert "is --max-jobs above its max_proc?" in scene.reported[-1]
    scene.later()
    assert scene.crawls.room() == 0
    assert scene.crawls.ended(first[0]) is None
    scene.nodes[0].running.clear()
    scene.run(first[0], "ended")
    scene.later()
    assert scene.crawls.ended(first[0]) == Ended()
    assert scene.crawls.room() == 1


def test_a_node_that_begins_nothing_gets_nothing_more() -> None:
    scene = Scene(FakeNode("a", 0))
    [job] = scene.fill()
    scene.later(PENDING_SECONDS + 1)
    assert isinstance(scene.crawls.ended(job), Ended)
    assert "it begins none of its jobs" in scene.reported[-1]
    assert scene.crawls.room() == 0


def test_places_that_another_worker_filled_meanwhile_are_no_room() -> None:
    scene = Scene()
    assert scene.crawls.room() == 4
    scene.nodes[0].running += ["x", "y"]
    scene.later(1)
    assert scene.crawls.room() == 2
    assert scene.start().place.node is scene.nodes[1]
    scene.nodes[1].pending.append("z")
    scene.later(1)
    assert scene.crawls.room() == 0
    with pytest.raises(NotStarted):
        scene.start()


def test_a_node_that_refuses_jobs_though_it_answers_is_tried_less_and_less_often() -> None:
    scene = Scene(FakeNode("a"))
    scene.nodes[0].refuses = True
    refused = 0
    for _ in range(360):  # half an hour
        scene.later()
        if scene.crawls.room():
            refused += 1
            with pytest.raises(NotStarted):
                scene.start()
    assert 6 < refused < 13
    assert len(scene.reported) == 1
    scene.nodes[0].refuses = False
    scene.later(LONGEST_SILENCE)
    assert scene.crawls.room() == 2
    assert scene.start().place.node is scene.nodes[0]
    assert scene.reported[1:] == ["node a works again"]


def test_the_run_row_counts_and_not_the_nodes_answer() -> None:
    scene = Scene()
    lost, listed, done, failed = scene.fill() + (scene.later() or scene.fill())
    scene.later()
    for node in scene.nodes:  # they were restarted and have forgotten their jobs
        node.running.clear()
    listed.place.node.running.append(listed.id)
    done.place.node.running.append(done.id)
    for job, state in ((lost, "running"), (listed, "dead"), (done, "ended"), (failed, "starting")):
        scene.run(job, state)
    scene.later()
    assert scene.crawls.ended(lost) is None  # the run is alive, whatever the node knows
    assert scene.crawls.ended(done) == Ended()  # it still closes
    assert "its lease ended" in scene.crawls.ended(listed).note
    assert listed.place.node.cancelled == [(listed.id, False)]  # what is left of it takes no place
    assert "before its run began" in scene.crawls.ended(failed).note
    assert all(job.id in scene.crawls.where(job) for job in (lost, listed, done, failed))


def test_a_job_that_a_restarted_node_has_forgotten_keeps_its_place_while_its_run_is_alive() -> None:
    scene = Scene(FakeNode("a"))
    [first] = scene.fill()
    scene.later()
    [second] = scene.fill()
    scene.later()
    scene.nodes[0].running.clear()
    for job in (first, second):
        scene.run(job, "running")
    scene.later()
    assert scene.crawls.room() == 0
    scene.finish(first)
    assert scene.crawls.room() == 1


def test_a_job_whose_run_began_while_the_node_was_asked_is_no_lost_job() -> None:
    scene = Scene()
    job = scene.fill()[0]
    states = iter(["starting", "running"])
    job.fate = lambda: next(states)
    job.place.node.pending.clear()
    scene.later()
    assert scene.crawls.ended(job) is None


def test_a_node_that_died_gets_nothing_and_is_asked_less_and_less_often_while_others_continue() -> None:
    scene = Scene()
    [first, second] = scene.fill()
    dead, other = first.place.node, second.place.node
    scene.later()
    scene.run(first, "running")
    dead.down = "refused"
    before, last = dead.asked["jobs"], second
    for _ in range(720):  # an hour
        scene.finish(last)
        scene.later()
        scene.crawls.room()
        assert scene.crawls.ended(first) is None
        last = scene.start()
        assert last.place.node is other
    asked = dead.asked["jobs"] - before
    assert 10 < asked < 20  # 5, 10, 20, ... seconds, then every 5 minutes
    assert dead.asked["schedule"] == 1
    assert len([line for line in scene.reported if "it gets no crawl for a while" in line]) == 1
    scene.run(first, "dead")
    assert "its lease ended" in scene.crawls.ended(first).note
    scene.finish(last)
    dead.down = ""
    dead.running.clear()
    scene.later(LONGEST_SILENCE)
    assert scene.crawls.room() == 4
    assert scene.reported[-1] == f"node {dead.name} works again"


def test_a_crawl_goes_to_the_next_node_where_one_certainly_did_not_accept_it() -> None:
    scene = Scene()
    assert scene.crawls.room() == 4
    scene.nodes[0].jobs = lambda: Jobs(frozenset(), frozenset())
    scene.nodes[0].down = "refused"
    assert scene.start().place.node is scene.nodes[1]


def test_a_crawl_that_a_node_may_have_accepted_goes_to_no_other() -> None:
    scene = Scene()
    assert scene.crawls.room() == 4
    unsure = scene.nodes[0]
    unsure.jobs = lambda: Jobs(frozenset(unsure.pending), frozenset(unsure.running))
    unsure.down = "lost"
    job = scene.start()
    assert job.place.node is unsure
    assert scene.nodes[1].asked["schedule"] == 0
    assert scene.crawls.ended(job) is None
    scene.run(job, "running")
    assert scene.crawls.ended(job) is None
    scene.run(job, "dead")
    assert isinstance(scene.crawls.ended(job), Ended)


def test_without_a_node_that_answers_there_is_no_room() -> None:
    scene = Scene()
    for node in scene.nodes:
        node.down = "refused"
    assert scene.crawls.room() == 0
    with pytest.raises(NotStarted):
        scene.start()
    assert sum(node.asked["schedule"] for node in scene.nodes) == 0


def test_stopping_cancels_jobs_and_asks_nothing_of_a_node_that_is_gone() -> None:
    scene = Scene()
    first, second = scene.fill()
    scene.crawls.interrupt(first)
    scene.crawls.kill(first)
    assert first.place.node.cancelled == [(first.id, False), (first.id, True)]
    second.place.node.down = "lost"
    scene.later()
    scene.crawls.room()
    scene.crawls.interrupt(second)
    scene.crawls.kill(second)
    assert second.place.node.asked["cancel"] == 0


def test_for_a_locator_the_nodes_answer_counts_because_its_run_has_no_heartbeat() -> None:
    scene = Scene()
    assert scene.crawls.room() == 4
    job = scene.crawls.start(Crawl(spider="aldi_stores", store_code=EVERY_STORE, arguments={}))
    assert scene.crawls.ended(job) is None
    scene.later()
    scene.run(job, "running")
    assert scene.crawls.ended(job) is None
    job.place.node.down = "lost"
    scene.later()
    assert scene.crawls.ended(job) is None
    scene.later(UNSEEN_SECONDS + 1)
    assert "does not answer" in scene.crawls.ended(job).note
    job.place.node.down = ""
    scene.later(LONGEST_SILENCE)
    assert scene.crawls.ended(job) is None
    job.place.node.running.clear()
    scene.later()
    assert "the locator died" in scene.crawls.ended(job).note
    scene.run(job, "ended")
    assert scene.crawls.ended(job) == Ended()


# What run rows show ----------------------------------------------------------------------------------------------


def ended(engine: Engine, run: Run) -> None:
    verdict = Verdict("failed", "error", "nothing", {})
    endings.finish(engine, run, Ending(verdict=verdict, now=START))


def fate(engine: Engine, code: str, token: str | None, after: int = 0, now: datetime = START) -> Fate:
    with engine.connect() as connection:
        asked = {"token": token, "after": after, "now": now, "holder": HOLDER}
        return fates.fate(connection, company_of(engine).id, code, **asked)


def test_the_fate_of_a_store_that_was_handed_out_is_its_leases_until_it_has_a_run(engine: Engine) -> None:
    company = company_of(engine, ["1"])
    token = taken(engine).lease_token
    late = START + timedelta(seconds=120)
    assert fate(engine, "1", token) == "starting"
    assert fate(engine, "1", token, now=late) == "dead"
    reap(engine, company.id, late, HOLDER)
    assert fate(engine, "1", token) == "dead"


def test_the_fate_of_a_crawl_is_its_runs_row_and_no_earlier_runs(engine: Engine) -> None:
    company_of(engine, ["1"])
    earlier = begun(engine, taken(engine))
    ended(engine, earlier)
    change(engine, "1", next_try_at=None, scheduled_at=None)
    given = taken(engine)
    asked = {"token": given.lease_token, "after": earlier.id}
    assert fate(engine, "1", **asked) == "starting"
    run = begun(engine, given)
    assert fate(engine, "1", **asked) == "running"
    late = START + timedelta(seconds=120)
    assert fate(engine, "1", **asked, now=late) == "dead"
    ended(engine, run)
    assert fate(engine, "1", **asked, now=late) == "ended"


def test_an_abandoned_run_is_dead_though_its_store_is_crawled_again(engine: Engine) -> None:
    company = company_of(engine, ["1"])
    given = taken(engine)
    begun(engine, given)
    late = START + timedelta(hours=5)
    reap(engine, company.id, late, HOLDER)
    change(engine, "1", next_try_at=None)
    begun(engine, taken(engine, late), late)
    assert fate(engine, "1", given.lease_token, now=late) == "dead"


def test_a_locator_has_no_lease_to_wait_for(engine: Engine) -> None:
    company_of(engine, ["1"])
    assert fate(engine, EVERY_STORE, None, now=START + timedelta(days=1)) == "starting"
