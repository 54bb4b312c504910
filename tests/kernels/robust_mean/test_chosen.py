"""Some of the rows without a copy, inner products with a vector, and those about a row in the midst."""

import numpy as np
import pytest

from toadstone.kernels.robust_mean.coordinates import coordinate_median, mean_near_median
from toadstone.kernels.robust_mean.distances import (
    central_products,
    combine,
    distances_to,
    inner_products,
    inner_with,
    squared_distances,
)
from toadstone.kernels.robust_mean.rows import Rows

SOME = np.array([6, 0, 3, 5])


@pytest.fixture
def table():
    table = np.random.default_rng(0).normal(size=(7, 300))
    table[5] = table[0]
    # A row that does not enter must not be multiplied, by zero neither.
    table[4] = np.nan
    return table


@pytest.mark.parametrize("mixed", [False, True])
def test_chosen_rows_are_those_of_a_smaller_table(table, mixed):
    weights = np.random.default_rng(1).dirichlet(np.ones(4), size=3)
    chosen, copied = Rows(table).chosen(SOME), Rows(table[SOME])
    chosen, copied = (chosen.mixed(weights), copied.mixed(weights)) if mixed else (chosen, copied)
    point = np.arange(300.0)
    assert chosen.shape == copied.shape
    for kernel in (squared_distances, inner_products, coordinate_median, lambda rows: mean_near_median(rows, 2)):
        np.testing.assert_array_equal(kernel(chosen), kernel(copied))
    for kernel in (distances_to, inner_with):
        np.testing.assert_array_equal(kernel(chosen, point), kernel(copied, point))
    shares = np.arange(chosen.shape[0]) + 1.0
    np.testing.assert_array_equal(combine(chosen, shares), combine(copied, shares))


def test_chosen_again_and_after_mixing(table):
    rows, weights = Rows(table).chosen(SOME), np.eye(4)[::-1]
    np.testing.assert_array_equal(
        squared_distances(rows.chosen(np.array([2, 0]))), squared_distances(Rows(table[[3, 6]]))
    )
    again = rows.mixed(weights).chosen(np.array([0, 3])).mixed(np.array([[0.5, 0.5]]))
    np.testing.assert_allclose(combine(again, np.ones(1)), (table[5] + table[6]) / 2, rtol=1e-14)


def test_along_some_coordinates(table):
    columns = np.array([2, 9, 250])
    np.testing.assert_allclose(
        squared_distances(Rows(table).chosen(SOME).along(columns)),
        squared_distances(Rows(np.ascontiguousarray(table[np.ix_(SOME, columns)]))),
    )


@pytest.mark.parametrize("offset", [0.0, 1e5])
def test_central_products_keep_their_digits_beside_a_far_row(offset):
    rng = np.random.default_rng(2)
    table = rng.normal(size=(6, 40)) + offset
    table[0] *= 1e30
    products, lengths = central_products(Rows(table))
    middle = int(np.argmin(lengths))
    exact = (table - table[middle]).astype(np.longdouble)
    exact = exact @ exact.T
    assert lengths[middle] == 0
    assert np.max(np.abs(products - exact.astype(float)) / np.maximum(np.outer(lengths, lengths), 1e-300)) < 1e-14
    np.testing.assert_allclose(lengths[1:], np.sqrt(np.diag(exact))[1:].astype(float), rtol=1e-12)


@pytest.mark.parametrize("scales", [np.ones(6), np.array([1e-30, 1.0, 0.5, 1.0, 1.0, 0.25])])
def test_central_products_of_mixtures(scales):
    rng = np.random.default_rng(3)
    table = rng.normal(size=(6, 40))
    table[0] *= 1e30
    weights = np.diag(scales)
    weights[1, 2] = 1.0 - scales[1] if scales[0] == 1 else 0.5
    rows = Rows(table).mixed(weights)
    products, lengths = central_products(rows)
    mixed = weights @ table
    exact = squared_distances(Rows(mixed))
    squares = np.diag(products)
    measured = squares[:, None] + squares - 2 * products
    allowed = 1e-13 * (lengths[:, None] + lengths) ** 2
    assert (np.abs(measured - exact) <= allowed)[1:, 1:].all()
    assert np.median(lengths) < 100
