"""Spider arguments: what cannot be meant is refused before a request, naming the argument and how to write it."""

import pytest
from scrapy.exceptions import UsageError
from scrapy.settings import Settings
from scrapy.spiderloader import SpiderLoader

from splitcart_spiders.arguments import known

REFUSED = [
    ({"store": None}, "No store was named"),
    ({"store": "  "}, "No store was named"),
    ({"store": "*"}, "-a store=*: the chain's own id of one store is wanted"),
    ({"store": "11 47"}, "-a store=11 47: the chain's own id"),
    ({"stoer": "1"}, "-a stoer=: .* takes no such argument; did you mean -a store=?"),
    ({"store": ".."}, "-a store=..: the chain's own id"),
    ({"store": "."}, "-a store=.: the chain's own id"),
    ({"store": "1..7"}, "-a store=1..7: the chain's own id"),
    ({"store": "../1147"}, "-a store=../1147: the chain's own id"),
    ({"store": "11/47"}, "-a store=11/47: the chain's own id"),
    ({"store": "-1147"}, "-a store=-1147: the chain's own id"),
    ({"store": "11\x1b[31m"}, "the chain's own id"),
    ({"store": "11\u202e47"}, "the chain's own id"),
    ({"store": "\u212a1147"}, "the chain's own id"),
    ({"store": "%2e%2e"}, "the chain's own id"),
    ({"store": "1" * 41}, "no id has more than 40 characters"),
    ({"store": "1" * 100_000}, "no id has more than 40 characters"),
    ({"probe": "9" * 5000}, "at most 999999999 is wanted"),
    ({"probe": "1" * 10}, "at most 999999999 is wanted"),
    ({"probe": "\u0663" * 5000}, "at most 999999999 is wanted"),
    ({"probe": "1e3"}, "-a probe=1e3: a whole number"),
    ({"categories": "a" * 10_001}, "at most 10000 characters are read"),
    ({"name": "other"}, "-a name=: .* takes no such argument"),
    ({"probe": "x"}, "-a probe=x: a whole number of 1 or more is wanted, for example -a probe=8"),
    ({"probe": ""}, "-a probe=: a whole number"),
    ({"probe": "0"}, "-a probe=0: a whole number"),
    ({"probe": "-1"}, "-a probe=-1: a whole number"),
    ({"probe": "²"}, "-a probe=²: a whole number"),
    ({"categories": ""}, "-a categories=: names are wanted, for example -a categories=a,b"),
    ({"categories": " , "}, "-a categories= , : names are wanted"),
    ({"dev": "ja"}, "-a dev=ja: yes or no is wanted, -a dev=1 or -a dev=0"),
    ({"dev": ""}, "-a dev=: yes or no is wanted"),
    ({"resume": "maybe"}, "-a resume=maybe: yes or no is wanted"),
    ({"wait": "60"}, "-a wait=60: yes or no is wanted"),
    ({"clock": "yes"}, "-a clock=yes: write -a clock=trust"),
    ({"clock": ""}, "-a clock=: write -a clock=trust"),
    ({"lease": ""}, "-a lease=: the lease_token that scripts/next_store.py printed is wanted"),
    ({"lease": "0a" * 15}, "the lease_token that"),
    ({"lease": "0a" * 17}, "the lease_token that"),
    ({"lease": "0A" * 16}, "the lease_token that"),
    ({"lease": "0x" * 16}, "the lease_token that"),
    ({"lease": "\u0660a" * 16}, "the lease_token that"),
]


def loaded() -> SpiderLoader:
    settings = Settings()
    settings.setmodule("splitcart_spiders.settings")
    return SpiderLoader.from_settings(settings)


CHAINS = ("aldi", "coles", "iga", "woolworths")


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize(("arguments", "message"), REFUSED)
def test_an_unknown_or_malformed_argument_is_refused_with_its_name_and_the_remedy(chain, arguments, message):
    spider = loaded().load(chain)
    with pytest.raises(UsageError, match=message.replace("*:", r"\*:").replace("=?", r"=\?")):
        spider(**({"store": "1147"} | arguments))


@pytest.mark.parametrize("argument", ["store", "probe", "categories", "dev", "wait", "resume", "lease", "\x1b[31mname"])
def test_no_refusal_repeats_a_control_character_or_a_long_text(argument):
    for value in ("\x1b[31m\u202e" * 3000, "\x9b" * 20_000, "x" * 100_000):
        with pytest.raises(UsageError) as refused:
            loaded().load("aldi")(**({"store": "1147"} | {argument: value}))
        assert str(refused.value).isprintable()
        assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("iga_stores", {"locations": "1,x"}, "-a locations=x: a whole number of 1 or more is wanted"),
        ("iga_stores", {"location": "1"}, "did you mean -a locations="),
        ("coles_stores", {"store": "1"}, "-a store=: coles_stores takes no such argument"),
        ("coles", {"gtins": "many"}, "-a gtins=many: a whole number of 0 or more is wanted"),
        ("coles", {"headful": "2"}, "-a headful=2: yes or no is wanted"),
        ("aldi", {"headful": "1"}, "-a headful=: aldi takes no such argument"),
    ],
)
def test_each_spider_refuses_arguments_of_other_spiders(name, arguments, message):
    store = {} if name.endswith("_stores") else {"store": "1147"}
    with pytest.raises(UsageError, match=message):
        loaded().load(name)(**store, **arguments)


def test_every_documented_argument_is_taken_and_scrapyds_own():
    given = {
        "store": " 1147 ",
        "dev": "Yes",
        "categories": "Fruit, dairy",
        "probe": "8",
        "resume": "1",
        "wait": "off",
        "clock": "Trust",
        "lease": f" {'0a' * 16} ",
    }
    spider = loaded().load("coles")(**given, headful="0", gtins="0", accept_fulfilment="1", _job="4f2a")
    assert (spider.store_code, spider.dev, spider.resume, spider.wait) == ("1147", True, True, False)
    assert (spider.wanted, spider.probe, spider.headful, spider.most_lookups) == ({"fruit", "dairy"}, 8, False, 0)
    assert spider.accept_fulfilment
    assert spider.trusts_clock
    assert spider.lease == "0a" * 16
    taken = ["store", "dev", "categories", "probe", "resume", "wait", "clock", "lease", "unlisted", "headful", "gtins"]
    assert known(type(spider)) == taken


def test_a_locator_takes_the_locations_to_ask_about():
    assert loaded().load("iga_stores")(locations="500, 1").locations == [1, 500]
