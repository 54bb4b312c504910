"""The influence detector: wrong labels, clean rows, odd data."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.metrics import roc_auc_score

from toadstone.core.errors import InvalidData
from toadstone.detectors.features import influence
from toadstone.detectors.features.influence import InfluenceDetector


def blobs(n=300, k=2, flipped=0, seed=0, gap=5.0):
    rng = np.random.default_rng(seed)
    codes = np.resize(np.arange(k), n)
    X = rng.normal(size=(n, 4)) + gap * np.eye(4)[codes]
    codes[:flipped] = (codes[:flipped] + rng.integers(1, k, flipped)) % k
    return X, np.array(["cat", "cow", "dog"])[codes]


@pytest.mark.parametrize(("k", "flipped"), [(2, 6), (3, 6), (2, 18), (3, 18)])
def test_wrong_labels_raise_the_error(k, flipped):
    X, y = blobs(k=k, flipped=flipped)
    detector = InfluenceDetector().fit(X, y)
    assert roc_auc_score(np.arange(300) < flipped, detector.suspicion_) > 0.99
    assert np.isin(np.arange(flipped), detector.flagged_indices_).mean() > 0.6
    assert np.count_nonzero(detector.flagged_indices_ >= flipped) <= 0.02 * 300
    assert detector.reasons_[0].startswith("fall of the error on held-out rows without it is ")


@pytest.mark.parametrize("k", [2, 3])
def test_clean_rows_keep_the_false_alarm_rate(k):
    # At a gap of two and more the wrong side of the boundary is rare, and a bulk of scores does not show it.
    shares = [
        len(InfluenceDetector().fit(*blobs(k=k, seed=seed, gap=gap)).flagged_indices_) / 300
        for seed, gap in enumerate((0.5, 1.0, 2.0, 3.0, 5.0, 8.0))
    ]
    assert max(shares) <= 0.02


def test_a_threshold_leaves_half_of_the_rate_of_labels_drawn_at_random(monkeypatch):
    shares, beyond = [], influence._beyond
    monkeypatch.setattr(influence, "_beyond", lambda *args: shares.append(args[2]) or beyond(*args))
    InfluenceDetector(false_alarm_rate=0.04).fit(*blobs())
    assert shares == [0.02]
    # Of four rows that surely have the first label a quarter exceeds 3, and a half 2.
    table, chances = np.arange(1.0, 5.0)[:, None] * np.ones((4, 2)), np.array([[1.0, 0.0]] * 4)
    assert [beyond(table, chances, share)[0] for share in (0.2, 0.25, 0.5)] == [4, 3, 2]
    # Rows weigh by their probability.
    assert beyond(table, np.array([[1, 1], [1, 1], [1, 1], [9, 1.0]]), 0.25).tolist() == [4, 3]


def test_rows_score_anew_as_they_did_in_training():
    X, y = blobs(n=600, k=3, flipped=12)
    detector = InfluenceDetector().fit(X, y)
    anew = -detector.score_samples(X, y)
    assert np.corrcoef(anew, detector.suspicion_)[0, 1] > 0.98
    assert np.abs(anew).sum() == pytest.approx(np.abs(detector.suspicion_).sum(), rel=0.2)


def test_sparse_rows_and_other_orders():
    X, y = blobs(flipped=6)
    straight, sparse = InfluenceDetector().fit(X, y), InfluenceDetector().fit(csr_array(X), y)
    order = np.random.default_rng(3).permutation(300)
    shuffled = InfluenceDetector().fit(X[order], y[order])
    np.testing.assert_allclose(shuffled.suspicion_, straight.suspicion_[order], atol=1e-9)
    np.testing.assert_array_equal(sparse.suspicion_, straight.suspicion_)


class TestOddData:
    def test_a_class_of_one_row(self):
        X, y = blobs(k=2)
        y[17] = "dog"
        detector = InfluenceDetector().fit(X, y)
        assert np.isfinite(detector.suspicion_).all()
        assert np.isfinite(detector.score_samples(X)).all()

    def test_two_classes_one_of_a_single_row(self):
        X, y = blobs(n=40)
        y[:] = "cat"
        y[3] = "dog"
        assert np.isfinite(InfluenceDetector().fit(X, y).suspicion_).all()

    def test_constant_features_flag_nothing(self):
        y = np.resize(["cat", "dog"], 60)
        assert InfluenceDetector().fit(np.ones((60, 3)), y).flagged_indices_.size == 0

    def test_copies_share_a_fold_and_a_suspicion(self):
        X, y = blobs(n=60)
        order = np.repeat(np.arange(60), 3)
        suspicion = InfluenceDetector().fit(X[order], y[order]).suspicion_.reshape(60, 3)
        np.testing.assert_array_equal(suspicion, np.repeat(suspicion[:, :1], 3, axis=1))

    def test_nothing_left_to_hold_out(self):
        y = np.resize(["cat", "dog"], 60)
        with pytest.raises(
            InvalidData, match="expected different ones of two classes to hold some out, got 2 different"
        ):
            InfluenceDetector().fit(np.where(y == "cat", 1.0, -1.0)[:, None], y)

    def test_a_single_class_is_refused(self):
        with pytest.raises(InvalidData, match="labels: expected at least two classes, got 1 class"):
            InfluenceDetector().fit(np.arange(6.0)[:, None], ["cat"] * 6)
