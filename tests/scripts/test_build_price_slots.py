"""build_price_slots, and split_cart on a list, as an operator runs them."""

import json
from dataclasses import fields

import build_price_slots
import pytest
import split_cart
from sqlalchemy import text

from models.database import engine as engines
from splitcart.cart.slots import Option
from tests.support.storage import crawl, query, row

LIST = "2 x Product 1\nproduct:999\n"
NEAR = ["--near", "-33.87,151.2", "--radius", "5"]


@pytest.fixture
def town(database_url, monkeypatch):
    """Two stores with prices, the first near Sydney, in the database that DATABASE_URL names."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    engine = engines.create(database_url)
    crawl(engine, [row(1, 300), row(2, 200)], store="1")
    crawl(engine, [row(1, 250)], store="2")
    with engine.begin() as connection:
        connection.execute(text("UPDATE stores SET latitude = -33.9, longitude = 151.2 WHERE store_code = '1'"))
    yield engine
    engine.dispose()


@pytest.fixture
def shopping(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text(LIST)
    return str(path)


def printed(capsys):
    return json.loads(capsys.readouterr().out)


def test_what_has_changed_is_built_once_and_reported(town, capsys):
    assert build_price_slots.main(["--json"]) == 0
    assert printed(capsys)["rows"] == 3
    assert build_price_slots.main(["--json"]) == 0
    assert printed(capsys) | {"seconds": 0} == {"marks": 0, "products": 0, "stores": 0, "rows": 0, "seconds": 0}
    assert build_price_slots.main(["--all"]) == 0
    assert capsys.readouterr().out.startswith("3 slots written in ")


@pytest.mark.parametrize("stores", [["--stores", "woolworths:1"], NEAR])
def test_the_slots_of_a_list_are_printed_at_the_stores_chosen(town, shopping, capsys, stores):
    assert build_price_slots.main(["--list", shopping, *stores, "--json"]) == 0
    found = printed(capsys)
    assert [store["store"] for store in found["stores"]] == ["woolworths:1"]
    first, second = found["lines"]
    [option] = first["options"]
    assert set(option) == {field.name for field in fields(Option)} | {"total_price_cents"}
    assert (option["unit_price_cents"], option["total_price_cents"], first["reason"]) == (300, 600, None)
    assert (second["options"], second["reason"]) == ([], "unknown item")


def test_the_slots_of_a_list_are_a_table_with_the_reason_of_each_empty_line(town, shopping, capsys):
    assert build_price_slots.main(["--list", shopping, "--stores", "woolworths:1,woolworths:2"]) == 0
    out = capsys.readouterr().out
    assert all(words in out for words in ("$3.00", "$2.50", "unknown item"))


@pytest.mark.parametrize("line", ["0 x Product 1", "spar:17"], ids=["malformed", "unknown company"])
def test_a_list_that_cannot_be_meant_is_refused_before_anything_is_built(town, shopping, capsys, line):
    with open(shopping, "a") as file:
        file.write(line + "\n")
    where = ["--stores", "woolworths:1"]
    for main, arguments in ((build_price_slots.main, ["--list", shopping]), (split_cart.main, [shopping])):
        with pytest.raises(SystemExit, match="2"):
            main([*arguments, *where])
        out, err = capsys.readouterr()
        assert out == ""
        assert "line 3" in err
        assert line in err
    assert query(town, "SELECT count(*) FROM price_slots") == [(0,)]
    assert query(town, "SELECT count(*) > 0 FROM slot_dirty")[0][0]


def test_a_list_is_planned_from_slots_that_are_built_for_it(town, shopping, capsys):
    assert split_cart.main([shopping, "--stores", "woolworths:1,woolworths:2", "--json"]) == 0
    best = printed(capsys)["plans"][0]
    assert (best["stores"], best["total_cents"], best["is_optimal"]) == (["woolworths:2"], 500, True)


def test_more_stores_near_a_place_than_can_be_planned_are_reported(town, shopping, capsys, monkeypatch):
    monkeypatch.setattr("_cart.lists.MAX_STORES", 1)
    with town.begin() as connection:
        connection.execute(text("UPDATE stores SET latitude = -33.88, longitude = 151.2 WHERE store_code = '2'"))
    assert build_price_slots.main(["--list", shopping, *NEAR, "--json"]) == 0
    out, err = capsys.readouterr()
    assert [store["store"] for store in json.loads(out)["stores"]] == ["woolworths:2"]
    assert "2 stores lie within 5 km of --near: the nearest 1 are taken" in err
