"""A network as a classifier: every training, repetition, and what it refuses."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from sklearn.base import clone
from torch import nn

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep import NetworkClassifier, SmallCNN
from toadstone.deep.tensors.networks import draw_weights

FACTORY = partial(SmallCNN, width=4, classes=3)


def plain_network():
    """Without batch norms, which private training refuses."""
    made = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 3))
    draw_weights(made, seed=1)
    return made


def images(count=90, seed=0):
    """Images of three labels, each bright in its own rows."""
    rng = np.random.default_rng(seed)
    y = np.array(["down", "middle", "up"])[np.arange(count) % 3]
    X = rng.random((count, 8, 8)) * 0.3
    for place, label in enumerate(("up", "middle", "down")):
        X[y == label, 3 * place : 3 * place + 2] += 0.6
    return X.reshape(count, 64), y


@pytest.fixture(scope="module")
def mislabelled():
    """Nine of ninety labels are wrong."""
    X, y = images()
    rows = np.arange(0, 90, 10)
    y = y.copy()
    y[rows] = np.where(y[rows] == "up", "down", "up")
    return X, y, rows


@pytest.mark.parametrize("training", ["plain", "epic", "trimmed-loss", "trades", "dp-sgd"])
def test_every_training_learns_and_says_what_it_left_out(training, mislabelled):
    X, y, wrong = mislabelled
    model = NetworkClassifier(plain_network, image=(8, 8, 1), training=training, epochs=12, random_state=1)
    before = {name: value.clone() for name, value in plain_network().state_dict().items()}
    model.fit(X, y)
    assert any(not torch.equal(value, before[name]) for name, value in model.network_.state_dict().items())
    clean, truth = images(seed=5)
    assert model.score(clean, truth) > (0.6 if training == "dp-sgd" else 0.9)
    if training in ("plain", "trades", "dp-sgd"):
        assert model.dropped_indices_.size == 0
    if training == "trimmed-loss":
        assert model.dropped_indices_.tolist() == wrong.tolist()
    if training == "epic":
        assert 0 < model.dropped_indices_.size < 90


def test_predictions_are_labels_with_probabilities(mislabelled):
    X, y, _ = mislabelled
    model = NetworkClassifier(FACTORY, image=(8, 8, 1), epochs=4).fit(X, y)
    assert model.classes_.tolist() == ["down", "middle", "up"]
    found = model.predict_proba(X)
    assert np.allclose(found.sum(axis=1), 1)
    assert (model.predict(X) == model.classes_[found.argmax(axis=1)]).all()
    assert model.features(X).shape == (90, 36 * 4)


def test_a_fit_repeats_itself_and_clones_are_fresh(mislabelled):
    X, y, _ = mislabelled
    model = NetworkClassifier(SmallCNN(width=2, classes=3), image=(8, 8, 1), epochs=2)
    first = model.fit(X, y).predict_proba(X)
    assert np.array_equal(first, clone(model).fit(X, y).predict_proba(X))
    assert not np.array_equal(first, clone(model).set_params(random_state=1).fit(X, y).predict_proba(X))


def test_what_does_not_fit_is_refused():
    X, y = images(30)
    with pytest.raises(InvalidArgument, match="`image`: expected a shape of 64 pixels, those of a row, got"):
        NetworkClassifier(FACTORY, image=(8, 8, 3)).fit(X, y)
    with pytest.raises(InvalidData, match=r"pixels: expected values in \[0, 1\], got"):
        NetworkClassifier(FACTORY, image=(8, 8, 1)).fit(3 * X, y)
    with pytest.raises(InvalidData, match="labels: expected at most 2, one for each output of the network, got 3"):
        NetworkClassifier(partial(SmallCNN, width=2, classes=2), image=(8, 8, 1)).fit(X, y)
    with pytest.raises(InvalidArgument, match="`model`: expected a module that is installed"):
        NetworkClassifier("no_such_module:net", image=(8, 8, 1)).fit(X, y)
