import json
import sys
from types import ModuleType

import pytest
from rich.console import Console

from benchmarks import run


def _bench(monkeypatch, **changes):
    row = dict.fromkeys(run.KEYS) | {"name": "parsing", "value": 1234.5, "unit": "rows/s", "holds": True} | changes
    module = ModuleType("benchmarks.bench_sample")
    module.run = lambda: [row]
    monkeypatch.setitem(sys.modules, "benchmarks.bench_sample", module)
    return row


def test_the_figures_are_written_with_every_promised_key(monkeypatch, tmp_path):
    row = _bench(monkeypatch)
    console = Console(record=True, width=120)
    assert run.run(["sample"], console, tmp_path / "bench.json")
    assert json.loads((tmp_path / "bench.json").read_text()) == [row]
    assert "1,234" in console.export_text()


def test_an_aim_that_does_not_hold_fails_the_run(monkeypatch, tmp_path):
    _bench(monkeypatch, holds=False)
    assert not run.run(["sample"], Console(quiet=True), tmp_path / "bench.json")


def test_a_row_with_other_keys_is_refused(monkeypatch):
    _bench(monkeypatch, note="extra")
    with pytest.raises(ValueError, match="bench_sample"):
        run.rows_of("sample")
