"""The verdict on targets: wrong ones, clean generators, invariance, trusted rows."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.linear_model import LinearRegression

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.detectors import TargetVerdict
from toadstone.detectors.targets.target_verdict import _is_supported
from toadstone.kernels.regression.residual_core import ResidualCore
from toadstone.kernels.regression.target_floor import FloorFit


def linear(rng, n=300):
    X = rng.normal(size=(n, 4))
    return X, X @ [3.0, 2.0, 1.0, 0.0]


def square(rng, n=300):
    X = rng.uniform(-1, 1, size=(n, 2))
    return X, 10 * np.sign(X[:, 0] * X[:, 1])


CLEAN = {
    "gauss": lambda rng: (lambda X, f: (X, f + 2 * rng.normal(size=len(f))))(*linear(rng)),
    "t3": lambda rng: (lambda X, f: (X, f + 2 * rng.standard_t(3, len(f))))(*linear(rng)),
    "lognormal": lambda rng: (lambda X, f: (X, np.exp(0.4 * f + 0.5 * rng.normal(size=len(f)))))(*linear(rng)),
    "heteroscedastic": lambda rng: (lambda X, f: (X, f + np.exp(0.8 * X[:, 0]) * rng.normal(size=len(f))))(
        *linear(rng)
    ),
    "xor": lambda rng: (lambda X, f: (X, f + rng.normal(size=len(f))))(*square(rng)),
    "step": lambda rng: (lambda X, f: (X, 10 * (X[:, 0] > 0.2) + rng.normal(size=len(f))))(*square(rng)),
}


@pytest.mark.parametrize("name", CLEAN)
def test_right_targets_of_any_shape_are_hardly_ever_flagged(name):
    X, y = CLEAN[name](np.random.default_rng(0))
    found = TargetVerdict().fit(X, y)
    assert len(found.flagged_indices_) <= 0.02 * len(y)


@pytest.fixture(scope="module")
def spoiled():
    rng = np.random.default_rng(1)
    X, y = CLEAN["gauss"](rng)
    y[:15] = np.where(y[:15] > y.mean(), y.min(), y.max())
    return X, y


@pytest.fixture(scope="module")
def fitted(spoiled):
    return TargetVerdict().fit(*spoiled)


def test_targets_at_the_ends_of_the_range_are_flagged(fitted):
    flagged = set(fitted.flagged_indices_.tolist())
    assert len(flagged & set(range(15))) >= 13
    assert len(flagged - set(range(15))) <= 5
    assert fitted.evidence_.supported
    assert fitted.evidence_.interval[0] < 0.05 < fitted.evidence_.interval[1]
    assert fitted.expected_innocents_ == pytest.approx(sum(1 - fitted.suspicion_[list(flagged)]))


def test_the_suggested_value_is_near_the_right_one(spoiled, fitted):
    X = spoiled[0][:15]
    right = X @ [3.0, 2.0, 1.0, 0.0]
    assert np.median(np.abs(fitted.suggested_[:15] - right)) < 2
    inside = (fitted.lower_ <= spoiled[1]) & (spoiled[1] <= fitted.upper_)
    assert 0.85 <= inside[15:].mean() <= 0.95
    assert not inside[fitted.flagged_indices_].any()


def test_reasons_are_in_the_order_of_the_flags(spoiled, fitted):
    first = fitted.flagged_indices_[0]
    assert len(fitted.reasons_) == len(fitted.flagged_indices_)
    assert fitted.reasons_[0].startswith(f"the target is {spoiled[1][first]:.6g}; the other rows suggest")
    probabilities = fitted.suspicion_[fitted.flagged_indices_]
    assert np.all(np.diff(probabilities) <= 0)


@pytest.mark.slow
def test_order_and_storage_of_the_rows_are_irrelevant(spoiled, fitted):
    X, y = spoiled
    order = np.random.default_rng(5).permutation(len(y))
    np.testing.assert_array_equal(TargetVerdict().fit(X[order], y[order]).suspicion_, fitted.suspicion_[order])
    np.testing.assert_array_equal(TargetVerdict().fit(csr_array(X), y).suspicion_, fitted.suspicion_)


def test_trusted_rows_are_never_flagged(spoiled):
    found = TargetVerdict().fit(*spoiled, trusted=np.arange(8, 200))
    assert not set(found.flagged_indices_.tolist()) & set(range(8, 200))
    with pytest.raises(InvalidArgument, match="`trusted`: expected positions of rows from 0 to 299"):
        TargetVerdict().fit(*spoiled, trusted=[300])


def test_rows_are_removed(spoiled, fitted):
    X, y = TargetVerdict().fit_resample(*spoiled)
    assert len(y) == len(X) == 300 - len(fitted.flagged_indices_)


@pytest.mark.slow
def test_a_copy_does_not_certify_itself(spoiled):
    X, y = (np.concatenate([part, part[:15]]) for part in spoiled)
    flagged = set(TargetVerdict().fit(X, y).flagged_indices_.tolist())
    assert len(flagged & {*range(15), *range(300, 315)}) >= 26


@pytest.mark.slow
def test_further_learners_join_the_stack(spoiled, fitted):
    found = TargetVerdict(estimators=[LinearRegression()]).fit(*spoiled)
    assert list(found.learner_weights_) == ["ridge", "forest", "neighbours", "estimator 1"]
    assert list(fitted.learner_weights_) == ["ridge", "forest", "neighbours"]


def test_a_second_kind_of_rows_is_reviewed_and_not_flagged():
    rng = np.random.default_rng(0)
    X, y = CLEAN["gauss"](rng)
    y = y + np.where(rng.random(300) < 0.4, 40.0, 0.0)
    found = TargetVerdict().fit(X, y)
    assert not found.evidence_.supported
    assert len(found.flagged_indices_) == 0


@pytest.mark.parametrize(("seen", "supported"), [(0.6, True), (0.4, False)])
def test_a_list_with_few_of_the_wrong_targets_is_for_review(seen, supported):
    wrong = np.concatenate([np.full(30, 0.9), np.zeros(270)])
    wrong[30:] = (1 - seen) / seen * 27 / 270
    core = ResidualCore(0.0, (1.0, 1.0), (4.0, 4.0), 0.0)
    fit = FloorFit(0.15, (0.1, 0.2), 20.0, core, 1.0, wrong)
    assert _is_supported(fit) is supported


def test_how_much_the_columns_tell_is_in_the_evidence(fitted):
    assert 0.3 < fitted.evidence_.explained < 0.8
    rng = np.random.default_rng(0)
    lost = TargetVerdict().fit(rng.normal(size=(100, 2)), rng.normal(size=100))
    assert lost.evidence_.explained < 0.15


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.ones(30), "targets: expected targets that differ, got only 1"),
        (np.arange(19.0), "targets: expected at least 20 rows with a target, got 19"),
    ],
)
def test_targets_that_cannot_be_judged_are_refused(y, message):
    with pytest.raises(InvalidData, match=message):
        TargetVerdict().fit(np.random.default_rng(0).normal(size=(len(y), 2)), y)
