"""Attacks on regression raise the error that they are after."""

import numpy as np
import pytest

from toadstone.attacks import RidgePoisoning, TargetEnds
from toadstone.core.budget import Budget
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument
from toadstone.kernels.regression.ridge import fit_ridge


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(80, 3))
    return Dataset(X, 10 * X[:, 0] - 5 * X[:, 1] + rng.normal(size=80))


def error(data, poison=None):
    X, y = data.X, data.y
    if poison is not None and len(poison.replaces):
        y = y.copy()
        y[poison.replaces] = poison.y
    elif poison is not None:
        X, y = np.vstack([X, poison.X]), np.append(y, poison.y)
    return float(fit_ridge(X, y, 0.01).squared_residuals(data.X, data.y).mean())


def test_optimised_rows_harm_more_than_their_start_and_random_ends(data):
    rng = np.random.default_rng
    budget = Budget(0.1)
    start, best = (RidgePoisoning(steps=steps).poison(data, budget, rng(0)) for steps in (0, 100))
    plain = TargetEnds().poison(data, budget, rng(0))
    assert error(data, best) > 1.2 * error(data, start)
    assert error(data, best) > 1.5 * error(data, plain) > error(data)


def test_more_steps_never_harm_less(data):
    errors = [
        error(data, RidgePoisoning(steps=steps).poison(data, Budget(0.1), np.random.default_rng(0)))
        for steps in (0, 1, 5, 20, 60)
    ]
    assert np.all(np.diff(errors) >= 0)


def test_a_probe_is_what_is_attacked(data):
    probe = Dataset(data.X[:10], data.y[:10])
    made = RidgePoisoning(probe=probe).poison(data, Budget(0.1), np.random.default_rng(0))
    X, y = np.vstack([data.X, made.X]), np.append(data.y, made.y)
    own = fit_ridge(X, y, 0.01).squared_residuals(probe.X, probe.y).mean()
    assert own > 2 * fit_ridge(data.X, data.y, 0.01).squared_residuals(probe.X, probe.y).mean()


def test_ends_are_far_from_the_targets(data):
    made = TargetEnds().poison(data, Budget(0.2, "flip"), np.random.default_rng(0))
    assert set(made.y.tolist()) <= {data.y.min(), data.y.max()}
    assert np.all(np.abs(made.y - data.y[made.replaces]) >= 0.5 * np.ptp(data.y))


def test_influential_ends_harm_more_than_random_ones(data):
    worst, plain = (
        TargetEnds(rows=rows).poison(data, Budget(0.1, "flip"), np.random.default_rng(0))
        for rows in ("influential", "random")
    )
    assert error(data, worst) > 1.5 * error(data, plain)


@pytest.mark.parametrize(
    ("attack", "budget", "message"),
    [
        (RidgePoisoning(), Budget(0.1, "flip"), "`budget`: expected one of kind add, got flip"),
        (TargetEnds(), Budget(0.1, "perturb"), "`budget`: expected one of kind add or flip, got perturb"),
        (TargetEnds(), Budget(0.001), "`budget`: expected a fraction of 80 rows that is at least one row, got 0.001"),
    ],
)
def test_other_budgets_are_refused(data, attack, budget, message):
    with pytest.raises(InvalidArgument, match=message):
        attack.poison(data, budget, np.random.default_rng(0))


def test_fields_are_checked():
    with pytest.raises(InvalidArgument, match="`rows`: expected random or influential, got all"):
        TargetEnds(rows="all")
    with pytest.raises(InvalidArgument, match="`ridge`: expected a positive number, got 0"):
        RidgePoisoning(ridge=0)
