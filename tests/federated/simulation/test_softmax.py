"""The softmax model of the clients."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.core.errors import InvalidArgument
from toadstone.federated import SoftmaxModel


def rows(n=20, features=3, classes=4, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, features)), rng.integers(0, classes, n)


def loss(model, weights, X, y):
    table = weights.reshape(model.features + 1, model.classes)
    scores = X @ table[:-1] + table[-1]
    logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return -logs[np.arange(len(y)), y].mean() + 0.5 * model.ridge * weights @ weights


def test_a_step_goes_down_the_gradient():
    model = SoftmaxModel(features=3, classes=4, rate=1.0, steps=1, batch=8, ridge=0.3)
    X, y = rows()
    weights = np.random.default_rng(1).normal(size=model.size)
    drawn = np.random.default_rng(2).integers(0, 20, (1, 8))[0]
    step = model.update(weights, X, y, np.random.default_rng(2))
    slope = [
        (loss(model, weights + move, X[drawn], y[drawn]) - loss(model, weights - move, X[drawn], y[drawn])) / 2e-5
        for move in 1e-5 * np.eye(model.size)
    ]
    np.testing.assert_allclose(-step, slope, atol=1e-5)


def test_together_and_alone_clients_learn_the_same(monkeypatch):
    model = SoftmaxModel(features=3, classes=4, steps=3, batch=5)
    clients = [rows(n, seed=n) for n in (1, 7, 20)]
    weights = np.random.default_rng(0).normal(size=model.size)

    def together():
        return model.updates(weights, clients, [np.random.default_rng(i) for i in range(3)])

    alone = [model.update(weights, X, y, np.random.default_rng(i)) for i, (X, y) in enumerate(clients)]
    whole = together()
    np.testing.assert_array_equal(whole, alone)
    monkeypatch.setattr("toadstone.federated.simulation.softmax._MOST_NUMBERS", 2 * 5 * 3)
    np.testing.assert_array_equal(whole, together())


def test_dense_and_sparse_rows_give_the_same_bytes():
    model = SoftmaxModel(features=3, classes=4)
    X, y = rows()
    X[X < 0] = 0
    weights = np.random.default_rng(0).normal(size=model.size)
    one, two = (model.update(weights, kind, y, np.random.default_rng(3)) for kind in (X, csr_array(X)))
    assert one.tobytes() == two.tobytes()
    assert model.predict(weights, X).tolist() == model.predict(weights, csr_array(X)).tolist()


def test_small_updates_of_large_weights_keep_their_digits():
    model = SoftmaxModel(features=1, classes=2, rate=1e-4, steps=1, batch=1)
    step = model.update(np.full(model.size, 1000.0), np.array([[1.0]]), np.array([1]), np.random.default_rng(0))
    np.testing.assert_allclose(step, [-5e-5, 5e-5, -5e-5, 5e-5], rtol=1e-6)


@pytest.mark.parametrize("scale", [1e30, 1e300, np.nan])
def test_a_model_that_was_blown_up_is_still_measured(scale):
    model = SoftmaxModel(features=3, classes=4)
    X, y = rows()
    weights = np.random.default_rng(0).normal(size=model.size) * scale
    assert set(model.predict(weights, X).tolist()) <= {0, 1, 2, 3}
    assert model.update(weights, X, y, np.random.default_rng(0)).shape == (model.size,)


@pytest.mark.parametrize("wrong", [{"rate": 0.0}, {"steps": 0}, {"batch": 1.5}, {"classes": 1}, {"ridge": -1.0}])
def test_numbers_out_of_range(wrong):
    with pytest.raises(InvalidArgument, match=f"`{next(iter(wrong))}`"):
        SoftmaxModel(**{"features": 2, "classes": 2} | wrong)


def test_a_score_that_is_no_number_is_not_the_largest():
    model = SoftmaxModel(features=1, classes=3)
    assert model.predict(np.array([0.0, 0, 0, 1.0, np.nan, 2.0]), np.zeros((1, 1))).tolist() == [2]
