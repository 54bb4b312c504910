"""Intervals of predictions against every attacker who sets targets to the ends of their range."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toadstone.core.errors import InvalidArgument
from toadstone.kernels.label_response.intervals import target_intervals
from toadstone.kernels.label_response.ridge import RidgeResponse


def scene(seed, n=7):
    rng = np.random.default_rng(seed)
    X, targets = rng.normal(size=(n, 2)), rng.uniform(-1.5, 2.5, n)
    return RidgeResponse(X, ridge=0.1, bias="free"), targets, rng.normal(size=(4, 2))


def by_force(alpha, targets, allowed, n_units, groups):
    """Lowest and highest prediction; a linear function is extreme at the ends, or where a target stays."""
    lowest = highest = alpha @ targets
    for chosen in combinations(np.unique(groups), min(n_units, len(np.unique(groups)))):
        rows = np.flatnonzero(np.isin(groups, chosen))
        for ends in product((*allowed, None), repeat=len(rows)):
            changed = targets.copy()
            for row, end in zip(rows, ends, strict=True):
                changed[row] = targets[row] if end is None else end
            lowest, highest = min(lowest, alpha @ changed), max(highest, alpha @ changed)
    return lowest, highest


@given(st.integers(0, 999), st.integers(0, 2), st.booleans())
def test_the_ends_are_reached_and_not_passed(seed, n_units, grouped):
    response, targets, queries = scene(seed)
    groups = np.array([0, 1, 0, 2, 2, 1, 3]) if grouped else None
    owners = np.arange(7) if groups is None else groups
    found = target_intervals(response, targets, queries, allowed=(-1.0, 2.0), n_units=n_units, groups=groups)
    for (low, middle, high), alpha in zip(found, response.weights(queries).alpha, strict=True):
        lowest, highest = by_force(alpha, targets, (-1.0, 2.0), n_units, owners)
        assert low <= min(lowest, middle)
        assert max(highest, middle) <= high
        np.testing.assert_allclose([low, high], [lowest, highest], atol=1e-9)


def test_predictions_are_those_of_the_model():
    response, targets, queries = scene(0)
    coefficients, intercepts = response.model(targets[:, None])
    found = target_intervals(response, targets, queries, allowed=(0.0, 1.0), n_units=9)
    np.testing.assert_allclose(found[:, 1], (queries @ coefficients.T + intercepts).ravel(), atol=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"allowed": (1.0, 0.0)}, "`allowed`: expected the finite ends of a range"),
        ({"allowed": (0.0, np.inf)}, "`allowed`"),
        ({"n_units": -1}, "`n_units`: expected a whole number from 0"),
        ({"groups": np.array([0])}, "`groups`: expected one for each of 7 rows"),
    ],
)
def test_bad_input_is_refused(change, message):
    with pytest.raises(InvalidArgument, match=message):
        target_intervals(*scene(0), **({"allowed": (0.0, 1.0), "n_units": 1} | change))
