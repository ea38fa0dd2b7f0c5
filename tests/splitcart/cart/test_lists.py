"""Lists in their three forms: what each line asks for, and the error for a wrong one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitcart.cart import lists
from splitcart.cart.items import Wanted
from splitcart.cart.lists import ListError

COMPANIES = ("aldi", "coles", "iga", "woolworths")


def read(source, form="text", names=()):
    """The entries of a list; `names` are the known products."""
    folded = {name.casefold() for name in names}
    return lists.parse(source, form, COMPANIES, lambda asked: asked & folded)


def only(source, form="text", names=()):
    (entry,) = read(source, form, names)
    return entry


def amounts(entry):
    return [(each.item, each.quantity, each.quantity_unit) for each in (entry.wanted, *entry.substitutes)]


@pytest.mark.parametrize(
    ("text", "kind", "key"),
    [
        ("gtin:9300675024235", "gtin", "09300675024235"),
        ("GTIN:9300675024235", "gtin", "09300675024235"),
        ("product:17", "product", "17"),
        ("product:0017", "product", "17"),
        ("woolworths:888137", "sku", "888137"),
        ("Coles:5543001P", "sku", "5543001P"),
        ("Full Cream Milk 2L", "name", "full cream milk 2l"),
        ("Note: see the fridge", "name", "note: see the fridge"),
        ("2x milk", "name", "2x milk"),
        ("A|B", "name", "a|b"),
    ],
)
def test_an_item_is_a_barcode_a_product_a_sku_or_a_name(text, kind, key):
    assert (only(text).wanted.kind, only(text).wanted.key) == (kind, key)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("milk", ("milk", 1, None)),
        ("2 x milk", ("milk", 2, None)),
        ("12 X milk", ("milk", 12, None)),
        ("1.5 kg bananas", ("bananas", 1500, "g")),
        ("800 g bananas", ("bananas", 800, "g")),
        ("0.25 KG ham", ("ham", 250, "g")),
        ("2  x\tmilk", ("milk", 2, None)),
        ("2 x gtin:9300675024235", ("gtin:9300675024235", 2, None)),
    ],
)
def test_a_quantity_is_a_number_of_packs_or_a_weight(text, expected):
    assert amounts(only(text)) == [expected]


def test_a_line_that_is_a_known_name_is_not_read_as_quantity_and_item():
    name = "12 x 10pc Nuggets"
    assert amounts(only(name)) == [("10pc Nuggets", 12, None)]
    assert amounts(only("12 X 10PC nuggets", names=[name])) == [("12 X 10PC nuggets", 1, None)]
    assert amounts(only("3 x 12 x 10pc Nuggets", names=[name])) == [("12 x 10pc Nuggets", 3, None)]
    assert amounts(only("12 x 10pc Nuggets | 2 x fish", names=[name])) == [(name, 1, None), ("fish", 2, None)]
    assert amounts(only("Ham | Cheese Roll", names=["ham | cheese roll"])) == [("Ham | Cheese Roll", 1, None)]
    assert only("coles:brand tea", names=["Coles:Brand Tea"]).wanted.kind == "name"
    assert only("gtin:tonic", names=["GTIN:Tonic"]).wanted.kind == "name"


def test_a_substitute_has_the_lines_quantity_unless_it_has_its_own():
    entry = only("3 x milk | gtin:9300675024235 | 2 x product:5 | 500 g ham")
    expected = [("milk", 3, None), ("gtin:9300675024235", 3, None), ("product:5", 2, None), ("ham", 500, "g")]
    assert amounts(entry) == expected
    assert amounts(only("800 g ham | bacon"))[1] == ("bacon", 800, "g")


def test_comments_and_empty_lines_are_no_lines_and_the_others_count_from_one():
    entries = read("\ufeff# for the week\n\nmilk\n  # fruit\n   \n2 x bread\r\n")
    assert [(each.line, each.wanted.item) for each in entries] == [(1, "milk"), (2, "bread")]


def test_one_item_on_two_lines_is_two_lines():
    assert [each.line for each in read("milk\nmilk")] == [1, 2]


def test_csv_and_json_give_the_same_entries_as_text():
    text = read("2 x milk | tea\n1.5 kg bananas\ngtin:9300675024235 | 3 x product:4")
    table = 'item,quantity,substitutes\nmilk,2,tea\nbananas,1.5 kg,\n"gtin:9300675024235",,3 x product:4\n'
    values = [
        {"item": "milk", "quantity": 2, "quantity_unit": None, "substitutes": ["tea"]},
        {"item": "bananas", "quantity": 1500, "quantity_unit": "g", "substitutes": []},
        {"item": "gtin:9300675024235", "substitutes": [{"item": "product:4", "quantity": 3}]},
    ]
    assert read(table, "csv") == text
    assert read(json.dumps(values), "json") == text


def test_csv_columns_come_in_any_order_and_only_the_item_is_required():
    assert amounts(only("Quantity, ITEM \n3,milk\n", "csv")) == [("milk", 3, None)]
    assert amounts(only("item\n2 x milk\n", "csv")) == [("2 x milk", 1, None)]
    assert amounts(only('item,quantity\n"Biscuits, plain",2\n', "csv")) == [("Biscuits, plain", 2, None)]


@pytest.mark.parametrize(
    ("line", "accepted"),
    [
        ("0 x milk", "from 1 to 999"),
        ("1000 x milk", "from 1 to 999"),
        ("1.5 x milk", "whole number"),
        ("-2 x milk", "whole number"),
        ("1,5 kg bananas", "weight such as"),
        ("0 g ham", "weight such as"),
        ("0.0001 kg ham", "whole grams"),
        ("9999999 kg ham", "whole grams"),
        ("2 x", "an item is missing"),
        ("800 g", "an item is missing"),
        ("| milk", "an item is missing"),
        ("milk |", "an item is missing"),
        ("milk | | tea", "an item is missing"),
        ("milk | 2 x", "an item is missing"),
        ("gtin:", "a barcode of"),
        ("gtin:9300675024236", "a barcode of"),
        ("gtin:abc", "a barcode of"),
        ("gtin:2000000000008", "a barcode of"),
        ("product:0", "product:NUMBER"),
        ("product:x", "product:NUMBER"),
        ("product:99999999999999999999", "product:NUMBER"),
        ("kmart:17", "aldi, coles, iga, woolworths"),
        ("milk | kmart:17", "aldi, coles, iga, woolworths"),
        ("coles:", "coles:SKU"),
        ("coles:'; drop", "coles:SKU"),
        ("x" * 301, "1 to 300 characters"),
        (" | ".join(["milk"] * 22), "at most 20"),
    ],
)
def test_an_error_names_the_line_its_text_and_what_is_accepted(line, accepted):
    if line == "coles:'; drop":
        line = "coles:';drop"
    with pytest.raises(ListError) as raised:
        read(f"bread\n{line}\n")
    assert str(raised.value).startswith(f"line 2, `{line[:120]}")
    assert accepted in str(raised.value)


def test_all_faults_are_reported_at_once_up_to_twenty():
    with pytest.raises(ListError) as raised:
        read("kmart:1\nmilk\n0 x tea\n")
    assert [text.split(",")[0] for text in str(raised.value).splitlines()] == ["line 1", "line 3"]
    with pytest.raises(ListError) as raised:
        read("kmart:1\n" * 300)
    assert len(str(raised.value).splitlines()) == 20


@pytest.mark.parametrize(
    ("source", "form", "message"),
    [
        ("", "text", "empty"),
        ("# nothing\n", "text", "empty"),
        ("item\n", "csv", "empty"),
        ("[]", "json", "empty"),
        ("milk\n" * 501, "text", "at most 500 lines"),
        ("x" * 1_000_001, "text", "at most 1000000"),
        ("name\nmilk\n", "csv", "give the columns item, quantity, substitutes"),
        ("item,item\nmilk,tea\n", "csv", "give the columns"),
        ("item\nmilk,tea\n", "csv", "line 2.*more cells"),
        ('item\n"milk\n', "csv", "line .*no CSV"),
        ("item,quantity\nmilk,2.5\n", "csv", "line 2, `milk, 2.5`.*whole number"),
        ("item,quantity\nmilk,two\n", "csv", "line 2"),
        ("item,quantity\n,2\n", "csv", "line 2.*item is missing"),
        ("{}", "json", "a list"),
        ("[", "json", "no JSON"),
        ("[" * 100_000, "json", "no JSON"),
        ('[{"item": "milk", "item": "tea"}]', "json", "given twice"),
        ('[{"item": "milk", "quantity": NaN}]', "json", "not a number"),
        ('[{"quantity": 2}]', "json", "line 1.*the key item is missing"),
        ('[{"item": "milk", "price": 2}]', "json", "line 1.*price"),
        ('[{"item": "milk", "quantity": 2.0}]', "json", "line 1.*whole number"),
        ('[{"item": "milk", "quantity": true}]', "json", "line 1.*whole number"),
        ('[{"item": "milk", "quantity": 2, "quantity_unit": "kg"}]', "json", "line 1.*one of null, g"),
        ('[{"item": "milk", "quantity_unit": "g"}]', "json", "line 1.*a quantity with it"),
        ('[{"item": 17}]', "json", "line 1.*text"),
        ('["milk"]', "json", "line 1.*object"),
        ('[{"item": "milk", "substitutes": "tea"}]', "json", "line 1.*a list"),
        ('[{"item": "milk", "substitutes": [{"item": "tea", "substitutes": []}]}]', "json", "line 1.*substitutes"),
        ('[{"item": "milk", "substitutes": [null]}]', "json", "line 1.*object"),
    ],
)
def test_a_text_that_is_not_a_list_is_refused(source, form, message):
    with pytest.raises(ListError, match=message):
        read(source, form)


def test_names_are_asked_for_once():
    asked = []
    lists.parse("2 x milk | tea\nbread\n", "text", COMPANIES, lambda names: asked.append(names) or ())
    assert asked == [frozenset({"2 x milk | tea", "2 x milk", "milk", "tea", "bread"})]


@given(st.text(), st.sampled_from(["text", "csv", "json"]))
def test_any_text_is_a_list_or_a_list_error(source, form):
    try:
        entries = read(source, form)
    except ListError:
        return
    assert [each.line for each in entries] == list(range(1, len(entries) + 1))
    assert all(isinstance(each.wanted, Wanted) and each.wanted.quantity >= 1 for each in entries)


@given(st.text(alphabet="x |1.2kg:#abc\t", max_size=40))
def test_lines_of_the_grammars_own_signs_are_items_or_errors(source):
    message, entries = "", []
    try:
        entries = read(source)
    except ListError as error:
        message = str(error)
    assert entries or "line 1, `" in message or "empty" in message
    assert all(each.item for entry in entries for each in (entry.wanted, *entry.substitutes))
