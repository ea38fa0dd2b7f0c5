import os
import stat
import time

import pytest

from splitcart_spiders.sessions.cookies import SessionFile

COOKIES = [{"name": "a", "value": "1", "path": "/"}, {"name": "b", "value": "2", "expires": -1}]


class At:
    def __init__(self):
        self.time = 1_800_000_000.0

    def __call__(self):
        return self.time


@pytest.fixture
def at():
    return At()


@pytest.fixture
def keep(tmp_path, at):
    return SessionFile(tmp_path / "deep", "www.coles.com.au", "SplitCart/0.1", 3600, at)


def test_a_session_is_kept_and_given_back(keep):
    keep.save(COOKIES)
    assert keep.load() == [{"name": "a", "value": "1", "path": "/"}, {"name": "b", "value": "2"}]


def test_an_old_session_is_not_offered(keep, at):
    keep.save(COOKIES)
    at.time += 3599
    assert keep.load()
    at.time += 1
    assert keep.load() is None


def test_a_session_from_the_future_is_not_offered(keep, at):
    keep.save(COOKIES)
    at.time -= 10
    assert keep.load() is None


def test_a_session_with_an_expired_cookie_is_not_offered(keep, at):
    keep.save([{"name": "a", "value": "1", "expires": at.time + 60}])
    assert keep.load()
    at.time += 60
    assert keep.load() is None


def test_a_refused_session_is_forgotten(keep):
    keep.save(COOKIES)
    keep.forget()
    keep.forget()
    assert keep.load() is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"opened": "x", "cookies": []}', '{"opened": 1, "cookies": [1]}'])
def test_a_broken_file_loads_no_session(keep, text):
    keep.save(COOKIES)
    keep.path.write_text(text)
    assert keep.load() is None


def test_files_too_old_to_be_offered_go(keep):
    keep.path.parent.mkdir()
    for name, age in (("old.json", 3700), ("young.json", 60)):
        path = keep.path.with_name(name)
        path.write_text("{}")
        os.utime(path, (time.time() - age, time.time() - age))
    keep.save(COOKIES)
    assert {path.name for path in keep.path.parent.iterdir()} == {"young.json", keep.path.name}


def test_only_its_owner_reads_it(keep):
    keep.save(COOKIES)
    assert stat.S_IMODE(keep.path.stat().st_mode) == 0o600
    assert [keep.path] == list(keep.path.parent.iterdir())


def test_sites_and_user_agents_share_none(tmp_path):
    files = {
        SessionFile(tmp_path, site, agent, 60).path
        for site in (
            "www.coles.com.au",
            "127.0.0.1:8000/coles/www.coles.com.au",
            "127.0.0.1:8001/coles/www.coles.com.au",
        )
        for agent in ("SplitCart/0.1", "SplitCart/0.2")
    }
    assert len(files) == 6
