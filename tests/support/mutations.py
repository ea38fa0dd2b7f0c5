"""Real-shaped records gone wrong: fields missing, null, of other types, or absurd, at any depth."""

import copy

from hypothesis import strategies as st

ABSURD = (
    *(None, True, False, "", " ", "\x00", "\ud800", "A\x00B\ud83d", "null", "N/A", "$", "$-1", "1e999", "NaN"),
    *(0, -1, 1, 2, 0.005, -0.01, 1e308, float("nan"), float("inf"), float("-inf"), 10**400, -(10**400), 99_999_999),
    *([], {}, [None], [[]], [{}], {"": None}, [1, "2"], {"Price": {}}),
    *("x" * 1_000_000, "9" * 400, "$" + "9" * 50_000, "&#0;&lt;"),
)
"""Values that no field should break on."""

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(ABSURD),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def places(value: object, at: tuple = ()) -> list[tuple]:
    """Every path into a JSON value, the value itself left out."""
    if isinstance(value, dict):
        steps = list(value.items())
    else:
        steps = list(enumerate(value)) if isinstance(value, list) else []
    found = [(*at, key) for key, _ in steps]
    return found + [deeper for key, inner in steps for deeper in places(inner, (*at, key))]


def mutated(record: dict) -> st.SearchStrategy:
    """A copy of the record with one to four places removed or replaced."""
    steps = st.tuples(st.sampled_from(places(record)), st.booleans(), _JSON)
    return st.lists(steps, min_size=1, max_size=4).map(lambda changes: _apply(record, changes))


def _apply(record: dict, changes: list) -> dict:
    changed = copy.deepcopy(record)
    for place, removed, value in changes:
        holder = changed
        try:
            for key in place[:-1]:
                holder = holder[key]
            if removed:
                del holder[place[-1]]
            else:
                holder[place[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue
    return changed


json_values = _JSON
