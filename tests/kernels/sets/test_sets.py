"""Sets of regions by label: lookup, membership, intersection, domains."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.core.errors import EmptyFeasibleSet, InvalidArgument, InvalidData
from toadstone.core.feasible import Domain, ball, slab
from toadstone.kernels.sets.sets import ConvexSet, fit_domain


@pytest.fixture
def two_balls():
    return ConvexSet({"ham": ball(np.zeros(2), 1.0), "spam": ball(np.array([5.0, 0.0]), 2.0)})


def test_each_label_has_its_own_region(two_balls):
    rows = np.array([[0.5, 0.0], [0.5, 0.0], [4.0, 0.0], [4.0, 0.0]])
    labels = np.array(["ham", "spam", "ham", "spam"])
    assert two_balls.contains(rows, labels).tolist() == [True, False, False, True]
    np.testing.assert_allclose(
        two_balls.project(rows, labels), [[0.5, 0.0], [3.0, 0.0], [1.0, 0.0], [4.0, 0.0]], atol=1e-8
    )
    assert two_balls.maximize(np.array([1.0, 0.0]), "spam").value == pytest.approx(7.0)


def test_membership_allows_for_the_rounding_of_a_projection():
    # The squared distance may exceed the squared radius by a share of 1e-8.
    unit = ConvexSet({"spam": ball(np.zeros(1), 1.0)})
    rows = np.sqrt([[1 + 0.9e-8], [1 + 1.1e-8]])
    np.testing.assert_array_equal(unit.contains(rows, np.array(["spam", "spam"])), [True, False])


def test_a_label_without_region_contains_nothing_and_has_no_extremum(two_balls):
    assert two_balls.contains(np.zeros((1, 2)), np.array(["eggs"])).tolist() == [False]
    with pytest.raises(InvalidData, match="label: expected one of ham, spam, got eggs"):
        two_balls.maximize(np.ones(2), "eggs")
    with pytest.raises(InvalidData, match="got eggs"):
        two_balls.project(np.zeros((1, 2)), np.array(["eggs"]))


def test_no_rows_project_to_no_rows(two_balls):
    assert two_balls.project(np.empty((0, 2)), np.empty(0)).shape == (0, 2)
    assert two_balls.contains(csr_array((0, 2)), np.empty(0)).shape == (0,)


def test_sparse_rows_are_projected_like_dense_ones(two_balls):
    rows, labels = np.array([[9.0, 0.0], [0.0, 3.0]]), np.array(["ham", "spam"])
    np.testing.assert_array_equal(two_balls.project(csr_array(rows), labels), two_balls.project(rows, labels))


def test_an_intersection_holds_what_both_hold(two_balls):
    halves = ConvexSet({label: slab(np.array([1.0, 0.0]), 0.0, 4.0) for label in ("ham", "spam")})
    both = two_balls.intersect(halves)
    rng = np.random.default_rng(0)
    rows, labels = 4 * rng.normal(size=(500, 2)), np.array(["ham", "spam"] * 250)
    np.testing.assert_array_equal(
        both.contains(rows, labels), two_balls.contains(rows, labels) & halves.contains(rows, labels)
    )
    other = halves.intersect(two_balls)
    np.testing.assert_array_equal(both.contains(rows, labels), other.contains(rows, labels))


def test_whole_numbers_stay_whole_in_an_intersection():
    whole = ConvexSet({1: slab(np.array([1.0]), 0.0, 9.0)}).within(fit_domain(np.array([[0.0], [9.0]]), "integer"))
    sphere = ConvexSet({1: ball(np.array([0.5]), 2.6)})
    for both in (whole.intersect(sphere), sphere.intersect(whole)):
        # The interpolated square of 2.5 is 6.5: less is left of the radius than for real numbers.
        assert both.region(1).integer
        assert both.maximize(np.ones(1), 1).value < sphere.maximize(np.ones(1), 1).value - 0.01


def test_two_radii_do_not_intersect(two_balls):
    with pytest.raises(InvalidArgument, match="at most one with a radius"):
        two_balls.intersect(two_balls)


def test_a_set_within_a_domain_keeps_to_its_bounds(two_balls):
    domain = Domain("box", np.array([0.2, -0.1]), np.array([9.0, 0.1]))
    boxed = two_balls.within(domain)
    assert boxed.contains(np.array([[0.1, 0.0], [0.3, 0.0], [0.3, 0.5]]), np.array(["ham"] * 3)).tolist() == [
        False,
        True,
        False,
    ]
    np.testing.assert_allclose(boxed.project(np.array([[-3.0, 7.0]]), np.array(["ham"])), [[0.2, 0.1]], atol=1e-8)


def test_a_domain_that_excludes_a_region_leaves_it_empty(two_balls):
    away = two_balls.within(Domain("box", np.full(2, 3.0), np.full(2, 4.0)))
    with pytest.raises(EmptyFeasibleSet):
        away.maximize(np.ones(2), "ham")


COUNTS = np.array([[0.0, 7.0, 0.0], [2.0, 1.0, 0.0]])


@pytest.mark.parametrize("as_rows", [np.asarray, csr_array])
class TestDomains:
    def test_a_real_domain_has_no_bounds(self, as_rows):
        domain = fit_domain(as_rows(COUNTS), "real")
        assert np.all(domain.lower == -np.inf)
        assert np.all(domain.upper == np.inf)

    def test_a_box_is_the_range_of_each_feature(self, as_rows):
        domain = fit_domain(as_rows(COUNTS), "box")
        assert domain.lower.tolist() == [0.0, 1.0, 0.0]
        assert domain.upper.tolist() == [2.0, 7.0, 0.0]
        assert not domain.integer

    def test_values_within_the_unit_interval_get_all_of_it(self, as_rows):
        # Divided by ten they lie inside, by seven the largest is exactly one.
        for divisor in (10, 7):
            domain = fit_domain(as_rows(COUNTS / divisor), "box")
            assert domain.lower.tolist() == [0.0] * 3
            assert domain.upper.tolist() == [1.0] * 3

    def test_counts_include_zero_and_one(self, as_rows):
        domain = fit_domain(as_rows(COUNTS), "integer")
        assert domain.lower.tolist() == [0.0] * 3
        assert domain.upper.tolist() == [2.0, 7.0, 1.0]
        assert domain.integer

    @pytest.mark.parametrize("shift", [-1.0, 0.5])
    def test_what_is_not_counts_is_refused_as_such(self, as_rows, shift):
        with pytest.raises(InvalidData, match="integer domain: expected counts"):
            fit_domain(as_rows(COUNTS + shift), "integer")

    def test_an_unknown_domain_is_refused(self, as_rows):
        with pytest.raises(InvalidArgument, match="`domain`: expected real, box or integer, got round"):
            fit_domain(as_rows(COUNTS), "round")
