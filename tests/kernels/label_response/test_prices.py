"""Prices of votes against every choice of labels on small cases."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest

from toadstone.kernels.label_response.flips import certify_flips
from toadstone.kernels.label_response.prices import flip_prices
from toadstone.kernels.votes.priced import OUT_OF_REACH

N = 6


def cheapest(alpha, codes, n_classes, wanted):
    """The fewest flips after which a class wins, the first on a tie; over all choices."""
    for flips in range(N + 1):
        for rows in combinations(range(N), flips):
            for labels in product(range(n_classes), repeat=flips):
                poisoned = codes.copy()
                poisoned[list(rows)] = labels
                if (alpha @ np.eye(n_classes)[poisoned]).argmax() == wanted:
                    return flips
    return OUT_OF_REACH


@pytest.mark.parametrize("n_classes", [2, 3])
def test_prices_are_exact_for_two_classes_and_never_too_high(n_classes):
    rng = np.random.default_rng(n_classes)
    # Whole weights tie often.
    alpha = rng.integers(-2, 5, (12, N)).astype(float)
    codes = np.arange(N) % n_classes
    votes, prices = flip_prices(alpha, codes, n_classes=n_classes)
    found = certify_flips(alpha, codes, n_classes=n_classes)
    np.testing.assert_array_equal(votes, found.winner)
    for query in range(len(alpha)):
        true = [cheapest(alpha[query], codes, n_classes, wanted) for wanted in range(n_classes)]
        assert prices[query, votes[query]] == 0
        assert (prices[query] <= true).all()
        if n_classes == 2:
            assert prices[query].tolist() == true
        others = np.delete(prices[query], votes[query])
        assert min(others.min(), N + 1) - 1 == found.count[query]


def test_no_flips_bring_a_class_forward_where_no_row_counts():
    votes, prices = flip_prices(np.zeros((1, 3)), np.array([0, 1, 1]), n_classes=2)
    assert (votes.tolist(), prices.tolist()) == ([0], [[0, OUT_OF_REACH]])


def test_an_error_lowers_prices():
    alpha, codes = np.array([[0.5, 0.4, 0.3, 0.2]]), np.array([0, 0, 0, 1])
    exact, _ = (flip_prices(alpha, codes, n_classes=2, error=np.array([error]))[1] for error in (0.0, 0.2))
    lower = flip_prices(alpha, codes, n_classes=2, error=np.array([0.2]))[1]
    assert (exact[0, 1], lower[0, 1]) == (2, 1)
