"""No text from outside keeps an expression busy: each has a bound, and within it none takes quadratic time."""

import ast
import importlib
import pkgutil
import random
import time

import pytest

from splitcart import cleaning
from splitcart.identity import brands
from splitcart.offers import unit_prices
from splitcart.patterns import IGNORE_CASE, Pattern
from splitcart.sizes import packs
from tests.support import tree
from tests.support.tree import PACKAGES

SECONDS = 2.0
"""Seconds of processor time; a quadratic expression takes minutes for the longest texts here."""
LONGEST = 200_000
PIECES = (
    *" a1x<>(),.&=/-;:$'\"_~×\n\t0",
    *(
        "  ",
        "1,",
        "1,234,",
        "ab ",
        "a1",
        "1x",
        "1 x ",
        "1g",
        "1g x ",
        "&#9",
        "&a",
        "for $1",
        "1 for",
        "approx ",
        "per ",
    ),
    *("<h1>", "<script>", "</script", "</script>", "<title", "<style>", "type=", "id =", "data-storedata="),
)


def expressions() -> dict[str, Pattern]:
    """Every expression that a module of the packages holds, by `module.name`."""
    expressions_of: dict[str, Pattern] = {}

    def take(name: str, value: object) -> None:
        if isinstance(value, Pattern):
            expressions_of[name] = value
        elif isinstance(value, tuple):
            for at, inner in enumerate(value):
                take(f"{name}[{at}]", inner)

    for package in PACKAGES:
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            if "migrations" not in module.name:
                for name, value in vars(importlib.import_module(module.name)).items():
                    take(f"{module.name}.{name}", value)
    return expressions_of


def pumped(rng: random.Random) -> list[str]:
    """The parts that are repeated to make a text: each piece, and many combinations of two or three."""
    pairs = ["".join(rng.choices(PIECES, k=rng.choice((2, 2, 3)))) for _ in range(60)]
    return [*PIECES, *pairs]


def spent(pattern: Pattern, text: str) -> float:
    begun = time.process_time()
    pattern.fullmatch(text)
    pattern.match(text)
    sum(1 for _ in pattern.finditer(text))
    return time.process_time() - begun


def test_no_expression_of_the_packages_goes_quadratic():
    known = expressions()
    assert len(known) > 30
    slow = []
    for name, pattern in known.items():
        for piece in pumped(random.Random(name)):
            for length in (4_000, 16_000, 64_000, LONGEST) if pattern.most > 4_000 else (pattern.most,):
                cost = spent(pattern, (piece * (length // len(piece) + 1))[: length - 1] + "!")
                if cost > SECONDS * min(1, length / 10_000):
                    slow.append(f"{name} of {length} x {piece!r}: {cost:.2f} s")
                    break
    assert slow == []


UNBOUNDED = {"models/database/engine.py", "models/database/secrets.py", "splitcart/printing.py"}
"""Addresses and drivers' messages, in a package that must load without `splitcart`: each repetition has a bound of its
own. And a class of single characters, which a text of any length must lose."""


def test_every_expression_is_bounded_by_the_one_helper():
    """`re` itself is called in splitcart/patterns.py alone."""
    ours = {*PACKAGES, "scripts"} - {"sandbox"}
    calls = [
        f"{module.path}:{node.lineno} re.{node.attr}"
        for module in tree.code()
        if module.top in ours and module.path.as_posix() not in {"splitcart/patterns.py", *UNBOUNDED}
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "re"
    ]
    assert calls == []


def test_no_expression_sees_more_than_its_bound():
    pattern = Pattern("a+b?", most=10)
    assert pattern.fullmatch("a" * 10)
    assert pattern.fullmatch("a" * 11) is None
    assert pattern.match("a" * 99)[0] == "a" * 10
    assert pattern.search(" " * 9 + "ab")[0] == "a"
    assert pattern.search(" " * 10 + "ab") is None
    assert pattern.search("ab ab", 1)[0] == "ab"
    assert pattern.findall(" a" * 99) == ["a"] * 5
    assert len(list(pattern.finditer(" a" * 99))) == 5
    assert pattern.sub("-", "xxxxxxxxxaaaa") == "xxxxxxxxx-"
    assert Pattern("-", most=3).split("a-b-c-d") == ["a", "b"]


def test_ignoring_case_makes_no_letter_of_a_sign():
    pattern = Pattern("script", 10, IGNORE_CASE)
    assert pattern.fullmatch("SCRIPT")
    assert pattern.fullmatch("\u017fcript") is None


@pytest.mark.parametrize(
    "piece", ["&", " ", "  &  ", "\u2019", "\u00e9 ", "a", "1", "(", "(a", "1g x ", "1,234", "\u212b"]
)
def test_names_of_any_length_are_read_quickly(piece):
    text = piece * (2_000_000 // len(piece))
    begun = time.process_time()
    for _ in range(5):
        cleaning.clean(text)
        cleaning.unescape(text)
        brands.normalise(text)
        packs.parse(text[:200])
        packs.split_name(text)
        packs.ending(text[:200])
        unit_prices.from_text(text[:60])
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("Cordial 1.8L (makes 9L", None),
        ("Cordial (sugar free) 1.8L", "1800 ml"),
        ("Cordial (2024) 1.8L", "1800 ml"),
        ("Beans 450g (drained 250g)", None),
        ("Soap (3) 100g", "100 g"),
    ],
)
def test_a_size_in_an_open_bracket_with_words_is_none(name, size):
    assert str(packs.parse(name)) == str(size)


@pytest.mark.parametrize(
    ("brand", "key"), [("Ben&Jerry", "ben and jerry"), ("Ben  &  Jerry", "ben and jerry"), ("A + B\u2019s", "a and bs")]
)
def test_a_sign_for_and_is_a_word_with_or_without_blanks(brand, key):
    assert brands.normalise(brand) == key
