"""Rows that break what holds among features."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from toadstone.attacks.noise import FeaturePermutation, MissingBlocks
from toadstone.core.budget import Budget
from toadstone.datasets.catalogue.load import load
from toadstone.detectors.features.mahalanobis import RobustMahalanobis
from toadstone.detectors.features.minor_components import MinorComponents
from toadstone.pipeline.harness.judge import merge


def one_hot(n=2000, seed=0):
    """Eight groups of columns in each of which exactly one is set, some of them seldom, in two classes."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    chances = np.array([0.5, 0.3, 0.15, 0.04, 0.01])
    return np.hstack([np.eye(5)[rng.choice(5, size=n, p=chances)] for _ in range(8)]), y


def test_broken_groups_are_found_and_rare_categories_are_not():
    X, y = one_hot()
    broken, rng = np.arange(0, 2000, 25), np.random.default_rng(1)
    for row in broken:
        first = 5 * rng.integers(0, 6)
        X[row, first : first + 15] = 0.0
    bad = np.isin(np.arange(2000), broken)
    trusted = np.flatnonzero(~bad)[:600]
    detector, plain = (kind().fit(X, y, trusted=trusted) for kind in (MinorComponents, RobustMahalanobis))
    assert roc_auc_score(bad, detector.suspicion_) > 0.97
    assert roc_auc_score(bad, plain.suspicion_) < 0.75
    assert np.isin(broken, detector.flagged_indices_).mean() > 0.8
    assert np.isin(np.flatnonzero(~bad), detector.flagged_indices_).mean() < 0.02


def test_rows_are_judged_as_if_they_had_not_been_learned_from():
    X = np.random.default_rng(0).normal(size=(30, 4))
    X[:, 3] += X[:, 0] + X[:, 1]
    detector = MinorComponents().fit(X)
    without = np.array([-MinorComponents().fit(np.delete(X, row, 0)).score_samples(X[[row]])[0] for row in range(30)])
    learned = -detector.score_samples(X)
    assert (detector.suspicion_ > learned).all()
    assert np.mean(np.abs(detector.suspicion_ - without)) < np.mean(np.abs(learned - without))


def test_new_rows_are_judged_by_what_was_learned():
    X, y = one_hot()
    detector = MinorComponents().fit(X, y)
    new = X[:2].copy()
    new[0, :15] = 0.0
    assert detector.predict(new, y[:2]).tolist() == [-1, 1]


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "attack", "least"),
    [
        ("adult", MissingBlocks(), 0.5),
        ("adult", FeaturePermutation(), 0.8),
        ("mnist", FeaturePermutation(), 0.8),
        ("pneumonia", FeaturePermutation(), 0.95),
    ],
)
def test_corruption_that_no_other_detector_finds_without_trusted_rows(data_dir, name, attack, least):
    train = load(name).train
    here = train.take(np.sort(np.random.default_rng(0).permutation(len(train))[:5000]))
    X, y, bad = merge(here, attack.poison(here, Budget(0.05, "perturb"), np.random.default_rng(1)))
    flagged = np.isin(np.arange(len(y)), MinorComponents().fit(X, y).flagged_indices_)
    assert flagged[bad].mean() > least
    assert flagged[~bad].mean() <= 0.02
