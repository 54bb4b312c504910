"""RONI: wrong labels, the false-alarm rate, unusable trusted rows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.stats import binom
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument
from toadstone.detectors.labels import roni
from toadstone.detectors.labels.roni import RONI
from toadstone.kernels.rows import stack


def blobs(n=300, k=2, flipped=0, seed=0, gap=4.0):
    rng = np.random.default_rng(seed)
    codes = np.resize(np.arange(k), n)
    X = rng.normal(size=(n, 4)) + gap * np.eye(4)[codes]
    codes[:flipped] = (codes[:flipped] + 1) % k
    return X, np.array(["cat", "cow", "dog"])[codes]


def trusted(n=240, k=2, gap=4.0, seed=99):
    return Dataset(*blobs(n=n, k=k, gap=gap, seed=seed))


def fit(detector, X, y, known):
    """Fit to rows and to trusted ones after them."""
    return detector.fit(
        stack([X, known.X]), np.concatenate([y, known.y]), trusted=np.arange(len(y), len(y) + len(known))
    )


@pytest.mark.parametrize("k", [2, 3])
def test_wrong_labels_are_rejected(k):
    X, y = blobs(k=k, flipped=15)
    detector = fit(RONI(), X, y, trusted(k=k, n=150 * k))
    assert roc_auc_score(np.arange(300) < 15, detector.suspicion_[:300]) > 0.98
    assert np.isin(np.arange(15), detector.flagged_indices_).mean() > 0.8
    assert detector.reasons_[0].startswith("increase of the squared error on trusted rows is ")


@pytest.mark.parametrize("k", [2, 3])
def test_clean_rows_keep_the_false_alarm_rate(k):
    shares = [
        len(
            fit(
                RONI(false_alarm_rate=0.05),
                *blobs(k=k, seed=seed, gap=gap),
                trusted(seed=99 + seed, k=k, gap=gap),
            ).flagged_indices_
        )
        / 300
        for seed, gap in enumerate(np.tile([0.5, 2.0, 5.0], 4))
    ]
    # One run in twenty may exceed it.
    assert np.count_nonzero(np.array(shares) > 0.05) <= 2
    assert max(shares) > 0


def test_blocks_and_other_orders_give_the_same(monkeypatch):
    X, y = blobs(n=540, k=3, flipped=10)
    plain = RONI().fit(X, y, trusted=np.arange(300, 540))
    np.testing.assert_allclose(-plain.score_samples(X, y), plain.suspicion_, atol=1e-10)
    monkeypatch.setattr(roni, "_VALUES_AT_ONCE", 1000)
    order = np.random.default_rng(0).permutation(540)
    other = clone(plain).fit(X[order], y[order], trusted=order >= 300)
    np.testing.assert_allclose(other.suspicion_, plain.suspicion_[order], atol=1e-10)
    np.testing.assert_allclose(other.thresholds_, plain.thresholds_)


def test_sparse_rows_are_judged_as_dense_ones_are():
    X, y = blobs(n=540, k=3, flipped=10)
    X[np.abs(X) < 0.3] = 0.0
    sparse = RONI().fit(csr_array(X), y, trusted=np.arange(300, 540))
    np.testing.assert_allclose(-sparse.score_samples(X, y), sparse.suspicion_, atol=1e-10)


def test_rows_that_models_are_trained_on_set_no_threshold():
    X, y = blobs(n=540)
    detector = RONI().fit(X, y, trusted=np.arange(300, 540))
    judged = detector._unused & (np.arange(540) >= 300)
    assert np.count_nonzero(judged) == 120
    found = [roni._threshold_of(detector.suspicion_[judged & (y == label)], 0.02) for label in detector.classes_]
    np.testing.assert_allclose(detector.thresholds_, found, rtol=1e-6)
    np.testing.assert_allclose(detector.calibrate(judged).thresholds_, found, rtol=1e-6)


def test_the_threshold_is_the_lowest_that_keeps_the_rate_with_confidence():
    for m in range(149, 700):
        scores = np.random.default_rng(m).permutation(m).astype(float)
        # The share beyond the k-th largest of m is below s if and only if k or more of m draws fall within s.
        k = np.count_nonzero(binom.sf(np.arange(m), m, 0.02) >= 0.95)
        assert roni._threshold_of(scores, 0.02) == m - k


def test_the_largest_of_few_scores_is_a_threshold_and_of_fewer_none_is():
    assert roni._threshold_of(np.arange(49.0), 0.02) == 48
    assert roni._threshold_of(np.arange(48.0), 0.02) == np.inf


class TestTrusted:
    def test_none(self):
        with pytest.raises(InvalidArgument, match="`trusted`: expected positions of rows known to be clean, got none"):
            RONI().fit(*blobs())

    @pytest.mark.parametrize("sparse", [False, True])
    def test_an_overlap_is_refused(self, sparse):
        (X, y), known = blobs(), trusted()
        X[[5, 77]], y[[5, 77]] = known.X[[0, 3]], known.y[[0, 3]]
        with pytest.raises(InvalidArgument, match="expected rows that are not among those to judge, got 2 that are"):
            fit(RONI(), csr_array(X) if sparse else X, y, Dataset(csr_array(known.X) if sparse else known.X, known.y))

    def test_the_same_features_under_another_label_are_no_overlap(self):
        (X, y), known = blobs(), trusted()
        X[5], y[5] = known.X[0], "cow" if known.y[0] == "cat" else "cat"
        assert 5 in fit(RONI(), X, y, known).flagged_indices_

    def test_too_few(self):
        with pytest.raises(InvalidArgument, match=r"expected at least 98 rows for a false-alarm rate of 0.02, got 90"):
            fit(RONI(), *blobs(), trusted(n=90))

    def test_few_of_one_class_share_a_threshold(self):
        X, y = blobs(n=200, seed=5)
        keep = np.r_[np.flatnonzero(y == "cat"), np.flatnonzero(y == "cow")[:20]]
        assert np.isfinite(fit(RONI(), *blobs(), Dataset(X[keep], y[keep])).thresholds_).all()

    def test_of_one_class(self):
        X, y = blobs(n=240, seed=5)
        with pytest.raises(InvalidArgument, match="`trusted`: expected rows of two or more classes, got rows of one"):
            RONI().fit(X, y, trusted=y == "cat")


def test_constant_features_flag_nothing():
    X = np.where(np.arange(300) < 60, 1.0, 2.0)[:, None] * np.ones(3)
    detector = RONI().fit(X, np.resize(["cat", "dog"], 300), trusted=np.arange(60, 300))
    assert detector.flagged_indices_.size in (0, 60)
