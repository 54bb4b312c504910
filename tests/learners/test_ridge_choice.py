"""The one standard error rule, and what the table says."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import scale

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.learners import ridge_choice
from toadstone.learners.linear import LinearClassifier
from toadstone.learners.ridge_choice import choose_ridge


def breast_cancer():
    X, y = load_breast_cancer(return_X_y=True)
    return scale(X), y


def test_the_largest_ridge_within_one_standard_error_wins():
    choice = choose_ridge(*breast_cancer())
    best = min(choice.trials, key=lambda trial: trial.error)
    within = [trial.ridge for trial in choice.trials if trial.error <= best.error + best.standard_error]
    assert choice.ridge == max(within)
    assert [trial.ridge for trial in choice.trials] == sorted((t.ridge for t in choice.trials), reverse=True)


def test_errors_are_those_of_cross_validation():
    X, y = breast_cancer()
    choice = choose_ridge(X, y, ridges=[0.1, 10.0], folds=4, random_state=3)
    errors = [
        np.mean(LinearClassifier(ridge=10.0).fit(X[train], y[train]).predict(X[test]) != y[test])
        for train, test in StratifiedKFold(4, shuffle=True, random_state=3).split(X, y)
    ]
    assert choice.trials[0].ridge == 10.0
    assert choice.trials[0].error == pytest.approx(np.mean(errors), abs=0.004)
    assert choice.trials[0].standard_error == pytest.approx(np.std(errors, ddof=1) / 2, abs=0.004)


def test_the_standard_error_is_that_of_a_mean_over_folds(monkeypatch):
    folds = iter([[0.1, 0.3], [0.3, 0.3], [0.2, 0.3]])
    monkeypatch.setattr(ridge_choice, "_path", lambda *args, **options: np.array(next(folds)))
    first, second = choose_ridge(*breast_cancer(), ridges=[1.0, 0.1], folds=3).trials
    assert (first.error, first.standard_error) == pytest.approx((0.2, 0.1 / np.sqrt(3)))
    assert (second.error, second.standard_error) == pytest.approx((0.3, 0.0))


def test_sparse_rows_names_and_several_classes():
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    assert choose_ridge(csr_array(scale(X)), names) == choose_ridge(scale(X), y)


@pytest.mark.parametrize("ridges", [[], [0.0, 1.0], [np.inf], [np.nan]])
def test_ridges_out_of_range(ridges):
    with pytest.raises(InvalidArgument, match="`ridges`"):
        choose_ridge(*breast_cancer(), ridges=ridges)


def test_folds_out_of_range():
    with pytest.raises(InvalidArgument, match="`folds`: expected at least two, got 1"):
        choose_ridge(*breast_cancer(), folds=1)


def test_a_rare_class_is_named():
    with pytest.raises(InvalidData, match="at least 5 rows of each class, got 2 of spam"):
        choose_ridge(np.zeros((12, 1)), ["ham"] * 10 + ["spam"] * 2)


def test_one_class_is_refused():
    with pytest.raises(InvalidData, match="got 1 class"):
        choose_ridge(np.zeros((12, 1)), ["ham"] * 12)


@pytest.mark.data
def test_enron_ridge_is_that_of_the_papers(enron):
    X, y, _, _ = enron
    assert choose_ridge(X, y).ridge == 0.1
