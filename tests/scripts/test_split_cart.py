"""The split's command line: what it prints, what it refuses, its exit codes."""

import csv
import io
import json
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
import split_cart

from tests.support import cart_plans, cart_worlds, carts
from tests.support.tree import ROOT

HOSTILE = "<script>alert(1)</script>[bold]Milk[/] \x1b[31m\u202e & \"quoted\" 'x' =1+1"


@pytest.fixture
def slots(tmp_path):
    """A document of 12 lines at 6 stores, one line without an option."""
    document, _ = cart_worlds.world(1, 12, 6, offers=0.5)
    document["lines"].append(carts.line(13, []) | {"reason": "unknown item"})
    return saved(tmp_path, document)


def saved(folder: Path, document) -> str:
    path = folder / "slots.json"
    path.write_text(json.dumps(document))
    return str(path)


def planned(capsys, *arguments):
    """(exit code, standard output, standard error) of a run in this process."""
    try:
        code = split_cart.main([str(each) for each in arguments])
    except SystemExit as error:
        code = error.code
    out, err = capsys.readouterr()
    return code, out, err


def test_json_is_the_answer_of_the_contract(slots, capsys):
    code, out, err = planned(capsys, "--slots", slots, "--max-stores", 3, "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    document = json.loads(Path(slots).read_text())
    plans = cart_plans.plans(document, carts.Terms(), 3)
    assert [plan["total_cents"] for plan in found["plans"]] == [plan.total_cents for plan in plans]
    assert found["plans"][2]["unfilled"] == [{"line": 13, "item": "product:13", "reason": "unknown item"}]


def test_people_get_every_plan_the_recommended_one_and_what_it_saves(slots, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "250")
    code, out, _ = planned(capsys, "--slots", slots, "--max-stores", 2)
    assert code == 0
    for words in ("Plans", "recommended", "proven cheapest", "Best single store", "Baseline", "Saves $", "Not bought"):
        assert words in out
    assert "own, 2 days ago" in out


def test_csv_has_a_row_for_each_line_and_no_formula(tmp_path, capsys):
    of = carts.store("aldi", 1)
    lines = [carts.line(1, [carts.option(of, 1, 100, product_name="=1+1")]), carts.line(2, [], item="-2")]
    code, out, _ = planned(capsys, "--slots", saved(tmp_path, carts.document([of], lines)), "--csv")
    assert code == 0
    first, second = csv.DictReader(io.StringIO(out))
    assert (first["product_name"], first["cost_cents"], first["reason"]) == ("'=1+1", "100", "")
    assert (second["item"], second["store"], second["reason"]) == ("'-2", "", "not sold at these stores")


def test_terms_are_taken_from_the_options(slots, tmp_path, capsys):
    fees = tmp_path / "fees.toml"
    fees.write_text(
        "[coles]\nfee_cents = 777\n[aldi]\nfee_cents = 777\n[iga]\nfee_cents = 777\n[woolworths]\nfee_cents = 777"
    )
    options = ("--fees", fees, "--visit-cents", 55, "--home", "-33.9,151.1", "--cents-per-km", 10, "--member", "Coles")
    code, out, _ = planned(capsys, "--slots", slots, "--max-stores", 1, "--json", *options)
    (plan,) = json.loads(out)["plans"]
    assert (code, plan["fees_cents"], plan["visits_cents"]) == (0, 777, 55)
    assert plan["trip_cents"] > 0


def test_stores_narrow_the_document(slots, capsys):
    code, out, _ = planned(capsys, "--slots", slots, "--stores", "coles:101,coles:105", "--json", "--max-stores", 3)
    assert code == 0
    assert {store for plan in json.loads(out)["plans"] for store in plan["stores"]} <= {"coles:101", "coles:105"}


def test_what_a_stop_has_to_save_decides_what_is_recommended(tmp_path, capsys):
    one, two = carts.store("aldi", 1), carts.store("coles", 1)
    options = [
        [carts.option(one, at, 1000), carts.option(two, at, 1000 + cents)] for at, cents in ((1, 200), (2, -300))
    ]
    slots = saved(tmp_path, carts.document([one, two], [carts.line(at + 1, each) for at, each in enumerate(options)]))
    recommended = []
    for worth in ("300", "301"):
        _, out, _ = planned(capsys, "--slots", slots, "--worth-cents", worth, "--json")
        recommended.append(json.loads(out)["recommended"])
    assert recommended == [1, 1]
    _, out, _ = planned(capsys, "--slots", slots, "--worth-cents", "200", "--json")
    assert json.loads(out)["recommended"] == 2


def test_nothing_to_buy_anywhere_is_exit_3_with_the_reasons(tmp_path, capsys):
    document = carts.document([carts.store("aldi", 1)], [carts.line(1, []), carts.line(2, [])])
    code, out, err = planned(capsys, "--slots", saved(tmp_path, document), "--json")
    assert code == 3
    assert [each["reason"] for each in json.loads(out)["plans"][0]["unfilled"]] == ["not sold at these stores"] * 2
    assert "nothing on the list can be bought" in err


def test_an_infeasible_list_is_an_answer_with_exit_0(tmp_path, capsys):
    of = carts.store("aldi", 1)
    document = carts.document([of], [carts.line(1, [carts.option(of, 1, 100)])])
    fees = tmp_path / "fees.toml"
    fees.write_text("[aldi]\nminimum_cents = 5000")
    code, out, _ = planned(capsys, "--slots", saved(tmp_path, document), "--json", "--fees", fees)
    assert code == 0
    assert json.loads(out)["plans"][0]["unfilled"][0]["reason"] == "the minimum order is not met: $50.00 at aldi:1"
    code, out, _ = planned(capsys, "--slots", saved(tmp_path, document), "--fees", fees)
    assert (code, "no set of stores meets its minimum orders" in out) == (0, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--max-stores", "0"], "from 1 to 10"),
        (["--max-stores", "11"], "from 1 to 10"),
        (["--stores", "coles"], "COMPANY:STORE"),
        (["--stores", "coles:999"], "the document has aldi:100"),
        (["--member", "kmart"], "aldi, coles, iga, woolworths"),
        (["--home", "-33.9"], "LAT,LON"),
        (["--home", "-93.9,151"], "LAT,LON"),
        (["--home", "-33.9,151"], "--cents-per-km"),
        (["--cents-per-km", "7"], "--home"),
        (["--visit-cents", "-1"], "from 0"),
        (["--visit-cents", "1.5"], "whole number"),
        (["--worth-cents", "x"], "whole number"),
        (["--deadline", "0"], "from 0.1"),
        (["--deadline", "nan"], "from 0.1"),
        (["--fees", "/nowhere/fees.toml"], "No such file"),
        (["--json", "--csv"], "one of"),
        (["list.txt"], "a document of slots has its own list"),
    ],
)
def test_an_option_that_cannot_be_meant_is_refused_with_exit_2(slots, capsys, options, message):
    code, out, err = planned(capsys, "--slots", slots, *options)
    assert (code, out) == (2, "")
    assert message in err


def test_wrong_fees_and_documents_are_one_line_and_exit_2(slots, tmp_path, capsys):
    fees = tmp_path / "fees.toml"
    fees.write_text("[kmart]\nfee_cents = 1")
    code, _, err = planned(capsys, "--slots", slots, "--fees", fees)
    assert (code, len(err.splitlines())) == (2, 1)
    assert "kmart" in err
    for text in ("{", '{"version": 1}', "\udcff"):
        path = tmp_path / "broken.json"
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        code, out, err = planned(capsys, "--slots", path)
        assert (code, out) == (2, "")
        assert "slots" in err


def test_without_a_document_the_remedy_is_named(capsys):
    assert planned(capsys)[0] == 2
    code, _, err = planned(capsys, "list.txt", "--stores", "coles:1")
    assert (code, "--slots FILE" in err) == (2, True)


def test_a_page_that_cannot_be_written_is_exit_1(slots, capsys):
    code, out, err = planned(capsys, "--slots", slots, "--html", "/nowhere/plan.html")
    assert (code, out) == (1, "")
    assert "/nowhere" in err


def test_a_page_replaces_the_old_one_completely(slots, tmp_path, capsys):
    page = tmp_path / "plan.html"
    page.write_text("old")
    assert planned(capsys, "--slots", slots, "--html", page, "--json")[0] == 0
    assert page.read_text().startswith("<!doctype html>")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["plan.html", "slots.json"]


@pytest.mark.parametrize("form", [[], ["--csv"], ["--json"]])
def test_text_from_outside_moves_no_cursor_and_is_no_markup(tmp_path, capsys, monkeypatch, form):
    monkeypatch.setenv("COLUMNS", "400")
    of = carts.store("aldi", 1, HOSTILE) | {"store_address": HOSTILE, "company_name": HOSTILE}
    fields = {
        "product_name": HOSTILE,
        "size": HOSTILE,
        "department": HOSTILE,
        "unit_of_measure": HOSTILE,
        "unit_price": 1,
    }
    lines = [carts.line(1, [carts.option(of, 1, 100, **fields)], item=HOSTILE), carts.line(2, [], item=HOSTILE)]
    code, out, err = planned(capsys, "--slots", saved(tmp_path, carts.document([of], lines)), *form)
    assert (code, err) == (0, "")
    assert {sign for sign in out if sign != "\n" and unicodedata.category(sign) in {"Cc", "Cf", "Cs"}} == set()
    assert "[bold]Milk[/]" in out


def test_it_runs_as_a_process_of_its_own_and_reads_standard_input(slots):
    command = [sys.executable, str(ROOT / "scripts" / "split_cart.py"), "--slots", "-", "--json", "--max-stores", "2"]
    with Path(slots).open() as document:
        done = subprocess.run(command, stdin=document, capture_output=True, text=True, timeout=60, cwd="/")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["version"] == 1
