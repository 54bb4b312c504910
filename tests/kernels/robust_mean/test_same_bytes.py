"""The same bytes for any order of the clients, and any number of threads."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from toadstone.kernels.robust_mean import parallel
from toadstone.kernels.robust_mean.coordinates import (
    coordinate_median,
    mean_near_median,
    trimmed_mean,
    trimmed_mean_range,
)
from toadstone.kernels.robust_mean.distances import (
    combine,
    distances_to,
    inner_products,
    squared_distances,
    squared_norms,
)
from toadstone.kernels.robust_mean.rows import Rows

N, D = 24, 30011
FLOATS = [np.float32, np.float64]


def table(dtype):
    rng = np.random.default_rng(0)
    rows = (0.05 + 1e-3 * rng.normal(size=(N, D))).astype(dtype)
    rows[2], rows[3], rows[7] = rows[1], 1e30, -rows[9]
    # A cluster far from the rest, whose distances are computed anew, and equal rows in it.
    rows[12:16] = (1e6 + rows[12:16]).astype(dtype)
    rows[15] = rows[14]
    rows[:, 100:200] = np.where(rng.random((N, 100)) < 0.5, 0.0, -0.0)
    return rows


def mixture(weights):
    """Given rows, nearest-neighbour-like mixtures, and mixtures of scaled ones."""
    rng = np.random.default_rng(1)
    mix = (rng.random((N, N)) < 0.3) * rng.random((N, N))
    mix /= mix.sum(axis=1, keepdims=True)
    return {"given": None, "mixed": mix, "scaled": mix * rng.random(N)}[weights]


def results(rows, mix, order):
    """Everything, with the clients in another order and put back."""
    back = np.argsort(order)
    given = Rows(rows[order])
    if mix is not None:
        given = given.mixed(mix[np.ix_(order, order)])
    # Mixtures of mixtures, as bucketing makes of neighbours.
    halves = given.mixed(np.kron(np.eye(N // 2), [[0.5, 0.5]])[:, order])
    coefficients = np.random.default_rng(2).random(N)[order]
    among = np.ix_(back, back)
    found = {
        "distances": squared_distances(given)[among],
        "products": inner_products(given)[among],
        "norms": squared_norms(given)[back],
        "apart": distances_to(given, np.full(D, 0.05))[back],
        "combined": combine(given, coefficients),
        "median": coordinate_median(given),
        "trimmed": trimmed_mean(given, 5),
        "near": mean_near_median(given, 15),
        "bucket distances": squared_distances(halves),
        "bucket median": coordinate_median(halves),
        "lowest": trimmed_mean_range(given, 5, 2)[0],
        "blocks": np.concatenate([block for _, block in given.blocks()], axis=1)[back],
    }
    return {name: value.tobytes() for name, value in found.items()}


@pytest.mark.parametrize("weights", ["given", "mixed", "scaled"])
@pytest.mark.parametrize("dtype", FLOATS)
def test_any_order_and_any_number_of_threads(dtype, weights, monkeypatch):
    rows, mix = table(dtype), mixture(weights)
    expected = results(rows, mix, np.arange(N))
    rng = np.random.default_rng(3)
    for threads in (1, 2):
        monkeypatch.setattr(parallel, "available_threads", lambda threads=threads: threads)
        with threadpool_limits(limits=2, user_api="blas"):
            found = results(rows, mix, rng.permutation(N))
        assert [name for name in expected if found[name] != expected[name]] == []
