"""Training functions as classifiers, and as voters."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.core.errors import InvalidData
from toadstone.learners import FunctionClassifier, PartitionVoteClassifier


def nearest_mean(X, y, seed):
    rows = X.toarray() if hasattr(X, "toarray") else X
    means = np.stack([rows[y == c].mean(axis=0) for c in range(y.max() + 1)])
    return lambda asked: (
        -(((asked.toarray() if hasattr(asked, "toarray") else asked)[:, None] - means) ** 2).sum(axis=2)
    )


def positions(X, y, seed):
    scores = nearest_mean(X, y, seed)
    return lambda rows: scores(rows).argmax(axis=1)


def blobs(n=60, n_classes=3):
    y = np.arange(n) % n_classes
    return np.random.default_rng(0).normal(size=(n, 2)) + 3.0 * y[:, None], np.array(["ape", "bee", "cat"])[y]


@pytest.mark.parametrize("n_classes", [2, 3])
def test_scores_and_positions_predict_alike(n_classes):
    X, y = blobs(n_classes=n_classes)
    by_scores, by_positions = (FunctionClassifier(train).fit(X, y) for train in (nearest_mean, positions))
    np.testing.assert_array_equal(by_scores.predict(X), by_positions.predict(X))
    for fitted in (by_scores, by_positions):
        found = fitted.decision_function(X)
        codes = found.argmax(axis=1) if n_classes > 2 else (found > 0).astype(int)
        np.testing.assert_array_equal(fitted.classes_[codes], fitted.predict(X))
    np.testing.assert_array_equal(
        FunctionClassifier(nearest_mean).fit(csr_array(X), y).predict(csr_array(X)), by_scores.predict(X)
    )


def test_each_voter_calls_it_with_its_own_seed():
    seeds = []

    def train(X, y, seed):
        seeds.append(seed)
        return nearest_mean(X, y, seed)

    X, y = blobs()
    fitted = PartitionVoteClassifier(estimator=FunctionClassifier(train), n_partitions=4).fit(X, y)
    # One part is trained three times: for its vote, and twice for the comparison.
    assert sorted(seeds) == [0, 0, 0, 1, 2, 3]
    assert np.mean(fitted.predict(X) == y) > 0.8


@pytest.mark.parametrize("said", [np.zeros(3), np.zeros((3, 2)), np.array([0, 1, 3]), np.full((3, 3), np.nan), "none"])
def test_what_is_no_prediction_is_refused(said):
    X, y = blobs()
    fitted = FunctionClassifier(lambda *_: lambda rows: said).fit(X, y)
    with pytest.raises(InvalidData, match="train: expected a function that predicts a class position below 3"):
        fitted.predict(X[:3])


@pytest.mark.deep
def test_a_network_votes_and_is_the_same_when_it_is_trained_again():
    torch = pytest.importorskip("torch")

    def train(X, y, seed):
        generator = torch.Generator().manual_seed(seed)
        codes = torch.tensor(y)
        rows, centre = torch.tensor(X - X.mean(axis=0), dtype=torch.float32), X.mean(axis=0)
        hidden = torch.randn(2, 8, generator=generator).requires_grad_()
        last = torch.randn(8, int(codes.max()) + 1, generator=generator).requires_grad_()
        descent = torch.optim.SGD([hidden, last], lr=0.2)
        for _ in range(150):
            descent.zero_grad()
            torch.nn.functional.cross_entropy(torch.relu(rows @ hidden) @ last, codes).backward()
            descent.step()
        return lambda asked: scores(asked - centre, hidden, last)

    def scores(asked, hidden, last):
        return (torch.relu(torch.tensor(asked, dtype=torch.float32) @ hidden) @ last).detach().numpy()

    X, y = blobs(n=90)
    fitted = PartitionVoteClassifier(estimator=FunctionClassifier(train), n_partitions=3).fit(X, y)
    assert np.mean(fitted.predict(X) == y) > 0.8
    assert fitted.certify(X).count.max() == 1
