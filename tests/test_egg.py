"""What scrapyd gets: the crawl and what it stands on, nothing else."""

import configparser
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = {"splitcart", "splitcart_spiders", "pipelines", "models"}


@pytest.fixture(scope="module")
def egg_path(tmp_path_factory):
    """The egg, built from a copy so that nothing stale in the checkout's build folder can enter it."""
    copy = tmp_path_factory.mktemp("egg")
    for name in (*SHIPPED, "sandbox", "tests"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.py", "pyproject.toml", "requirements.in", "requirements-coles.in", "scrapy.cfg"):
        shutil.copy(ROOT / name, copy)
    command = [sys.executable, "-W", "ignore", "setup.py", "-q", "bdist_egg", "--dist-dir", "out"]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return next((copy / "out").glob("*.egg"))


@pytest.fixture(scope="module")
def egg(egg_path):
    with zipfile.ZipFile(egg_path) as archive:
        yield archive


def test_the_egg_carries_every_tracked_file_of_its_packages(egg):
    packed = {name for name in egg.namelist() if not name.startswith("EGG-INFO/") and not name.endswith(".pyc")}
    ours = {
        path.relative_to(ROOT).as_posix()
        for package in SHIPPED
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert packed == ours


def test_the_egg_names_its_settings_module_to_scrapyd(egg):
    points = configparser.ConfigParser()
    points.read_string(egg.read("EGG-INFO/entry_points.txt").decode())
    assert points["scrapy"]["settings"] == "splitcart_spiders.settings"


def _within(egg_path, folder, code):
    """Runs code with the packages in the zipped egg only, as scrapyd does; returns its output."""
    environ = {"PYTHONPATH": str(egg_path), "HOME": str(folder), "PATH": "", "SCRAPY_PROJECT": "splitcart"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environ, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_database_is_migrated_from_inside_the_zipped_egg(egg_path, tmp_path):
    code = "import models.database.engine as e\nengine = e.create('sqlite:///crawl.db')\ne.check_schema(engine)\nprint(e.__file__)"
    assert ".egg/models/database/engine.py" in _within(egg_path, tmp_path, code)


def test_the_spiders_are_found_inside_the_zipped_egg(egg_path, tmp_path):
    code = (
        "from scrapy.settings import Settings\n"
        "from scrapy.spiderloader import SpiderLoader\n"
        "settings = Settings()\n"
        "settings.setmodule('splitcart_spiders.settings')\n"
        "print(*SpiderLoader.from_settings(settings).list())"
    )
    ours = {path.stem for path in (ROOT / "splitcart_spiders" / "spiders").glob("[!_]*.py")}
    assert set(_within(egg_path, tmp_path, code).split()) == ours


def test_playwright_is_an_extra_that_coles_alone_needs(egg):
    always, _, extra = egg.read("EGG-INFO/requires.txt").decode().partition("[coles]")
    assert "playwright" not in always
    assert "scrapy-playwright==" in extra
