"""Accuracies on trusted rows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator

from toadstone.core.errors import InvalidArgument
from toadstone.pipeline.layers.validation import TrustedJudge, Unjudged, share_right

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 2))
y = np.repeat([0, 1], [20, 10])


class Recorder(BaseEstimator):
    """Predicts zero, and remembers all that it was trained on and asked about."""

    seen: list[tuple[set[float], set[float]]] = []  # noqa: RUF012

    def fit(self, X, y):
        self.trained_ = set(X[:, 0].tolist())
        return self

    def predict(self, X):
        Recorder.seen.append((self.trained_, set(X[:, 0].tolist())))
        return np.zeros(len(X), dtype=int)


def test_without_trusted_rows_nothing_is_judged():
    judge = Unjudged()
    right = judge.right(Recorder(), np.arange(30))
    assert share_right(right, judge.comparable(np.arange(30))) is None


def test_trusted_rows_are_judged_and_never_trained_on():
    trusted = RNG.normal(size=(6, 2))
    judge = TrustedJudge(X, y, trusted, np.array([0, 0, 1, 0, 1, 1]))
    Recorder.seen = []
    right = judge.right(Recorder(), np.arange(10))
    assert right.tolist() == [True, True, False, True, False, False]
    assert Recorder.seen == [(set(X[:10, 0].tolist()), set(trusted[:, 0].tolist()))]
    assert share_right(right, judge.comparable(np.arange(10))) == 0.5


@pytest.mark.parametrize("kind", [np.asarray, csr_array])
def test_a_trusted_row_among_the_others_is_refused_whatever_its_label(kind):
    trusted = np.vstack([RNG.normal(size=(2, 2)), X[7]])
    sentence = (
        r"`trusted`: expected rows that are not among the untrusted ones, got 1 of 3 that are .*its row 2 is row 7"
    )
    with pytest.raises(InvalidArgument, match=sentence):
        TrustedJudge(kind(X), y, trusted, np.array([1, 1, 1]))


def test_a_new_label_is_refused():
    with pytest.raises(InvalidArgument, match="`trusted`: expected rows labelled 0, 1, got 5 in its row 1"):
        TrustedJudge(X, y, X + 9, np.r_[0, 5, y[2:]])


def test_no_rows_have_no_accuracy():
    assert share_right(np.ones(3, dtype=bool), np.zeros(3, dtype=bool)) is None
