"""The benchmark of publishing measures every figure it names, on little data."""

import pytest

from benchmarks import bench_publish
from benchmarks.run import KEYS
from benchmarks.storage_rows import barcode, rows


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_every_figure_is_measured_on_each_database(kind, postgres_server, monkeypatch):
    monkeypatch.setattr(bench_publish, "LISTINGS", 40)
    monkeypatch.setattr(bench_publish, "OTHERS", 80)
    monkeypatch.setattr(bench_publish, "TURNS", 2)
    found = [bench_publish.memory(kind, postgres_server, rows(40))]
    found += bench_publish.measured(kind, postgres_server)
    assert all(set(row) == set(KEYS) for row in found)
    names = " / ".join(row["name"] for row in found)
    assert all(words in names for words in ("memory", "first run of 40", "unchanged", "beside 80", "stall p99"))
    assert all(row["value"] >= 0 for row in found)


def test_the_made_up_products_have_true_barcodes():
    assert barcode(10) is None
    assert [len(barcode(number) or "") for number in (1, 2, 3)] == [14, 14, 14]
