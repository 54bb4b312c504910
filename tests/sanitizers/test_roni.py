"""RONI: what it rejects, what it promises, and trusted rows that make no sense."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from bezoar.core.dataset import Dataset
from bezoar.core.errors import InvalidArgument
from bezoar.sanitizers import roni
from bezoar.sanitizers.roni import RONI


def blobs(n=300, k=2, flipped=0, seed=0, gap=4.0):
    rng = np.random.default_rng(seed)
    codes = np.resize(np.arange(k), n)
    X = rng.normal(size=(n, 4)) + gap * np.eye(4)[codes]
    codes[:flipped] = (codes[:flipped] + 1) % k
    return X, np.array(["cat", "cow", "dog"])[codes]


def trusted(n=240, k=2, gap=4.0, seed=99):
    return Dataset(*blobs(n=n, k=k, gap=gap, seed=seed))


@pytest.mark.parametrize("k", [2, 3])
def test_wrong_labels_are_rejected(k):
    X, y = blobs(k=k, flipped=15)
    detector = RONI(trusted=trusted(k=k, n=150 * k)).fit(X, y)
    assert roc_auc_score(np.arange(300) < 15, detector.suspicion_) > 0.98
    assert np.isin(np.arange(15), detector.flagged_indices_).mean() > 0.8
    assert detector.reasons_[0].startswith("the growth of trusted rows' squared error with it is ")


@pytest.mark.parametrize("k", [2, 3])
def test_clean_rows_are_seldom_flagged_more_often_than_promised(k):
    shares = [
        len(
            RONI(trusted=trusted(seed=99 + seed, k=k, gap=gap), promise=0.05)
            .fit(*blobs(k=k, seed=seed, gap=gap))
            .flagged_indices_
        )
        / 300
        for seed, gap in enumerate(np.tile([0.5, 2.0, 5.0], 4))
    ]
    # Each run may break it once in twenty times.
    assert np.count_nonzero(np.array(shares) > 0.05) <= 2
    assert max(shares) > 0


def test_sparse_rows_blocks_and_other_orders_give_the_same(monkeypatch):
    X, y = blobs(k=3, flipped=10)
    X[np.abs(X) < 0.3] = 0.0
    here = trusted(k=3)
    dense = RONI(trusted=here).fit(X, y)
    for rows, known in ((csr_array(X), here), (X, Dataset(csr_array(here.X), here.y))):
        np.testing.assert_allclose(RONI(trusted=known).fit(rows, y).suspicion_, dense.suspicion_, atol=1e-10)
    np.testing.assert_allclose(-dense.score_samples(X, y), dense.suspicion_, atol=1e-10)
    monkeypatch.setattr(roni, "_VALUES_AT_ONCE", 1000)
    order = np.random.default_rng(0).permutation(300)
    np.testing.assert_allclose(clone(dense).fit(X[order], y[order]).suspicion_, dense.suspicion_[order], atol=1e-10)


class TestTrusted:
    def test_none(self):
        with pytest.raises(InvalidArgument, match="`trusted`: expected a Dataset of rows known to be clean, got None"):
            RONI().fit(*blobs())

    @pytest.mark.parametrize("sparse", [False, True])
    def test_an_overlap_is_refused(self, sparse):
        (X, y), known = blobs(), trusted()
        X[[5, 77]], y[[5, 77]] = known.X[[0, 3]], known.y[[0, 3]]
        with pytest.raises(InvalidArgument, match="expected rows that are not among those to judge, got 2 that are"):
            RONI(trusted=known).fit(csr_array(X) if sparse else X, y)

    def test_the_same_features_under_another_label_are_no_overlap(self):
        (X, y), known = blobs(), trusted()
        X[5], y[5] = known.X[0], "cow" if known.y[0] == "cat" else "cat"
        assert 5 in RONI(trusted=known).fit(X, y).flagged_indices_

    def test_too_few(self):
        with pytest.raises(InvalidArgument, match=r"expected at least 98 rows for a promise of 0.02, got 90"):
            RONI(trusted=trusted(n=90)).fit(*blobs())

    def test_few_of_one_class_share_a_threshold(self):
        X, y = blobs(n=200, seed=5)
        keep = np.r_[np.flatnonzero(y == "cat"), np.flatnonzero(y == "cow")[:20]]
        detector = RONI(trusted=Dataset(X[keep], y[keep])).fit(*blobs())
        assert np.isfinite(detector.thresholds_).all()

    @pytest.mark.parametrize(
        ("known", "message"),
        [
            (Dataset(np.ones((9, 3)), np.resize(["cat", "cow"], 9)), "expected rows of 4 columns, got 3"),
            (Dataset(np.ones((9, 4)), np.resize(["cat", "pig"], 9)), "two or more of the classes cat, cow, got"),
            (Dataset(np.ones((9, 4)), ["cat"] * 9), "two or more of the classes cat, cow, got"),
        ],
    )
    def test_other_columns_and_labels(self, known, message):
        with pytest.raises(InvalidArgument, match=message):
            RONI(trusted=known).fit(*blobs())


def test_constant_features_flag_nothing():
    y = np.resize(["cat", "dog"], 60)
    known = Dataset(np.full((240, 3), 2.0), np.resize(["cat", "dog"], 240))
    assert RONI(trusted=known).fit(np.ones((60, 3)), y).flagged_indices_.size in (0, 60)
