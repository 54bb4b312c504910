"""Results of Flower 1.42 where it is right, and where it is not.

The numbers come from its own tests, or from running it on the same clients. Its tests of Krum and Multi-Krum use 3
clients with one malicious, which is outside of their condition n >= 2f + 3.
"""

import numpy as np
import pytest

from toadstone.core.errors import InvalidArgument, InvalidInput
from toadstone.federated import Bulyan, Krum, MultiKrum, TrimmedMean, aggregate, aggregate_with_evidence
from toadstone.kernels.robust_mean.coordinates import mean_near_median
from toadstone.kernels.robust_mean.distances import squared_distances
from toadstone.kernels.robust_mean.rows import Rows

CLIENTS = np.array([[0.5, 0.5, 0.5, 0.5], [1.0, 0.2, 0.5, 1.0], [0.2, 0.5, 1.0, 0.2], [0.5, 1.0, 0.2, 0.5]])
NINE = np.array(
    [[3, 1, -2], [2, 2, -1], [4, 0, -3], [1, 1, -1], [3, 3, -2], [2, 0, -4], [5, 1, -1], [40, -30, 20], [-25, 35, 30]],
    dtype=np.float64,
)


def test_median_of_three_clients():
    assert aggregate(CLIENTS[1:], "median", malicious=1).tolist() == [0.5] * 4


def test_trimmed_mean_of_four_clients():
    """Its beta of a quarter is one of four."""
    assert aggregate(CLIENTS, "trimmed-mean", malicious=1).tolist() == [0.5] * 4
    assert aggregate([[0.5], [1.0], [2.0], [100.0]], "trimmed-mean", malicious=1).tolist() == [1.5]


@pytest.mark.parametrize(("keep", "chosen"), [(1, [0]), (3, [0, 1, 4]), (5, [0, 1, 2, 3, 4])])
def test_multi_krum_of_nine_clients(keep, chosen):
    found = aggregate_with_evidence(NINE, MultiKrum(keep=keep), malicious=2)
    assert np.flatnonzero(~found.filtered).tolist() == chosen
    np.testing.assert_allclose(found.vector, NINE[chosen].mean(axis=0), rtol=1e-12)


@pytest.mark.parametrize(
    ("values", "keep", "expected"),
    [
        ([[1.0], [2.0], [0.5]], 2, [0.75]),
        ([[1.1, 2.1, 2.9, 3.9], [10.0] * 4, [0.9, 1.9, 3.1, 4.1]], 2, [1.0, 2.0, 3.0, 4.0]),
        ([[1.0, 2.0], [-1.0, 0.0], [3.0, 4.0]], 3, [1.0, 2.0]),
        ([[5.0, 5.0]] * 3, 2, [5.0, 5.0]),
    ],
)
def test_means_near_the_median(values, keep, expected):
    np.testing.assert_allclose(mean_near_median(Rows(np.array(values)), keep), expected, rtol=1e-12)


def test_more_values_near_the_median_than_there_are():
    with pytest.raises(InvalidArgument, match="keep"):
        mean_near_median(Rows(np.array([[1.0], [2.0]])), 3)


def test_bulyan_where_one_scoring_and_the_published_rounds_agree():
    # In the second coordinate values on either side are as near to the median as each other.
    np.testing.assert_allclose(Bulyan()(NINE, 1)[[0, 2]], [2.8, -1.8], rtol=1e-12)


def test_trap_bulyan_scores_anew_in_every_round():
    """Flower takes one scoring n - 2f deep, selects clients 3, 0, 2, 1 and 5 here, and returns [-6.667, -4.667]."""
    clients = np.array([[-8, -3], [-7, -8], [-5, 3], [0, -4], [3, 8], [5, -7], [9, 4]], dtype=np.float64)
    found = aggregate_with_evidence(clients, "bulyan", malicious=1)
    assert np.flatnonzero(found.filtered).tolist() == [2, 6]
    np.testing.assert_allclose(found.vector, [8 / 3, -14 / 3], rtol=1e-12)


def test_trap_a_floor_of_one_neighbour_hides_a_condition():
    """Flower accepts f = 5 of 3 clients: ``max(1, n - f - 2)`` neighbours."""
    with pytest.raises(InvalidInput, match=r"^Krum needs n >= 2f \+ 3: got n = 3, f = 5$"):
        aggregate(NINE[:3], "krum", malicious=5)
    with pytest.raises(InvalidInput, match=r"^Multi-Krum needs n >= 2f \+ 3: got n = 8, f = 3$"):
        aggregate(NINE[:8], "multi-krum", malicious=3)


def test_trap_distances_that_cancel_in_single_precision():
    """Here Flower's squared distances are wrong by 14 times themselves, and a quarter of them are negative."""
    updates = (0.05 + 1e-5 * np.random.default_rng(0).standard_normal((100, 1000))).astype(np.float32)
    exact = np.array([np.square(updates.astype(np.float64) - row).sum(axis=1) for row in updates.astype(np.float64)])
    norms = np.square(updates).sum(axis=1)
    theirs = norms[:, None] + norms - 2 * updates @ updates.T
    apart = ~np.eye(100, dtype=bool)
    assert np.median(np.abs(theirs - exact)[apart] / exact[apart]) > 1
    assert (theirs[apart] < 0).any()
    np.testing.assert_allclose(squared_distances(Rows(updates)), exact, rtol=1e-9)
    others = np.where(apart, exact, np.inf)
    best = np.sort(others, axis=1)[:, : 100 - 20 - 2].sum(axis=1).argmin()
    np.testing.assert_array_equal(Krum()(updates, 20), updates[best])


def test_trap_one_client_that_is_not_finite_is_the_median():
    """Flower's median and trimmed mean of a coordinate are NaN as soon as one client sends NaN."""
    sent = np.vstack([NINE[:7], np.full(3, np.nan)])
    np.testing.assert_array_equal(aggregate(sent, "median", malicious=2), np.median(NINE[:7], axis=0))


def test_trap_stragglers_do_not_lower_the_trim_below_f():
    """Flower's trim is a fraction of the replies received: a tenth of 9 is none, though one is malicious."""
    assert int(0.1 * 9) == 0
    arrived = np.vstack([NINE[:7], [[1e6, 1e6, 1e6]], [[3.0, 1.0, -2.0]]])
    assert np.abs(TrimmedMean()(arrived, 1)).max() < 5
