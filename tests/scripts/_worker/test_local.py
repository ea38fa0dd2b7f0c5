"""Crawls as child processes: one at a time, each with its log, apart from the worker's signals."""

import os
import signal
from datetime import UTC, datetime

import pytest
from _worker.crawls import Crawl, NotStarted
from _worker.local import KEEP_DAYS, LocalCrawls

from tests.support.processes import until

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
TELLS = "import sys; print(sys.argv[1:]); sys.exit(5)"
WAITS = "import time; time.sleep(100)"


def crawls_of(folder, program):
    return LocalCrawls(folder, lambda: NOW, program=("-c", program))


def crawl(store="G452", **arguments):
    return Crawl(spider="aldi", store_code=store, arguments={"store": store, "lease": "secret"} | arguments)


def ended(crawls, handle):
    return until("the child's end", lambda: crawls.ended(handle))


def test_a_crawl_is_scrapy_with_its_arguments_and_a_log_of_its_own(tmp_path):
    crawls = crawls_of(tmp_path / "new" / "aldi", TELLS)
    handle = crawls.start(crawl(dev="1", probe="8"))
    assert ended(crawls, handle).code == 5
    arguments = ["crawl", "aldi", "-a", "store=G452", "-a", "lease=secret", "-a", "dev=1", "-a", "probe=8"]
    assert handle.log.read_text() == f"{arguments}\n"
    assert crawls.where(handle) == str(handle.log)
    assert handle.log.name == f"20261127T120000-aldi-G452-{os.getpid()}.log"
    assert LocalCrawls(tmp_path, lambda: NOW).program == ("-m", "scrapy")


def test_one_runs_at_a_time(tmp_path):
    crawls = crawls_of(tmp_path, TELLS)
    assert crawls.room() == 1
    handle = crawls.start(crawl())
    assert crawls.room() == 0
    ended(crawls, handle)
    assert crawls.room() == 1


def test_a_signal_for_the_workers_group_leaves_its_crawl_alone_and_a_killed_worker_leaves_it_to_end_itself(tmp_path):
    crawls = crawls_of(tmp_path, WAITS)
    handle = crawls.start(crawl())
    try:
        assert os.getpgid(handle.process.pid) == handle.process.pid != os.getpgid(0)
        crawls.interrupt(handle)
        assert ended(crawls, handle).note == "ended by SIGTERM"
    finally:
        handle.process.kill()


def test_a_crawl_is_killed_at_once_and_both_are_harmless_afterwards(tmp_path):
    crawls = crawls_of(tmp_path, "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(100)")
    handle = crawls.start(crawl())
    crawls.kill(handle)
    assert (ended(crawls, handle).code, handle.process.returncode) == (None, -signal.SIGKILL)
    crawls.interrupt(handle)
    crawls.kill(handle)


def test_a_stores_id_is_no_path(tmp_path):
    crawls = crawls_of(tmp_path / "logs", TELLS)
    handle = crawls.start(crawl("../../etc/\x1b[31m"))
    ended(crawls, handle)
    assert handle.log.parent == tmp_path / "logs"
    assert handle.log.name.startswith("20261127T120000-aldi-______etc___31m-")


def test_a_folder_that_cannot_be_written_starts_nothing_and_names_the_remedy(tmp_path):
    (tmp_path / "file").touch()
    crawls = crawls_of(tmp_path / "file" / "logs", TELLS)
    with pytest.raises(NotStarted, match="name another --logs folder"):
        crawls.start(crawl())
    assert crawls.room() == 1


def test_logs_of_a_month_are_kept_and_other_files_for_ever(tmp_path):
    for name, days in (("20260101T000000-aldi-1-7.log", 31), ("20261101T000000-aldi-1-7.log", 29), ("my.log", 99)):
        (tmp_path / name).touch()
        when = datetime.now().timestamp() - days * 86_400
        os.utime(tmp_path / name, (when, when))
    crawls = crawls_of(tmp_path, TELLS)
    ended(crawls, crawls.start(crawl()))
    assert KEEP_DAYS == 30
    assert sorted(each.name for each in tmp_path.iterdir())[0] == "20261101T000000-aldi-1-7.log"
    assert len(list(tmp_path.iterdir())) == 3
