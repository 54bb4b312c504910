"""Violations of a region, constraint by constraint, against sums written out."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.core.feasible import Region, ball, slab
from toadstone.kernels.sets.membership import extent, scales, violations

FORMS = pytest.mark.parametrize("form", [np.asarray, csr_array])


def boxed(lower, upper) -> Region:
    return replace(ball(np.zeros(len(lower)), np.inf), lower=np.array(lower), upper=np.array(upper))


@FORMS
def test_the_integer_form_is_the_interpolant_of_the_squares(form):
    centre = np.array([0.5, 2.0, 1.0])
    region = replace(ball(centre, 2.0), integer=True)
    rows = np.array([[0.3, 1.0, 2.9], [2.0, 0.0, 0.8], [0.0, 3.25, 0.0]])
    k = np.arange(9)
    # f is the largest of the chords (2 k + 1) x - k (k + 1), which meet the square at whole numbers.
    interpolant = np.max((2 * k + 1) * rows[:, :, None] - k * (k + 1), axis=2)
    squares = (interpolant - 2 * centre * rows + centre**2).sum(axis=1)
    np.testing.assert_allclose(violations(region, form(rows))[:, 1], (squares - 4) / scales(region)[0], rtol=1e-12)


@FORMS
@pytest.mark.parametrize(
    ("lower", "upper", "excess"),
    [
        ([0.0, 0.0], [1.0, 2.0], [0.0, 0.5, 1.0]),
        # Bounds that exclude zero concern entries that a sparse matrix does not store.
        ([0.5, 0.0], [1.0, 2.0], [0.5, 0.5, 1.5]),
        ([-2.0, -3.0], [-1.0, 2.0], [1.0, 2.5, 0.0]),
    ],
)
def test_the_box(form, lower, upper, excess):
    rows = np.array([[0.0, 0.0], [1.5, 0.0], [-1.0, 2.0]])
    region = boxed(lower, upper)
    np.testing.assert_allclose(np.maximum(violations(region, form(rows))[:, 0], 0) * extent(region), excess)


@FORMS
def test_both_sides_of_a_band(form):
    region = slab(np.array([3.0, 4.0]), -1.0, 2.0)
    found = violations(region, form(np.array([[1.0, 0.0], [0.0, -1.0], [0.0, 0.25]])))[:, 2]
    np.testing.assert_allclose(found * scales(region)[1], [1.0, 3.0, -1.0])


def test_scales_grow_with_the_distance_from_the_origin():
    # Rounding does: a unit ball a thousand away cannot be told from one a little larger.
    near, far = ball(np.zeros(2), 2.0), ball(np.array([3e3, 4e3]), 2.0)
    assert scales(near)[0] == pytest.approx(4.0)
    assert scales(far)[0] == pytest.approx(4.0 + 1e-5 * 25e6)
    band = slab(np.array([3.0, 4.0]), 1e5, 1e5 + 10)
    assert extent(band) == pytest.approx(2.0)
    assert scales(band)[1] == pytest.approx(5 * 2.0 + 1e-4 * (1e5 + 10))


def test_the_extent_is_the_radius_or_else_the_narrowest_width():
    assert extent(ball(np.zeros(3), 7.0)) == 7.0
    assert extent(boxed([0.0, 1.0], [4.0, 2.0])) == 4.0
    assert (
        extent(replace(boxed([0.0, 1.0], [4.0, 2.0]), bands=np.array([[0.0, 2.0]]), low=np.zeros(1), high=np.ones(1)))
        == 0.5
    )
    assert extent(boxed([3.0], [3.0])) == 3.0
    assert extent(boxed([-np.inf], [np.inf])) == 1.0
