"""The messages of `make setup` on a machine that lacks something."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def machine(tmp_path):
    """A PATH with git, Chromium, python3 and what a shell script needs; without apt-get: nothing is installed."""
    for name in ("sh", "id", "tr", "git"):
        (tmp_path / name).symlink_to(shutil.which(name))
    (tmp_path / "chromium").symlink_to(shutil.which("true"))
    (tmp_path / "python3").symlink_to(sys.executable)
    return tmp_path


def _check(machine):
    environ = {"PATH": str(machine), "HOME": str(machine)}
    return subprocess.run(
        [str(machine / "sh"), str(ROOT / ".ci" / "system-packages")], env=environ, capture_output=True, text=True
    )


def _python(machine, text):
    (machine / "python3").unlink()
    (machine / "python3").write_text(f"#!{machine / 'sh'}\n{text}\n")
    (machine / "python3").chmod(0o755)


def test_a_machine_with_everything_hears_nothing(machine):
    done = _check(machine)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", ["git", "python3"])
def test_a_missing_package_is_named_with_the_line_that_installs_it(machine, name):
    (machine / name).unlink()
    done = _check(machine)
    assert done.returncode == 1
    assert f"apt-get install {name}" in done.stderr


def test_without_ensurepip_the_message_names_python3_venv(machine):
    _python(machine, f'case "$2" in *ensurepip*) exit 1;; esac; exec {sys.executable} "$@"')
    done = _check(machine)
    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr


def test_a_python_that_is_too_old_is_refused_with_the_version_needed(machine):
    _python(machine, 'case "$2" in *version_info*) exit 1;; esac; echo Python 3.9.2')
    done = _check(machine)
    assert done.returncode == 1
    assert "Python 3.9.2; Python 3.11 or newer is needed" in done.stderr


def test_a_missing_chromium_is_named_but_stops_nothing(machine):
    (machine / "chromium").unlink()
    done = _check(machine)
    assert done.returncode == 0
    assert "apt-get install chromium" in done.stderr


def test_ci_runs_lint_and_test():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert [line for line in script.read_text().splitlines() if line.startswith("make")] == ["make lint", "make test"]
