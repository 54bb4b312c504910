"""The multi-class hinge as scikit-learn estimators."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.preprocessing import scale
from sklearn.svm import LinearSVC

from toadstone.core.errors import InvalidData
from toadstone.datasets import load
from toadstone.kernels.linear.online_multiclass import descend_crammer_singer
from toadstone.learners.multiclass import CrammerSingerClassifier, OnlineHingeClassifier

BOTH = [CrammerSingerClassifier(), OnlineHingeClassifier(epochs=50, batch=10)]


def iris():
    X, y = load_iris(return_X_y=True)
    return scale(X), np.array(["setosa", "versicolor", "virginica"])[y]


def test_the_exact_one_agrees_with_liblinear():
    X, y = iris()
    ours = CrammerSingerClassifier(ridge=0.1, tolerance=1e-10).fit(X, y)
    theirs = LinearSVC(multi_class="crammer_singer", C=1 / (0.1 * len(y)), tol=1e-9, max_iter=1_000_000).fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-4)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-4)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    assert ours.gap_ <= 1e-10


def test_the_online_one_is_the_kernels_descent():
    X, y = iris()
    seed = np.random.RandomState(4).randint(np.iinfo(np.int32).max)
    theta = descend_crammer_singer(
        X, np.unique(y, return_inverse=True)[1], 3, rng=np.random.default_rng(seed), epochs=2, batch=9
    )
    learner = OnlineHingeClassifier(epochs=2, batch=9, random_state=4).fit(X, y)
    np.testing.assert_array_equal(np.column_stack([learner.coef_, learner.intercept_]), theta)


@pytest.mark.parametrize("learner", BOTH, ids=["exact", "online"])
def test_two_classes_have_one_function(learner):
    X, y = iris()
    X, y = X[:100], y[:100]
    learner = clone(learner).fit(X, y)
    assert learner.coef_.shape == (1, 4)
    scores = learner.decision_function(X)
    np.testing.assert_array_equal(learner.predict(X), learner.classes_[(scores > 0).astype(int)])
    assert learner.score(X, y) == 1.0


@pytest.mark.parametrize("learner", BOTH, ids=["exact", "online"])
def test_sparse_and_dense_rows_train_alike(learner):
    X, y = iris()
    dense, sparse = clone(learner).fit(X, y), clone(learner).fit(csr_array(X), y)
    np.testing.assert_array_equal(sparse.coef_, dense.coef_)
    assert dense.score(X, y) > 0.8


def test_a_single_class_of_weight_is_refused():
    with pytest.raises(InvalidData, match="at least two classes, got 1 class"):
        CrammerSingerClassifier().fit([[0.0], [1.0]], [3, 4], sample_weight=[1.0, 0.0])


def test_warm_start_begins_where_the_last_fit_ended():
    X, y = iris()
    warm = CrammerSingerClassifier(ridge=0.1, warm_start=True).fit(X, y)
    before = warm._fit.duals
    warm.set_params(tolerance=1.0).fit(X, y)
    np.testing.assert_allclose(warm._fit.duals, before, atol=1e-12)
    assert warm._fit.sweeps == 0
    warm.set_params(tolerance=1e-8).fit(X[:90], y[:90])
    np.testing.assert_allclose(warm.coef_, CrammerSingerClassifier(ridge=0.1, tolerance=1e-8).fit(X[:90], y[:90]).coef_)


@pytest.mark.data
@pytest.mark.slow
def test_mnist_errors(data_dir):
    split = load("mnist")
    X, X_test = csr_array(split.train.X), csr_array(split.test.X)
    for learner, low, high in [
        (CrammerSingerClassifier(ridge=1e-3, tolerance=1e-2), 0.070, 0.073),
        (OnlineHingeClassifier(), 0.070, 0.078),
    ]:
        error = 1 - learner.fit(X, split.train.y).score(X_test, split.test.y)
        assert low <= error <= high
