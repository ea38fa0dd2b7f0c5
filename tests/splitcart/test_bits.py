"""Bit strings over listings: packing and unpacking flags of any length returns the same flags."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitcart.bits import fitted, flags, pack, unpack

BITS = st.lists(st.booleans(), max_size=70).map(lambda flags_: np.array(flags_, np.bool_))


@given(BITS, st.integers(0, 90))
def test_unpacking_returns_the_packed_flags_and_sets_none_beyond_them(bits, length):
    unpacked = unpack(pack(bits), length)
    assert unpacked.dtype == np.bool_
    assert len(unpacked) >= max(length, len(bits))
    assert unpacked[: len(bits)].tolist() == bits.tolist()
    assert not unpacked[len(bits) :].any()


def test_the_first_listing_is_the_lowest_bit_of_the_first_byte():
    assert pack(np.array([True, False, True])) == b"\x05"
    assert pack(np.array([False] * 8 + [True])) == b"\x00\x01"
    assert np.flatnonzero(unpack(b"\x00\x80")).tolist() == [15]


@pytest.mark.parametrize("none", [None, b""])
def test_a_missing_string_has_no_listing(none):
    assert unpack(none).tolist() == []
    assert unpack(none, 3).tolist() == [False] * 3


@given(st.sets(st.integers(0, 59)))
def test_flags_are_set_at_their_ordinals_alone(ordinals):
    bits = flags(np.array(sorted(ordinals), np.int64), 60)
    assert len(bits) == 60
    assert set(np.flatnonzero(bits).tolist()) == ordinals


@given(BITS, st.integers(0, 90))
def test_fitted_cuts_or_fills_with_false(bits, length):
    cut = fitted(bits, length)
    assert len(cut) == length
    assert cut[: len(bits)].tolist() == bits[:length].tolist()
    assert not cut[len(bits) :].any()
