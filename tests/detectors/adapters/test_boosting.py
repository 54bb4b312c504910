"""XGBoost, LightGBM and CatBoost as learners: in the verdict's stack, in detectors, and as a model of the caller's."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import toadstone
from toadstone.detectors import ConfidentLearning, Verdict
from toadstone.pipeline.harness.own_model import train

OPTIONS = {
    "xgboost:XGBClassifier": {"n_estimators": 20, "n_jobs": 1, "random_state": 0},
    "lightgbm:LGBMClassifier": {"n_estimators": 20, "n_jobs": 1, "random_state": 0, "verbose": -1},
    "catboost:CatBoostClassifier": {
        "iterations": 20,
        "thread_count": 1,
        "random_seed": 0,
        "verbose": False,
        "allow_writing_files": False,
    },
}


@pytest.fixture(params=OPTIONS)
def booster(request):
    library, _, name = request.param.partition(":")
    return getattr(pytest.importorskip(library), name)(**OPTIONS[request.param])


def crossed(n=300, classes=("ham", "spam")):
    """Two classes by the sign of a product, which no linear model sees; a tenth of the labels is wrong."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (n, 5))
    right = np.array(classes)[(X[:, 0] * X[:, 1] > 0).astype(int)]
    wrong = rng.choice(n, n // 10, replace=False)
    y = right.copy()
    y[wrong] = np.where(right[wrong] == classes[0], classes[1], classes[0])
    return X, y, wrong


def test_in_the_stack_of_the_verdict(booster):
    X, y, wrong = crossed()
    found = Verdict(estimators=[booster]).fit(X, y)
    order = np.random.default_rng(1).permutation(len(y))
    shuffled = Verdict(estimators=[clone(booster)]).fit(csr_array(X[order]), y[order])
    np.testing.assert_allclose(shuffled.wrong_probability_, found.wrong_probability_[order], rtol=1e-9, atol=1e-12)
    assert set(found.classes_) == {"ham", "spam"}
    assert np.isin(np.argsort(found.wrong_probability_)[-len(wrong) :], wrong).mean() >= 0.5


def test_as_the_estimator_of_a_detector(booster):
    X, y, wrong = crossed()
    suspicion = ConfidentLearning(estimator=booster).fit(X, y).suspicion_
    assert np.isin(np.argsort(suspicion)[-len(wrong) :], wrong).mean() >= 0.5


@pytest.mark.parametrize("classes", [("ham", "spam"), (-1, 1)])
@pytest.mark.parametrize("sparse", [False, True])
def test_as_a_model_of_the_caller(booster, classes, sparse):
    X, y, wrong = crossed(classes=classes)
    rows = csr_array(X) if sparse else X
    right = np.setdiff1d(np.arange(len(y)), wrong)
    model = train(booster, rows, y, np.ones(len(y)))
    predicted = np.ravel(model.predict(rows))
    assert set(predicted.tolist()) == set(classes)
    assert np.mean(predicted[right] == y[right]) > 0.9
    again = np.ravel(train(booster, rows, y).predict(rows))
    np.testing.assert_array_equal(again, predicted)


def test_at_the_end_of_a_pipeline(booster):
    X, y, _ = crossed()
    pipeline = make_pipeline(StandardScaler(), booster)
    assert set(np.ravel(train(pipeline, X, y).predict(X)).tolist()) == {"ham", "spam"}


def test_three_classes(booster):
    rng = np.random.default_rng(0)
    y = np.array(["a", "b", "c"])[rng.integers(0, 3, 240)]
    X = rng.standard_normal((240, 3)) + 3 * (y[:, None] == ["a", "b", "c"])
    assert np.mean(np.ravel(train(booster, X, y).predict(X)) == y) > 0.95
    assert Verdict(estimators=[booster]).fit(X, y).suggested_.shape == (240,)


def test_the_model_that_defend_trains(booster, tmp_path, monkeypatch):
    X, y, _ = crossed()
    monkeypatch.syspath_prepend(tmp_path)
    defended = toadstone.defend((X, y), model=booster)
    assert set(np.ravel(defended.train().predict(X)).tolist()) == {"ham", "spam"}


def test_rows_that_stay_sparse(booster, monkeypatch):
    monkeypatch.setattr("toadstone.kernels.rows.SMALL", 0)
    rng = np.random.default_rng(2)
    X, y = rng.poisson(0.05, (200, 60)).astype(float), np.arange(200) % 2
    X[y == 1, :3] += rng.poisson(0.4, (100, 3))
    dense, sparse = (ConfidentLearning(estimator=booster).fit(rows, y) for rows in (X, csr_array(X)))
    np.testing.assert_allclose(sparse.suspicion_, dense.suspicion_, rtol=1e-6, atol=1e-9)
    assert np.isfinite(Verdict(estimators=[booster]).fit(csr_array(X), y).wrong_probability_).all()
