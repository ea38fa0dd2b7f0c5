from benchmarks import run
from tests.support.tree import ROOT


def test_every_benchmark_is_explained():
    text = (ROOT / "docs" / "benchmarks.md").read_text()
    assert [name for name in run.names() if f"`benchmarks/bench_{name}.py`" not in text] == []
