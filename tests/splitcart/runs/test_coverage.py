"""The proof of one category: the same for the verdict and for a resume, at any limits."""

from hypothesis import given
from hypothesis import strategies as st

from splitcart.runs.coverage import cover, is_proven
from splitcart.runs.verdict import Category, Counts, Gates, History

CATEGORIES = st.builds(
    Category,
    key=st.just("tins"),
    expected=st.none() | st.integers(0, 300),
    seen=st.integers(0, 300),
    ended=st.booleans(),
    failed=st.none() | st.just("catalogue_error"),
)


@given(CATEGORIES, st.floats(0, 1))
def test_a_category_that_a_resume_skips_is_one_that_the_verdict_finds_proven(category, tolerance):
    gates = Gates(tolerance=tolerance)
    counts = Counts(category.seen, category.seen, listings=category.seen)
    assert is_proven(category, gates) is not bool(cover([category], counts, History(), gates).unproven)


def test_a_capped_category_is_proven_by_its_children_alone():
    assert not is_proven(Category("tins", 6000, 6000, True, capped=True, children=("fish",)), Gates())


def test_nothing_seen_of_one_listing_proves_nothing():
    assert not is_proven(Category("tins", 1, 0, True), Gates())
