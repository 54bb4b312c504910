"""The linear classifier against scikit-learn."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import scale
from sklearn.svm import LinearSVC

from toadstone.core.errors import InvalidData
from toadstone.learners.linear import LinearClassifier


def breast_cancer():
    X, y = load_breast_cancer(return_X_y=True)
    return scale(X), y


def test_hinge_agrees_with_liblinear():
    X, y = breast_cancer()
    ours = LinearClassifier(ridge=0.1, tolerance=1e-10).fit(X, y)
    theirs = LinearSVC(C=1 / (0.1 * len(y)), loss="hinge", tol=1e-9, max_iter=100_000).fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-4)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-4)


def test_logistic_with_free_bias_agrees_with_lbfgs():
    X, y = breast_cancer()
    ours = LinearClassifier(loss="logistic", ridge=0.05, bias="free", tolerance=1e-10).fit(X, y)
    theirs = LogisticRegression(C=1 / (0.05 * len(y)), tol=1e-8, max_iter=1000).fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-4)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-4)


def test_no_bias_means_none():
    X, y = breast_cancer()
    assert LinearClassifier(bias="none").fit(X, y).intercept_ == 0.0


def test_several_classes_one_against_the_rest():
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    classifier = LinearClassifier(ridge=0.01).fit(scale(X), names)
    assert classifier.coef_.shape == (3, 4)
    scores = classifier.decision_function(scale(X))
    np.testing.assert_array_equal(classifier.predict(scale(X)), classifier.classes_[scores.argmax(axis=1)])
    assert classifier.score(scale(X), names) > 0.85


def test_sparse_and_dense_rows_train_alike():
    X, y = breast_cancer()
    dense, sparse = LinearClassifier().fit(X, y), LinearClassifier().fit(csr_array(X), y)
    np.testing.assert_allclose(sparse.coef_, dense.coef_)


def test_a_weight_of_two_is_a_repeated_row():
    X, y = breast_cancer()
    twice = np.arange(len(y)) < 50
    weighted = LinearClassifier(ridge=0.1, tolerance=1e-10).fit(X, y, sample_weight=1.0 + twice)
    repeated = LinearClassifier(ridge=0.1, tolerance=1e-10).fit(np.vstack([X, X[twice]]), np.append(y, y[twice]))
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=1e-4)


def test_warm_start_reaches_the_same_model():
    X, y = breast_cancer()
    flipped = y.copy()
    flipped[:5] = 1 - flipped[:5]
    warm = LinearClassifier(ridge=0.1, warm_start=True, tolerance=1e-8).fit(X, y)
    before = warm._fit.duals
    warm.set_params(tolerance=1.0).fit(X, y)
    np.testing.assert_array_equal(warm._fit.duals, before)
    warm.set_params(tolerance=1e-10).fit(X, flipped)
    cold = LinearClassifier(ridge=0.1, tolerance=1e-10).fit(X, flipped)
    np.testing.assert_allclose(warm.coef_, cold.coef_, atol=1e-4)


def test_the_gap_bounds_the_objective():
    X, y = breast_cancer()
    signs = np.where(y == 1, 1, -1)

    def objective(classifier):
        theta = np.append(classifier.coef_[0], classifier.intercept_)
        margins = signs * (X @ theta[:-1] + theta[-1])
        return np.maximum(0, 1 - margins).mean() + 0.05 * theta @ theta

    rough = LinearClassifier(ridge=0.1, tolerance=1e-2).fit(X, y)
    fine = LinearClassifier(ridge=0.1, tolerance=1e-10).fit(X, y)
    assert objective(rough) - objective(fine) <= rough.gap_ + 1e-12


@pytest.mark.parametrize("weights", [None, [1.0, 1.0, 0.0, 0.0]])
def test_a_single_class_of_weight_is_refused(weights):
    labels = [0, 0, 1, 1] if weights else [0] * 4
    with pytest.raises(InvalidData, match="at least two classes, got 1 class"):
        LinearClassifier().fit([[0.0], [1.0], [2.0], [3.0]], labels, sample_weight=weights)


@pytest.mark.data
@pytest.mark.parametrize(("bias", "mistakes"), [("regularized", 30), ("free", 31)])
def test_enron_mistakes(enron, bias, mistakes):
    X, y, X_test, y_test = enron
    classifier = LinearClassifier(ridge=0.09, bias=bias).fit(X, y)
    assert np.count_nonzero(classifier.predict(X_test) != y_test) == mistakes
