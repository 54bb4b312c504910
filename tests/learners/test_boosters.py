"""Classifiers of boosting libraries, wrapped."""

import numpy as np
from scipy.sparse import csr_array, isspmatrix_csr
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from toadstone.learners.boosters import WrappedBooster, wrap_booster

X = np.concatenate([np.linspace(-3, -1, 20), np.linspace(1, 3, 20)])[:, None]
y = np.repeat(["spam", "ham"], 20)


class Picky(LogisticRegression):
    """A stand-in for XGBoost's classifier, which refuses what is not numbered from zero."""

    __module__ = "xgboost.sklearn"

    def fit(self, X, y, sample_weight=None):
        assert sorted(set(y.tolist())) == [0, 1]
        assert isinstance(X, np.ndarray) or isspmatrix_csr(X)
        return super().fit(X, y, sample_weight)


def test_the_predictions_are_those_with_the_labels():
    plain, coded = LogisticRegression().fit(X, y), clone(WrappedBooster(Picky())).fit(X, y, np.ones(40))
    np.testing.assert_array_equal(coded.predict(X), plain.predict(X))
    np.testing.assert_allclose(coded.predict_proba(X), plain.predict_proba(X))
    assert coded.classes_.tolist() == ["ham", "spam"]
    sparse = WrappedBooster(Picky()).fit(csr_array(X), y)
    np.testing.assert_array_equal(sparse.predict(csr_array(X)), plain.predict(X))


def test_no_others_are_wrapped():
    assert isinstance(wrap_booster(Picky()), WrappedBooster)
    model = LogisticRegression()
    assert wrap_booster(model) is model


def test_the_last_step_of_a_pipeline():
    pipeline = make_pipeline(StandardScaler(), Picky())
    wrapped = wrap_booster(pipeline)
    assert isinstance(wrapped[-1], WrappedBooster)
    assert isinstance(pipeline[-1], Picky)
    assert wrapped.fit(X, y).predict(X[:1]).tolist() == ["spam"]
    plain = make_pipeline(StandardScaler(), LogisticRegression())
    assert wrap_booster(plain) is plain
