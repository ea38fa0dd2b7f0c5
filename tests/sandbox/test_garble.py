"""The sandbox garbles the same rows each time, and nothing else in an answer."""

import json

import pytest

from sandbox import garble
from sandbox.faults import Fault
from sandbox.site import Reply, reply_html, reply_json

BODIES = {
    "woolworths": {"Bundles": [{"Products": [{"Stockcode": 11, "DisplayName": "Milk", "Name": "Milk", "Price": 2}]}]},
    "coles": {"pageProps": {"searchResults": {"results": [
        {"_type": "PRODUCT", "id": 11, "name": "Milk", "pricing": {"now": 2}}, {"_type": "SINGLE_TILE"},
    ]}}},
    "aldi": {"data": [{"sku": "000000000000000011", "name": "Milk", "price": {"amount": 200}}]},
    "iga": {"items": [{
        "productId": "11", "sku": "11", "name": "Milk", "wholePrice": 2, "priceNumeric": 2, "price": "$2.00",
        "tprPrice": [], "sellBy": "EachUnit",
    }]},
}  # fmt: skip
CHAINS = sorted(BODIES)


def shown(chain: str, kind: str, value: float | None = 1.0, form: str = "") -> str:
    return garble.garbled(chain, reply_json(BODIES[chain]), kind, value, form).body.decode()


def row_of(chain: str, body: str) -> dict:
    found = list(garble._ROWS[chain](json.loads(body)))
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("chain", CHAINS)
def test_a_renumbered_row_has_another_sku_and_all_else_as_before(chain: str) -> None:
    before, after = (row_of(chain, body) for body in (json.dumps(BODIES[chain]), shown(chain, "renumbered")))
    sku = garble.sku_of(chain, before)
    assert garble.sku_of(chain, after) == garble.renumbered(chain, sku) != sku
    assert {key: after[key] for key in after if after[key] != before[key]}.keys() <= {
        "Stockcode",
        "id",
        "sku",
        "productId",
    }


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("form", garble.PRICES)
def test_an_unreadable_price_has_the_value_of_its_form(chain: str, form: str) -> None:
    body = shown(chain, "unreadable_prices", form=form)
    assert json.dumps(garble.PRICES[form]) in body.replace(":{", ": {").replace('":', '": ')
    assert row_of(chain, body) != row_of(chain, json.dumps(BODIES[chain]))
    assert any(garble.PRICES[each] != 2 for each in garble.PRICES)


@pytest.mark.parametrize("chain", CHAINS)
def test_only_loose_goods_lose_their_basis(chain: str) -> None:
    changed = shown(chain, "unreadable_prices", form=garble.BASIS) != reply_json(BODIES[chain]).body.decode()
    assert changed is (chain == "iga")


@pytest.mark.parametrize("chain", CHAINS)
def test_an_unreadable_name_is_no_text(chain: str) -> None:
    row = row_of(chain, shown(chain, "unreadable_names"))
    names = [row[key] for key in ("name", "Name", "DisplayName") if key in row]
    assert names
    assert all(not isinstance(name, str) or not name.strip("\0 ") for name in names)


@pytest.mark.parametrize("kind", garble.KINDS)
def test_a_share_of_the_rows_is_struck_the_same_ones_each_time(kind: str) -> None:
    skus = [str(number) for number in range(2000)]
    some = {sku for sku in skus if garble.is_struck(kind, sku, 0.1)}
    assert 100 < len(some) < 300
    assert some < {sku for sku in skus if garble.is_struck(kind, sku, 0.2)}
    assert not any(garble.is_struck(kind, sku, 0) for sku in skus)
    assert all(garble.is_struck(kind, sku, 1) for sku in skus)


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("kind", garble.KINDS)
def test_an_answer_without_rows_stays_as_it_is(chain: str, kind: str) -> None:
    for reply in (reply_html("<p>"), reply_json({}), reply_json([]), reply_json({"data": None}), Reply(400, b"{}")):
        changed = garble.garbled(chain, reply, kind, 1.0, "")
        assert (changed.status, changed.body) == (reply.status, reply.body)


def test_an_unknown_form_of_a_price_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="unknown form 'free' of unreadable_prices: one of text, zero"):
        Fault("unreadable_prices", form="free")
