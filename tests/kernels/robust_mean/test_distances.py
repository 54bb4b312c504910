"""Distances, inner products and combinations against extended precision."""

from __future__ import annotations

import numpy as np
import pytest

from toadstone.core.errors import InvalidData
from toadstone.kernels.robust_mean.coordinates import coordinate_median
from toadstone.kernels.robust_mean.distances import (
    combine,
    distances_to,
    inner_products,
    squared_distances,
    squared_norms,
    total,
)
from toadstone.kernels.robust_mean.rows import Rows

LENGTH = 9000
"""More than one tile, and a last one that is not full."""


def plain(rows):
    rows = np.asarray(rows, dtype=np.longdouble)
    return np.array([[float(np.square(a - b).sum()) for b in rows] for a in rows])


def error(found, expected):
    assert (found == found.T).all()
    assert (np.diagonal(found) == 0).all()
    apart = expected > 0
    assert (found[~apart] == 0).all()
    return (np.abs(found - expected)[apart] / expected[apart]).max()


def offset(n, spread, dtype=np.float32):
    return (0.05 + spread * np.random.default_rng(n).normal(size=(n, LENGTH))).astype(dtype)


@pytest.mark.parametrize("spread", [1e-4, 1e-5])
def test_an_offset_that_all_rows_share_costs_no_digits(spread):
    rows = offset(20, spread)
    assert error(squared_distances(Rows(rows)), plain(rows)) < 1e-12


def test_the_product_of_the_rows_themselves_would_fail_that():
    # What the test above guards against: the same in float32 without a centre.
    rows = offset(20, 1e-5)
    squares = np.square(rows).sum(axis=1)
    found = squares[:, None] + squares - 2 * rows @ rows.T
    np.fill_diagonal(found, 0.0)
    expected = plain(rows)
    assert (np.abs(found - expected) / np.where(expected > 0, expected, 1)).max() > 0.2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_rows_and_equal_rows_cost_no_digits(dtype):
    rows = offset(20, 1e-5, dtype)
    rows[3] = 1e30
    rows[4] = -1e30
    rows[5] = 1e30
    rows[5, 7] = 2.0
    rows[6] = rows[7]
    assert error(squared_distances(Rows(rows)), plain(rows)) < 1e-9


def test_clusters_within_clusters_far_from_the_others():
    rng = np.random.default_rng(0)
    centres = np.repeat(rng.normal(size=(4, LENGTH)), 6, axis=0)
    centres[6:] += 1e6 * np.repeat(rng.normal(size=(3, LENGTH)), 6, axis=0)
    inner = np.repeat(rng.normal(size=(12, LENGTH)), 2, axis=0)
    rows = centres + 1e-3 * inner + 1e-9 * rng.normal(size=(24, LENGTH))
    assert error(squared_distances(Rows(rows)), plain(rows)) < 1e-9


def test_rows_that_agree_wherever_one_looks_first():
    # All but one agree on the coordinates that are looked at; the first is far everywhere else.
    rows = offset(30, 1e-5, np.float64)
    rows[:11] += 1.0
    rows[:, :128] = 0.0
    for start in np.linspace(0, LENGTH - 128, 8).astype(int):
        rows[:, start : start + 128] = 0.0
    assert error(squared_distances(Rows(rows)), plain(rows)) < 1e-9


@pytest.mark.parametrize("n", [1, 2, 4, 5, 7, 300])
@pytest.mark.parametrize("length", [1, 50, 256, 515])
def test_any_number_of_rows_and_coordinates(n, length):
    rows = np.random.default_rng(n).normal(size=(n, length))
    found, exact = squared_distances(Rows(rows)), np.square(rows[:, None] - rows[None]).sum(axis=2)
    np.testing.assert_allclose(found, exact, rtol=1e-13)


def test_mixtures_of_near_rows_beside_huge_ones():
    rng = np.random.default_rng(0)
    rows = offset(20, 1e-5)
    rows[[3, 4]] = 1e30
    # Eight equal shares of nearest rows, as in nearest neighbour mixing; two of them differ in one row only.
    mix = np.zeros((20, 20))
    for row in mix:
        row[rng.choice(np.r_[0:3, 5:20], 8, replace=False)] = 1 / 8
    mix[1] = mix[0]
    swapped = np.flatnonzero(mix[0])[0], np.flatnonzero(mix[0, 5:] == 0)[0] + 5
    mix[1, list(swapped)] = mix[0, list(swapped)][::-1]
    mix[3] = 0.0
    mix[3, [3, 4, 5]] = 1 / 3
    found = squared_distances(Rows(rows).mixed(mix))
    assert error(found, plain(mix @ rows.astype(np.longdouble))) < 1e-9


def test_shares_of_single_rows_are_sorted_without_a_product():
    rows, share = np.random.default_rng(0).normal(size=(9, 300)).astype(np.float32), np.linspace(-1.0, 1.0, 9)
    rows[3] = rows[5]
    weights = np.diag(share)[:, np.random.default_rng(1).permutation(9)]
    np.testing.assert_array_equal(
        coordinate_median(Rows(rows).mixed(weights)), np.median(weights @ rows.astype(float), axis=0)
    )


def test_rows_scaled_down_from_huge_ones():
    rows = np.random.default_rng(0).normal(size=(12, LENGTH)).astype(np.float32)
    rows[[2, 5]] *= 1e30
    scaled = Rows(rows).mixed(np.diag(1.0 / np.sqrt(squared_norms(Rows(rows)))))
    mix = np.full((12, 12), 1 / 12) + np.eye(12) / 3
    expected = scaled.mix @ rows.astype(np.longdouble)
    assert error(squared_distances(scaled), plain(expected)) < 1e-9
    assert error(squared_distances(scaled.mixed(mix)), plain(mix @ expected)) < 1e-9


def test_mixtures_that_only_their_coordinates_tell_apart():
    # The third row is nearly the mean of the others, so that its weights alone do not say how near.
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(3, LENGTH))
    rows[2] = (rows[0] + rows[1]) / 2 + 1e-7 * rng.normal(size=LENGTH)
    mix = np.array([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    assert error(squared_distances(Rows(rows).mixed(mix)), plain(mix @ rows)) < 1e-9


def test_inner_products_are_exact_relative_to_the_two_lengths():
    rows = np.random.default_rng(2).normal(size=(9, LENGTH)).astype(np.float32)
    rows[4] *= 1e30
    mix = np.random.default_rng(3).random(size=(5, 9))
    mix[:, 4] = 0.0
    for found, exact in ((Rows(rows), rows), (Rows(rows).mixed(mix), mix @ rows.astype(np.longdouble))):
        expected = exact.astype(np.longdouble) @ exact.astype(np.longdouble).T
        lengths = np.sqrt(np.diagonal(expected))
        assert np.abs((inner_products(found) - expected) / np.outer(lengths, lengths)).max() < 1e-13
        np.testing.assert_allclose(squared_norms(found), np.diagonal(expected).astype(float), rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_any_float_in_any_layout(dtype):
    rng = np.random.default_rng(4)
    rows, coefficients = rng.normal(size=(7, 300)).astype(dtype), rng.normal(size=7)
    mix = rng.random(size=(4, 7))
    exact = rows.astype(np.float64)
    for table in (rows, np.asfortranarray(rows), rows[:, ::-1][:, ::-1], rows.astype(rows.dtype.newbyteorder())):
        given = Rows(table)
        np.testing.assert_allclose(squared_distances(given), plain(exact), rtol=1e-12)
        np.testing.assert_allclose(combine(given, coefficients), coefficients @ exact, atol=1e-14)
        np.testing.assert_allclose(
            combine(given.mixed(mix), coefficients[:4]), coefficients[:4] @ mix @ exact, atol=1e-13
        )
        np.testing.assert_allclose(
            distances_to(given.mixed(mix), exact[0]), np.linalg.norm(mix @ exact - exact[0], axis=1), rtol=1e-12
        )


def test_a_row_alone_is_returned_to_the_bit():
    rows = offset(5, 1.0)
    rows[1] = 3e38
    np.testing.assert_array_equal(combine(Rows(rows), np.eye(5)[3]), rows[3].astype(float))


def test_distances_to_a_row_are_those_between_rows():
    rows = offset(8, 1e-5)
    rows[2] = 1e30
    np.testing.assert_allclose(distances_to(Rows(rows), rows[0]), np.sqrt(squared_distances(Rows(rows))[0]), rtol=1e-12)


@pytest.mark.parametrize("table", [np.zeros(3), np.zeros((0, 3)), np.zeros((3, 0)), np.zeros((2, 2), dtype=int)])
def test_other_tables_are_refused(table):
    with pytest.raises(InvalidData, match="updates: expected floats of shape"):
        Rows(table)


def test_the_sum_shows_every_value_that_is_not_finite():
    rows = offset(6, 1.0)
    rows[4] = rows[2]
    np.testing.assert_allclose(total(Rows(rows)), rows.astype(float).sum(axis=0), rtol=1e-13)
    np.testing.assert_array_equal(combine(Rows(rows), np.ones(6)), total(Rows(rows)))
    rows[1, 8999], rows[3, 8999], rows[5, 0], rows[0, 1] = np.inf, -np.inf, np.nan, -np.inf
    assert np.flatnonzero(~np.isfinite(total(Rows(rows)))).tolist() == [0, 1, 8999]
    rows[[1, 3]] = np.inf
    assert not np.isfinite(total(Rows(rows))).any()
