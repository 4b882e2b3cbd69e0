"""Sizes in words, in one way everywhere."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zsh_jax.byte_size import UNITS, byte_size


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1536, "1.50 KiB"),
        (40 << 20, "40.0 MiB"),
        (1 << 30, "1.00 GiB"),
        (1023 << 20, "1.00 GiB"),
        (3 << 50, "3.00 PiB"),
    ],
)
def test_the_unit_suits_the_size(count, words):
    assert byte_size(count) == words


@given(st.integers(1, 1 << 59))
def test_the_words_say_the_size_to_half_a_percent_in_three_digits(count):
    number, unit = byte_size(count).split()
    assert abs(float(number) * 1024 ** UNITS.index(unit) / count - 1) <= 0.006
    assert re.fullmatch(r"\d\.\d\d|\d\d\.\d|\d{1,3}", number)
