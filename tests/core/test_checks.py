"""Checks of arguments: both sides of every limit, and what is not a number at all."""

import numpy as np
import pytest

from toadstone.core.checks import (
    LARGEST_SEED,
    check_count,
    check_not_negative,
    check_positive,
    check_seed,
    check_within,
    did_you_mean,
)
from toadstone.core.errors import InvalidArgument


class TestNumbers:
    @pytest.mark.parametrize("number", [5e-324, 1, 1e308])
    def test_positive(self, number):
        check_positive(ridge=number)

    @pytest.mark.parametrize("number", [0, -0.0, -1e-300, np.inf, np.nan])
    def test_others_are_not_positive(self, number):
        with pytest.raises(InvalidArgument, match="`ridge`: expected a positive number"):
            check_positive(ridge=number)

    def test_zero_is_not_negative(self):
        check_not_negative(step=0.0)

    @pytest.mark.parametrize("number", [-5e-324, np.inf, np.nan])
    def test_others_are_negative_or_no_numbers(self, number):
        with pytest.raises(InvalidArgument, match="`step`: expected a number that is not negative"):
            check_not_negative(step=number)

    def test_every_argument_is_looked_at(self):
        with pytest.raises(InvalidArgument, match="`second`"):
            check_positive(first=1.0, second=0.0)


class TestIntervals:
    @pytest.mark.parametrize(
        ("interval", "inside", "outside"),
        [
            ("(0, 1)", [1e-300, 1 - 1e-16], [0.0, 1.0]),
            ("[0, 0.5)", [0.0, 0.49], [-1e-300, 0.5]),
            ("(0, 0.1]", [1e-300, 0.1], [0.0, np.nextafter(0.1, 1)]),
            ("[0.5, 1]", [0.5, 1], [np.nextafter(0.5, 0), np.nextafter(1.0, 2)]),
        ],
    )
    def test_ends(self, interval, inside, outside):
        for number in inside:
            check_within(interval, share=number)
        for number in [*outside, np.nan, np.inf, -np.inf]:
            with pytest.raises(InvalidArgument) as refused:
                check_within(interval, share=number)
            assert str(refused.value) == f"`share`: expected a number in {interval}, got {number}"


class TestCounts:
    def test_whole_numbers_of_numpy_too(self):
        check_count(rounds=1, batch=np.int32(7))
        check_count(0, draws=0)

    @pytest.mark.parametrize("count", [0, -1, True, 2.0, "3", None])
    def test_others(self, count):
        with pytest.raises(InvalidArgument, match="`rounds`: expected a whole number from 1"):
            check_count(rounds=count)

    def test_seeds_end_where_numpys_do(self):
        check_seed(0)
        check_seed(LARGEST_SEED)
        np.random.RandomState(LARGEST_SEED)
        with pytest.raises(ValueError, match="between 0 and"):
            np.random.RandomState(LARGEST_SEED + 1)

    @pytest.mark.parametrize("seed", [-1, LARGEST_SEED + 1, 0.0, False])
    def test_others_are_no_seeds(self, seed):
        with pytest.raises(InvalidArgument, match="`seed`: expected a whole number from 0 to 4294967295"):
            check_seed(seed)


class TestSuggestions:
    def test_closest_first(self):
        assert did_you_mean("slabs", ["slob", "slab", "knn"], most=2) == "; did you mean slab or slob?"
        assert did_you_mean("slabs", ["slob", "slab", "knn"]) == "; did you mean slab?"

    def test_names_may_be_quoted(self):
        assert did_you_mean("spam ", ["spam"], show=repr) == "; did you mean 'spam'?"

    def test_nothing_close(self):
        assert did_you_mean("xyz", ["slab"]) == ""
