"""A fraction becomes a count here and nowhere else."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toadstone.core.budget import Budget
from toadstone.core.errors import InvalidArgument


@given(st.floats(0, 0.5, exclude_max=True), st.integers(0, 10**7))
def test_the_count_is_the_largest_within_the_fraction(fraction, n):
    count = Budget(fraction).count(n)
    exact = Fraction(fraction) * n
    # The allowance for decimal fractions is far below one row.
    assert count <= exact * (1 + Fraction(1, 10**11))
    assert count + 1 > exact


@given(st.integers(1, 10**6), st.integers(1, 49))
def test_a_fraction_that_is_exact_on_paper_gives_its_whole_number(hundreds, percent):
    assert Budget(percent / 100).count(100 * hundreds) == percent * hundreds


@given(st.integers(0, 10**5), st.integers(1, 10**5))
def test_a_count_over_the_rows_is_its_own_fraction(count, n):
    if 2 * count < n:
        assert Budget(count / n).count(n) == count


@pytest.mark.parametrize(("fraction", "n", "count"), [(0.03, 4137, 124), (0.0, 100, 0), (0.29, 100, 29), (0.05, 19, 0)])
def test_known_counts(fraction, n, count):
    assert Budget(fraction).count(n) == count


@pytest.mark.parametrize("fraction", [-0.01, 0.5, 3, float("nan"), float("inf")])
def test_a_fraction_out_of_range_is_refused(fraction):
    with pytest.raises(InvalidArgument) as caught:
        Budget(fraction)
    assert str(caught.value) == f"`fraction`: expected a number in [0, 0.5), got {fraction}"
