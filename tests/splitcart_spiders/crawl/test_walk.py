"""The walk of one category: whatever the site answers, proven means that all of it came, as far as it can be known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitcart.runs.coverage import cover
from splitcart.runs.verdict import Counts, Gates, History
from splitcart_spiders.crawl.walk import MAX_PAGES, CategoryWalk, Node, Page, odd_key

SIZE = 6
ENDS = ("empty", "repeat", "refuse")
NODE = Node("tins", ("Pantry", "Tins"))


def honest(products: int, page: int, end: str) -> list[int]:
    """The skus of a page, counted from 1, of a site that does not lie."""
    last = max(1, -(-products // SIZE))
    number = min(page, last) if end == "repeat" else page
    return list(range(products))[(number - 1) * SIZE : number * SIZE]


def walked(answer, *, cap: int | None = None, node: Node = NODE) -> CategoryWalk:
    """A walk of pages that `answer` gives by number: (skus, total), or None for the documented end."""
    walk = CategoryWalk(node, page_size=SIZE, cap=cap)
    more = True
    while more:
        answered = answer(walk.pages + 1)
        skus, total = answered if answered is not None else ([], None)
        more = walk.take(Page([], total=total, ended=answered is None), map(str, skus))
    return walk


def is_proven(walk: CategoryWalk) -> bool:
    seen = len(walk.skus)
    return not cover([walk.category()], Counts(seen, seen, listings=seen), History(), Gates()).unproven


@given(st.integers(0, 60), st.sampled_from(ENDS), st.booleans())
def test_an_honest_category_is_proven_with_all_its_products(products, end, sends_total):
    def answer(page):
        skus = honest(products, page, end)
        if end == "refuse" and page > 1 and not skus:
            return None
        return skus, products if sends_total else None

    walk = walked(answer)
    assert is_proven(walk)
    assert len(walk.skus) == products
    assert walk.pages <= -(-products // SIZE) + 1


@given(st.integers(0, 60), st.sampled_from(ENDS), st.data())
def test_with_a_true_total_no_lie_about_the_rows_is_proven(products, end, data):
    def answer(page):
        skus = honest(products, data.draw(st.integers(1, 12)), end)
        kept = data.draw(st.lists(st.sampled_from(skus), max_size=2 * SIZE) if skus else st.just([]))
        return data.draw(st.sampled_from([skus, kept, skus[::2], []])), products

    walk = walked(answer)
    assert not is_proven(walk) or products - len(walk.skus) <= Gates().slack(products)


@given(st.integers(0, 60), st.sampled_from(ENDS), st.lists(st.one_of(st.none(), st.integers(0, 99)), min_size=20))
def test_at_any_totals_proven_means_the_first_pages_total_or_a_documented_end(products, end, totals):
    def answer(page):
        return honest(products, page, end), totals[min(page, len(totals)) - 1]

    walk = walked(answer)
    first = totals[0] if totals[0] is not None and totals[0] >= len(honest(products, 1, end)) else None
    assert walk.expected == first
    if is_proven(walk) and first is None:
        assert len(walk.skus) == products
    elif is_proven(walk):
        assert len(walk.skus) >= first - Gates().slack(first)


@pytest.mark.parametrize("total", [0, 1, SIZE - 1])
def test_a_total_that_its_own_page_exceeds_proves_nothing(total):
    whole = walked(lambda page: (honest(20, page, "empty"), total))
    assert (is_proven(whole), len(whole.skus), whole.category().expected) == (True, 20, None)


def test_without_a_total_a_repeated_earlier_page_is_not_the_end():
    walk = walked(lambda page: (honest(40, 1 if page == 4 else page, "empty"), None))
    assert walk.category().failed == "catalogue_error: page 4 is an earlier page again, not the last one"
    assert not is_proven(walk)


def test_a_total_that_only_a_later_page_has_ends_no_walk():
    walk = walked(lambda page: (honest(40, page, "empty"), None if page == 1 else 9))
    assert (is_proven(walk), len(walk.skus)) == (True, 40)


def test_a_listing_that_never_ends_is_given_up():
    walk = walked(lambda page: (range(page * SIZE, page * SIZE + SIZE), page * SIZE + 100))
    assert walk.category().failed == f"catalogue_error: no end within {MAX_PAGES} pages"


@pytest.mark.parametrize("total", [30, 31, 99])
def test_a_capped_category_without_children_is_never_proven(total):
    walk = walked(lambda page: (honest(30, page, "empty"), total), cap=30)
    assert "without children" in str(walk.category().failed)
    assert not is_proven(walk)


@pytest.mark.parametrize(
    ("first", "later", "proven"), [(20, 12, False), (12, 20, True), (20, 0, False), (20, 99, True)]
)
def test_a_total_that_changes_between_pages_is_judged_by_the_first(first, later, proven):
    walk = walked(lambda page: (honest(20, page, "empty"), first if page == 1 else later))
    assert walk.expected == first
    assert is_proven(walk) is proven


def test_a_category_that_is_walked_itself_lists_all_categories_below_it():
    leaf = Node("green", ("Pantry", "Tea", "Green"))
    tree = Node("pantry", ("Pantry",), children=(Node("tea", ("Pantry", "Tea"), children=(leaf, leaf)),))
    assert set(walked(lambda page: (honest(20, page, "empty"), 20), node=tree).category().children) == {"tea", "green"}
    assert walked(lambda page: (honest(20, page, "empty"), 20), node=leaf).category().children == ()


@pytest.mark.parametrize("key", ["a\x00b", "\ud800", "a\nb", " a", ""])
def test_an_id_that_no_database_stores_is_found_at_any_place_of_the_tree(key):
    tree = Node("root", ("Root",), children=(Node("shelf", ("Root", "Shelf"), children=(Node(key, ("x",)),)),))
    assert odd_key([NODE, tree]) == key


def test_an_ordinary_tree_has_no_odd_id():
    assert (
        odd_key([NODE, Node("1-E5BEE36E", ("Fruit",), children=(Node("Long_Life_Milk", ("Fruit", "Milk")),))]) is None
    )
