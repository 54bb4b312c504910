"""An attack on all predictions at once: what it says is what retraining gives, within the collective bound."""

from __future__ import annotations

import numpy as np
import pytest

from toadstone.kernels.label_response.attack_on_all import flips_on_all
from toadstone.kernels.label_response.collective import most_flipped
from toadstone.kernels.label_response.responses import certify_queries
from toadstone.kernels.label_response.ridge import RidgeResponse


def scene(n_classes, bias, n=120):
    rng = np.random.default_rng(n_classes)
    codes = np.arange(n) % n_classes
    X = rng.normal(size=(n, 4)) + 2.0 * np.eye(4)[codes]
    queries = rng.normal(size=(60, 4)) + 2.0 * np.eye(4)[np.arange(60) % n_classes]
    return RidgeResponse(X, ridge=0.1, bias=bias), codes, queries, np.arange(60) % n_classes


@pytest.mark.parametrize("bias", ["none", "free", "regularized"])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("by_group", [False, True])
def test_it_flips_so_many_units_and_stays_within_the_collective_bound(n_classes, bias, by_group):
    response, codes, queries, truth = scene(n_classes, bias)
    groups = np.arange(120) // 6 if by_group else None
    found = certify_queries(response, codes, queries, n_classes=n_classes, groups=groups)
    right = found.winner == truth
    last = right.mean()
    for units in (1, 3) if by_group else (3, 12):
        flips, accuracy = flips_on_all(
            response, codes, queries, truth, n_classes=n_classes, n_units=units, groups=groups
        )
        owners = np.arange(120) if groups is None else groups
        assert len(np.unique(owners[flips.rows])) <= units
        poisoned = codes.copy()
        poisoned[flips.rows] = flips.codes
        after = (response.weights(queries).alpha @ np.eye(n_classes)[poisoned]).argmax(axis=1)
        assert accuracy == np.mean(after == truth)
        (most,) = most_flipped(
            response, codes, queries[right], found.count[right], n_classes=n_classes, units=[units], groups=groups
        )
        assert right.mean() - most / 60 - 1e-12 <= accuracy <= last
        last = accuracy
    assert accuracy < right.mean()


def test_labels_that_no_row_has_are_wrong_before_and_after():
    response, codes, queries, truth = scene(2, "none")
    _, accuracy = flips_on_all(response, codes, queries, np.full(60, -1), n_classes=2, n_units=5)
    assert accuracy == 0.0
    flips, accuracy = flips_on_all(response, codes, queries, truth, n_classes=2, n_units=0)
    assert (len(flips.rows), accuracy) == (
        0,
        np.mean((response.weights(queries).alpha @ np.eye(2)[codes]).argmax(1) == truth),
    )
