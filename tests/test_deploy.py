"""The units, settings and templates of deploy/: checked by systemd itself, and by what an operator relies on."""

import configparser
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.tree import ROOT

DEPLOY = ROOT / "deploy"
UNITS = ("scrapyd.service", "splitcart-worker@.service")
"""What crawls."""
PRUNING = "splitcart-prune.service"
HOME = "/opt/splitcart"


def lines(unit: str) -> list[tuple[str, str]]:
    """(name, value) of each line of a unit, in order."""
    settings = [
        line.partition("=") for line in (DEPLOY / unit).read_text().splitlines() if not line.startswith(("#", "["))
    ]
    return [(name, value) for name, sign, value in settings if sign]


def values(unit: str, name: str) -> list[str]:
    return [value for key, value in lines(unit) if key == name]


def command(unit: str) -> list[str]:
    [line] = values(unit, "ExecStart")
    return line.split()


def verified(units: Sequence[Path]) -> str:
    """The findings of `systemd-analyze verify`; empty if it is not installed."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        return ""
    done = subprocess.run(
        [analyze, "verify", "--man=no", "--recursive-errors=no", *map(str, units)],
        env=os.environ | {"SYSTEMD_LOG_LEVEL": "warning"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout + done.stderr + ("" if done.returncode == 0 else f"exit code {done.returncode}")


def installed(unit: str, folder: Path) -> Path:
    """The unit as installed, its checkout being in `folder`."""
    there = folder / unit.replace("@.", "@aldi.")
    there.write_text((DEPLOY / unit).read_text().replace(HOME, str(folder)))
    for line in values(unit, "ExecStart"):
        program = Path(line.split()[0].replace(HOME, str(folder)))
        program.parent.mkdir(parents=True, exist_ok=True)
        if not program.exists():
            program.symlink_to(sys.executable)
    return there


def test_systemd_finds_no_fault_in_any_unit(tmp_path: Path) -> None:
    units = [path.name for path in DEPLOY.iterdir() if path.suffix in (".service", ".timer")]
    assert {*UNITS, PRUNING} < set(units)
    assert verified([installed(unit, tmp_path) for unit in units]) == ""


def test_systemd_would_have_found_one(tmp_path: Path) -> None:
    there = installed("scrapyd.service", tmp_path)
    there.write_text(there.read_text().replace("ProtectSystem=strict", "ProtectSystem=very"))
    assert shutil.which("systemd-analyze") is None or "very" in verified([there])


@pytest.mark.parametrize(("unit", "variable"), [(UNITS[1], "WORKER_OPTIONS"), (PRUNING, "PRUNE_OPTIONS")])
def test_a_unit_starts_a_script_that_is_there_with_options_that_it_has(unit: str, variable: str) -> None:
    python, script, *options = command(unit)
    assert python == f"{HOME}/.venv/bin/python"
    help_text = subprocess.run(
        [sys.executable, str(ROOT / script), "--help"], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    [named] = re.findall(rf"^#{variable}=(.*)", (DEPLOY / "splitcart.env").read_text(), re.MULTILINE)
    asked = re.findall(r"--[a-z-]+", named)
    assert len(asked) > 0
    assert options[-1] == f"${variable}"
    assert [option for option in [*options, *asked] if option.startswith("--") and option not in help_text] == []


def test_a_stop_reaches_the_worker_alone_and_all_of_a_nodes_jobs() -> None:
    assert [values(unit, "KillMode") for unit in UNITS] == [["control-group"], ["mixed"]]
    assert [values(unit, "KillSignal") for unit in UNITS] == [["SIGTERM"], ["SIGTERM"]]


def test_a_worker_is_restarted_unless_it_was_stopped_or_its_arguments_are_wrong() -> None:
    assert values(UNITS[1], "Restart") == ["on-failure"]
    assert values(UNITS[1], "RestartPreventExitStatus") == ["2"]
    assert values(UNITS[1], "RestartSec") == ["5min"]


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_takes_no_right_that_chromium_needs(unit: str) -> None:
    names = {name for name, _ in lines(unit)}
    assert not names & {"MemoryDenyWriteExecute", "RestrictNamespaces", "SystemCallFilter"}
    assert {"User", "NoNewPrivileges", "ProtectSystem", "ProtectHome", "PrivateTmp"} <= names
    assert {"StateDirectory", "CacheDirectory"} <= names  # what a crawl writes besides the database


def test_a_node_listens_on_loopback_and_no_secret_is_in_a_file_that_is_committed() -> None:
    conf = configparser.ConfigParser()
    conf.read(DEPLOY / "scrapyd.conf")
    assert conf["scrapyd"]["bind_address"] == "127.0.0.1"
    assert not {"username", "password"} & set(conf["scrapyd"])
    secrets = re.findall(r"(?:PASSWORD=|://\w+:)(\w+)", "".join(path.read_text() for path in DEPLOY.iterdir()))
    assert set(secrets) == {"PASSWORD"}
