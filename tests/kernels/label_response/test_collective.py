"""Collective bounds of label flips against every choice of labels on small cases."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest

from toadstone.core.errors import InvalidArgument
from toadstone.kernels.label_response.collective import most_flipped
from toadstone.kernels.label_response.responses import certify_queries
from toadstone.kernels.label_response.ridge import RidgeResponse

N, QUERIES = 7, 9


def truth(alpha, codes, n_classes, units, groups):
    """The most predictions that labels of so many units change, over all choices of units and labels."""
    owners = np.arange(N) if groups is None else groups
    before = (alpha @ np.eye(n_classes)[codes]).argmax(axis=1)
    most = 0
    for chosen in combinations(range(owners.max() + 1), units):
        rows = np.flatnonzero(np.isin(owners, chosen))
        for labels in product(range(n_classes), repeat=len(rows)):
            poisoned = codes.copy()
            poisoned[rows] = labels
            after = (alpha @ np.eye(n_classes)[poisoned]).argmax(axis=1)
            most = max(most, int((after != before).sum()))
    return most


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("by_group", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_bounds_lie_between_the_truth_and_the_pointwise_count(n_classes, by_group, seed):
    rng = np.random.default_rng(seed)
    codes = np.arange(N) % n_classes
    X = rng.normal(size=(N, 3)) + codes[:, None]
    response, queries = RidgeResponse(X, ridge=0.3), rng.normal(size=(QUERIES, 3)) + rng.integers(0, 3, (QUERIES, 1))
    groups = np.array([0, 1, 1, 2, 0, 3, 2]) if by_group else None
    found = certify_queries(response, codes, queries, n_classes=n_classes, groups=groups)
    units = [0, 1, 2, 3]
    bounds = most_flipped(response, codes, queries, found.count, n_classes=n_classes, units=units, groups=groups)
    alpha = response.weights(queries).alpha
    for each, bound in zip(units, bounds, strict=True):
        pointwise = int((found.count < each).sum())
        exact = truth(alpha, codes, n_classes, each, groups) if each < 3 else 0
        assert exact <= bound <= pointwise


def test_it_is_below_the_pointwise_count_where_queries_have_rows_of_their_own():
    """Each query rests on one row; one flip changes one of them, and pointwise any of them."""
    X = np.eye(6)
    response, codes = RidgeResponse(X, ridge=0.1), np.arange(6) % 2
    found = certify_queries(response, codes, X, n_classes=2)
    bounds = most_flipped(response, codes, X, found.count, n_classes=2, units=[1, 2, 6])
    assert (found.count < 1).all()
    assert bounds == [1, 2, 6]


def test_a_lead_within_rounding_is_counted_as_changed():
    X = np.array([[1.0, 0.0], [-1.0, 0.0]])
    response, codes, queries = RidgeResponse(X, ridge=0.1), np.array([0, 1]), np.array([[0.0, 1.0], [5.0, 0.0]])
    found = certify_queries(response, codes, queries, n_classes=2)
    assert most_flipped(response, codes, queries, found.count, n_classes=2, units=[1]) == [2]


def test_no_query_within_reach():
    X = np.array([[1.0], [1.0], [-1.0], [-1.0]])
    response, codes, queries = RidgeResponse(X, ridge=0.1), np.array([0, 0, 1, 1]), np.array([[2.0]])
    assert most_flipped(response, codes, queries, np.array([9]), n_classes=2, units=[1, 2]) == [0, 0]
    assert most_flipped(response, codes, queries[:0], np.array([], dtype=int), n_classes=2, units=[2]) == [0]
    with pytest.raises(InvalidArgument, match="units"):
        most_flipped(response, codes, queries, np.array([9]), n_classes=2, units=[-1])
