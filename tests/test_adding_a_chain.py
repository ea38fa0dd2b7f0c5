"""docs/adding-a-chain.md, followed to the letter, works: its code is a chain that is crawled, compared and linted."""

import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from sandbox.server import SandboxServer
from sandbox.sites import sites, switches
from sandbox.world import World
from tests.support.crawls import crawl
from tests.support.tree import ROOT
from tests.support.truth import check_truth

BLOCK = re.compile(r"^```python (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILES = dict(BLOCK.findall((ROOT / "docs" / "adding-a-chain.md").read_text()))


@pytest.fixture
def corner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The page's files, found as if they lay in the packages."""
    made = []
    for name, code in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code)
        package = importlib.import_module(str(Path(name).parent).replace("/", "."))
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(path.parent)])
        monkeypatch.delitem(sys.modules, f"{package.__name__}.{path.stem}", raising=False)
        monkeypatch.delattr(package, path.stem, raising=False)
        made.append((package, path.stem))
    forget_sites()
    yield tmp_path
    for package, name in made:
        sys.modules.pop(f"{package.__name__}.{name}", None)
        package.__dict__.pop(name, None)
    forget_sites()


def forget_sites() -> None:
    """The sandbox looks for its modules once a process."""
    for found in (sites, switches):
        found.cache_clear()


def test_the_page_has_every_file_of_a_chain() -> None:
    folders = [Path(name).parent.as_posix() for name in FILES]
    spiders = "splitcart_spiders/spiders"
    assert folders == ["splitcart_spiders/chains", spiders, spiders, "sandbox/chains"]


def test_the_chain_of_the_page_is_found_and_crawled_with_every_row_true(corner: Path, sqlite_url: str) -> None:
    world = World(seed=3, products=80, stores=2)
    store = world.stores("corner")[0].store_code
    with SandboxServer(world) as server:
        located = crawl("corner_stores", server.url, sqlite_url)
        assert located.status == "complete", located.reason
        refused = crawl("corner", server.url, sqlite_url, store="1")
        assert "scrapy crawl corner_stores" in refused.reason
        outcome = crawl("corner", server.url, sqlite_url, store=store)
    assert (outcome.status, outcome.exit_code) == ("complete", 0), outcome.reason
    engine = create_engine(sqlite_url)
    check_truth(engine, "corner", store, world.truth("corner", store, 0))
    engine.dispose()


def test_lint_asks_nothing_more_of_the_page(corner: Path) -> None:
    ruff = [sys.executable, "-m", "ruff"]
    for arguments in (["check"], ["format", "--check"]):
        command = [*ruff, *arguments, "--config", str(ROOT / "pyproject.toml"), str(corner)]
        done = subprocess.run(command, cwd=corner, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
