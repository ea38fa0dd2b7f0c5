"""Signals and the stop file are noticed at once, in a wait and outside one."""

import os
import signal
import threading
from datetime import UTC, datetime, timedelta

import pytest
from _worker.stop import Stop

LONG = timedelta(seconds=100)


def now():
    return datetime.now(UTC)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_wait_and_a_second_is_counted(number):
    before, begun = signal.getsignal(number), now()
    with Stop(None, now).listening() as stop:
        assert stop.asked is None
        for count in (1, 2):
            later = threading.Timer(0.05, os.kill, (os.getpid(), number))
            later.start()
            stop.wait(now() + LONG)
            later.join()
            assert (stop.asked, stop.signals) == (number.name, count)
    assert now() < begun + LONG
    assert signal.getsignal(number) is before


def test_a_signal_that_came_before_the_wait_ends_it():
    begun = now()
    with Stop(None, now).listening() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        stop.wait(now() + LONG)
    assert now() < begun + LONG


def test_the_stop_file_ends_a_wait_once(tmp_path):
    begun, file = now(), tmp_path / "stop"
    with Stop(file, now).listening() as stop:
        later = threading.Timer(0.05, file.touch)
        later.start()
        stop.wait(now() + LONG)
        later.join()
        assert now() < begun + LONG
        assert (stop.asked, stop.signals) == (f"the stop file {file}", 0)
        until = now() + timedelta(seconds=0.05)
        stop.wait(until)
        assert now() >= until
        file.unlink()
        assert stop.asked == f"the stop file {file}"


def test_a_wait_ends_by_the_clock_it_was_given(monkeypatch):
    """A rehearsal's, or one that jumped while the machine slept."""
    times = iter([begun := datetime(2026, 1, 1, tzinfo=UTC), begun + LONG])
    stop = Stop(None, lambda: next(times))
    monkeypatch.setattr(stop, "_wait", lambda seconds: seconds > 1)
    stop.wait(begun + LONG)
    assert list(times) == []
