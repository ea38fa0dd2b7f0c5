"""scripts/replay.py: saved bodies in, one product a line out, and a summary that adds up."""

import gzip
import json
import subprocess
import sys

import pytest
import replay

from tests.support.tree import ROOT

SAMPLES = ROOT.parent / "shared" / "chains" / "samples"

INLINE = {
    "Bundles": [
        {
            "Products": [
                {
                    "Stockcode": 1111,
                    "Barcode": "9300633963583",
                    "DisplayName": "Inline Milk 1L",
                    "Price": 1.75,
                    "WasPrice": 2.5,
                    "CupPrice": 1.75,
                    "CupMeasure": "1L",
                    "PackageSize": "1L",
                }
            ]
        },
    ]
}
EXPECTED = {
    "inline": {"1111": (175, 250, "1L", 1.75, "l", "09300633963583", False)},
    "browse_category_bakery_bundles_trimmed_2026-09.json": {
        "6071665": (500, None, "680g", 7.4, "kg", "09339423010213", True),
        "713816": (460, None, "700g", 6.6, "kg", "09339423004809", False),
        "49622": (200, 480, "6 pack", 0.33, "ea", "09310043003014", False),
    },
    "search_products_milk_trimmed_2026-09.json": {
        "88436": (470, None, "2L", 2.35, "l", "09310199012717", True),
        "50923": (175, None, "1L", 1.75, "l", "09300633963583", False),
        "797407": (1050, None, "3L", 3.5, "l", "09335390000141", True),
        "330251": (410, None, "1L", 4.1, "l", "09310232954790", False),
        "239521": (730, None, "2L", 3.65, "l", "09335390002244", False),
        "789208": (630, None, "2L", 3.15, "l", "09351566000302", False),
    },
}
"""By hand from the bodies: price, price before, size, unit price, its unit, barcode, advertised."""

FOUND = ["inline", *(name for name in EXPECTED if (SAMPLES / "woolworths" / name).exists())]
SYNTHETIC = [(path.parent.name, path) for path in sorted(SAMPLES.glob("*/synthetic_*.json"))]


@pytest.fixture
def run(capsys):
    """Runs the script; gives its exit code, products in order, its summary and all of standard error."""

    def replayed(*arguments):
        try:
            code = replay.main([str(argument) for argument in arguments])
        except SystemExit as ended:
            code = ended.code
        out, err = capsys.readouterr()
        products = [json.loads(line) for line in out.splitlines()]
        last = err.splitlines()[-1] if err else ""
        return code, products, json.loads(last) if last.startswith("{") else None, err

    return replayed


def saved(folder, body, name="body.json"):
    path = folder / name
    path.write_text(body if isinstance(body, str) else json.dumps(body), encoding="utf-8")
    return path


def summary_adds_up(summary):
    return summary["read"] == summary["kept"] + sum(summary["dropped"].values())


@pytest.mark.parametrize("name", FOUND)
def test_captured_woolworths_bodies_give_the_products_read_by_hand(run, name, tmp_path):
    path = saved(tmp_path, INLINE) if name == "inline" else SAMPLES / "woolworths" / name
    code, products, summary, _ = run("woolworths", path, "--store", "1147", "--now", "2026-09-16T10:00:00+10:00")
    fields = ("price_cents", "was_price_cents", "size", "unit_price", "unit_of_measure", "gtin", "sponsored")
    assert code == 0
    assert {row["sku"]: tuple(row[field] for field in fields) for row in products} == EXPECTED[name]
    assert all(row["is_on_special"] == (row["was_price_cents"] is not None) for row in products)
    assert all((row["store_id"], row["scraped_at"]) == ("1147", "2026-09-16T00:00:00+00:00") for row in products)
    assert [row["sponsored"] for row in products] == sorted(row["sponsored"] for row in products)
    assert summary == {"read": len(products), "kept": len(products), "dropped": {}, "events": {}}


@pytest.mark.parametrize(("chain", "path"), [("woolworths", None), *SYNTHETIC])
def test_minimal_records_give_products_or_counted_drops(run, chain, path, tmp_path):
    code, products, summary, _ = run(chain, path or saved(tmp_path, [{"Products": [{}, None, {"Stockcode": 1}]}]))
    assert code == 0
    assert len({row["sku"] for row in products}) == len(products) == summary["kept"]
    assert summary["read"] > 0
    assert summary_adds_up(summary)


def woolworths_row(sku=1, **fields):
    return {"Stockcode": sku, "Name": "Milk", "Price": 2, **fields}


def test_organic_rows_come_first_and_replace_advertised_ones(run, tmp_path):
    rows = [
        woolworths_row(1, IsSponsoredAd=True),
        woolworths_row(2, IsSponsoredAd=True),
        woolworths_row(3),
        woolworths_row(1),
        woolworths_row(1, IsSponsoredAd=True),
        woolworths_row(3),
        {"Stockcode": 1128022171, "Name": "Other seller's", "Price": 5},
    ]
    code, products, summary, _ = run("woolworths", saved(tmp_path, rows))
    assert code == 0
    assert [(row["sku"], row["sponsored"]) for row in products] == [("1", False), ("3", False), ("2", True)]
    dropped = {"advertised_after_organic": 1, "marketplace": 1, "organic_again": 1, "replaced": 1}
    assert (summary["read"], summary["kept"], summary["dropped"]) == (7, 3, dropped)


COLES = {"_type": "PRODUCT", "id": 5, "name": "Milk", "size": "1L", "pricing": {"now": 2, "comparable": "$2.00/ 1L"}}
COLES_PROPS = {"searchResults": {"results": [COLES, {"_type": "SINGLE_TILE"}]}}
ALDI = {"sku": "000000000000457910", "name": "Oats", "price": {"amount": 469}}
IGA = {"productId": "31218", "name": "Milk", "wholePrice": 3.35}
BODIES = {
    "woolworths": [{"Products": [{"Products": [woolworths_row()]}]}, [woolworths_row()]],
    "coles": [{"pageProps": COLES_PROPS}, [COLES]],
    "aldi": [{"data": [ALDI]}, [ALDI]],
    "iga": [{"items": [IGA]}, [IGA], [IGA | {"sku": "31218"}]],
}
"""A body of one product, and a bare list of its record."""


@pytest.mark.parametrize(
    ("chain", "body", "price"),
    [
        ("woolworths", {"Products": [{"Products": [woolworths_row()]}]}, 200),
        ("woolworths", [woolworths_row()], 200),
        ("coles", {"pageProps": COLES_PROPS}, 200),
        ("coles", COLES_PROPS, 200),
        ("coles", [COLES], 200),
        ("coles", "\ufeff" + json.dumps({"pageProps": COLES_PROPS}), 200),
        (
            "coles",
            "\n<!DOCTYPE html><html><script id='__NEXT_DATA__' type='application/json'>"
            + json.dumps({"props": {"pageProps": COLES_PROPS}})
            + "</script></html>",
            200,
        ),
        ("aldi", {"data": [ALDI]}, 469),
        ("aldi", [{"data": [ALDI]}, {"data": []}], 469),
        ("woolworths", [{"Bundles": [{"Products": [woolworths_row()]}]}], 200),
        ("coles", [{"pageProps": COLES_PROPS}], 200),
        ("iga", [{"items": [IGA], "total": 1}], 335),
        ("iga", {"items": [IGA]}, 335),
    ],
)
def test_every_chains_envelopes_are_read(run, chain, body, price, tmp_path):
    code, products, summary, _ = run(chain, saved(tmp_path, body))
    assert (code, [row["price_cents"] for row in products]) == (0, [price])
    assert summary_adds_up(summary)


@pytest.mark.parametrize(
    "content",
    ["", "not json", '{"cut": ', "[" * 200_000, "<title>Pardon Our Interruption</title>", "<script id='__N"],
)
@pytest.mark.parametrize("chain", ["coles", "woolworths"])
def test_a_file_that_is_no_body_fails_by_name_and_the_others_are_still_read(run, chain, content, tmp_path):
    good = saved(tmp_path, [COLES if chain == "coles" else woolworths_row()], "good.json")
    code, products, _, stderr = run(chain, saved(tmp_path, content, "bad.json"), good)
    assert code == 1
    assert "bad.json" in stderr
    assert len(products) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_body_is_read_in_every_encoding_that_its_first_bytes_name(run, encoding, tmp_path):
    path = tmp_path / "body.json"
    path.write_bytes(json.dumps([woolworths_row(Name="Caf\u00e9")], ensure_ascii=False).encode(encoding))
    code, products, _, _ = run("woolworths", path)
    assert (code, [row["name"] for row in products]) == (0, ["Caf\u00e9"])


@pytest.mark.parametrize(
    ("content", "remedy"),
    [
        (b"", "empty; save the response body again"),
        (b"\xef\xbb\xbf \n\0", "empty; save the response body again"),
        (gzip.compress(b"[]", mtime=0), "compressed; unpack it first"),
        (b"PK\x03\x04", "compressed; unpack it first"),
        (b'{"items": [', "not JSON"),
        (b"<html>Access Denied</html>", "save a listing or a product page"),
    ],
)
def test_a_file_that_is_no_body_is_named_with_the_remedy(run, content, remedy, tmp_path):
    path = tmp_path / "body.json"
    path.write_bytes(content)
    code, products, _, stderr = run("coles", path)
    assert (code, products) == (1, [])
    assert f"{path}: " in stderr
    assert remedy in stderr


def test_a_missing_file_fails_by_name(run, tmp_path):
    code, products, _, stderr = run("iga", tmp_path / "nowhere.json")
    assert (code, products) == (1, [])
    assert "nowhere.json" in stderr


def test_a_folder_is_no_body(run, tmp_path):
    assert run("iga", tmp_path)[0] == 1


def test_a_file_too_large_is_refused_before_it_is_decoded(run, tmp_path, monkeypatch):
    monkeypatch.setattr(replay, "LARGEST_BYTES", 100)
    code, _, _, stderr = run("iga", saved(tmp_path, " " * 101))
    assert code == 1
    assert "larger than" in stderr


def test_a_body_without_records_is_noted(run, tmp_path):
    code, products, summary, stderr = run("aldi", saved(tmp_path, {"error": 1}))
    assert (code, products, summary["read"]) == (0, [], 0)
    assert "body.json: no records of aldi" in stderr


@pytest.mark.parametrize("chain", ["nobody", "..", "os", "", "chains.woolworths"])
def test_an_unknown_chain_is_refused_by_name(run, chain, tmp_path):
    code, products, _, stderr = run(chain, saved(tmp_path, []))
    assert (code, products) == (2, [])
    assert "mapping" in stderr


@pytest.mark.parametrize("mine", BODIES)
@pytest.mark.parametrize("theirs", BODIES)
def test_a_body_of_another_chain_fails_and_names_its_chain(run, mine, theirs, tmp_path):
    for body in BODIES[theirs]:
        code, products, _, stderr = run(mine, saved(tmp_path, body))
        assert (code, len(products)) == ((0, 1) if mine == theirs else (1, 0)), body
        assert (f"a body of {theirs}, not of {mine}: write replay.py {theirs}" in stderr) == (mine != theirs)


def test_a_body_of_another_chain_leaves_the_other_files_read(run, tmp_path):
    wrong, right = saved(tmp_path, {"data": [ALDI]}, "a.json"), saved(tmp_path, {"items": [IGA]}, "b.json")
    code, products, _, _ = run("iga", wrong, right)
    assert (code, [row["sku"] for row in products]) == (1, ["31218"])


def test_a_time_that_is_none_is_refused(run, tmp_path):
    assert run("aldi", saved(tmp_path, []), "--now", "yesterday")[0] == 2


def test_it_runs_as_a_script_from_anywhere(tmp_path):
    command = [sys.executable, str(ROOT / "scripts" / "replay.py"), "woolworths", str(saved(tmp_path, INLINE))]
    outcome = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    assert json.loads(outcome.stdout)["sku"] == "1111"
