"""A site is found by its folder: a fifth chain needs no line anywhere else."""

import re
import sys
from pathlib import Path

import pytest

from sandbox import chains
from sandbox.chains.aldi import site as aldi
from sandbox.chains.coles import site as coles
from sandbox.chains.iga import site as iga
from sandbox.chains.woolworths import site as woolworths
from sandbox.faults import KINDS
from sandbox.server import SandboxServer
from sandbox.sites import sites, switches
from sandbox.world import World
from tests.support.naive import Client

CORNER = """
from sandbox.shelf import blank, put_price
from sandbox.site import reply_json
from sandbox.goods.traits import Traits
from sandbox.tree import Node, Tree

TRAITS = Traits()
SWITCHES = {"corner_closed": "nothing is sold"}


def build(world):
    return Tree([Node("all", "All", "all", own=list(range(world.catalogue("corner").main)))])


def pack_grams(line):
    return 0


def truth(world, store, day, line, state):
    row = blank("Corner", store.store_code, line)
    put_price(row, int(state.offers.price[line.index]), None, None)
    return row


def answer(ask):
    rows = ask.world.truth("corner", ask.query["store"], 0)
    return reply_json([] if "corner_closed" in ask.switches else [row["sku"] for row in rows])
"""


@pytest.fixture
def corner(tmp_path, monkeypatch):
    folder = tmp_path / "corner"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "site.py").write_text(CORNER)
    monkeypatch.setattr(chains, "__path__", [*chains.__path__, str(tmp_path)])
    sites.cache_clear()
    switches.cache_clear()
    yield
    for name in [name for name in sys.modules if name.startswith("sandbox.chains.corner")]:
        del sys.modules[name]
    sites.cache_clear()
    switches.cache_clear()


def test_the_four_sites_stand_in_their_order():
    assert list(sites().values()) == [woolworths, coles, aldi, iga]


def test_every_switch_begins_with_its_chain():
    assert all(name.split("_")[0] in sites() for name in switches())


def test_a_fifth_chain_is_served_without_a_line_elsewhere(corner):
    world = World(products=30, stores=2)
    assert world.chains == ["woolworths", "coles", "aldi", "iga", "corner"]
    store = world.stores("corner")[0].store_code
    with SandboxServer(world) as server:
        client = Client(f"{server.url}/corner")
        seen = client.json(f"/anything?store={store}")
        assert sorted(seen) == [row["sku"] for row in world.truth("corner", store, 0)]
        server.switches.add("corner_closed")
        assert client.json(f"/anything?store={store}") == []
    assert world.prices_array("corner", 0)[2].shape == (2, 30)


def test_the_document_names_every_fault_and_switch():
    text = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text()
    documented = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", text, re.MULTILINE))
    assert documented == KINDS | switches()
