"""The vote in trusted features: what is flagged, what is spared, and what does not matter."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from toadstone.core.errors import InvalidData
from toadstone.detectors import FeatureVote


def blobs(seed=0, n=150):
    """Three classes of a plane, far apart."""
    rng = np.random.default_rng(seed)
    y = np.repeat([0, 1, 2], n)
    centres = np.array([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]])
    return centres[y] + rng.normal(size=(3 * n, 2)), y


def poisoned(count=8, seed=0, spread=0.05):
    """Rows of class 1 in the midst of class 0, after the clean ones."""
    X, y = blobs(seed)
    rng = np.random.default_rng(seed + 1)
    return np.concatenate([X, rng.normal(scale=spread, size=(count, 2))]), np.concatenate([y, np.full(count, 1)])


@parametrize_with_checks([FeatureVote(n_neighbors=3)])
def test_scikit_learn_conformance(estimator, check):
    check(estimator)


def test_the_vote_is_that_of_all_distances():
    X, y = poisoned(spread=1.0)
    found = FeatureVote(n_neighbors=40, around=12).fit(X, y)
    apart = np.linalg.norm(X[:, None] - X[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    near = apart.argsort(axis=1)
    for row in range(len(y)):
        shares = np.bincount(y[near[row, :40]], minlength=3) / 40
        assert found.suspicion_[row] == pytest.approx(np.delete(shares, y[row]).max() - shares[y[row]])
    outvoted = found.suspicion_ > 0
    company = [(outvoted[others] & (y[others] == label)).sum() for others, label in zip(near[:, :12], y, strict=True)]
    assert found.outvoted_around_.tolist() == company


@pytest.mark.parametrize("spread", [0.0, 0.05, 1.0])
def test_poison_that_lies_together_is_flagged_and_nothing_else(spread):
    X, y = poisoned(spread=spread)
    found = FeatureVote().fit(X, y)
    assert found.n_neighbors_ == 45
    assert found.flagged_indices_.tolist() == list(range(450, 458))
    assert set(found.suggested_[450:]) == {0}
    assert spread == 1 or found.outvoted_around_[450:].min() == 7


def test_a_row_that_loses_by_little_and_alone_is_spared():
    X, y = blobs()
    # Halfway between two classes, a little on the side of the other.
    X, y = np.concatenate([X, [[4.0, 0.0]]]), np.concatenate([y, [1]])
    found = FeatureVote(n_neighbors=250, margin=0.9).fit(X, y)
    assert found.suspicion_[-1] > 0
    assert 450 not in found.flagged_indices_
    assert 450 in FeatureVote(n_neighbors=250, margin=1e-6).fit(X, y).flagged_indices_


def test_a_lone_row_that_loses_clearly_is_flagged():
    X, y = poisoned(count=1)
    found = FeatureVote().fit(X, y)
    assert found.flagged_indices_.tolist() == [450]
    assert found.reasons_ == ["labelled 1, but of its nearest 45 rows 0 wins the vote by 100 points"]


def test_reasons_of_rows_that_lie_together_name_their_company():
    found = FeatureVote().fit(*poisoned())
    assert (
        found.reasons_[0]
        == "labelled 1, but of its nearest 45 rows 0 wins the vote, as for 7 rows of its label around it"
    )


def test_trusted_rows_are_never_flagged():
    X, y = poisoned()
    found = FeatureVote().fit(X, y, trusted=[450, 451])
    assert found.flagged_indices_.tolist() == list(range(452, 458))


def test_the_order_of_rows_does_not_matter():
    X, y = poisoned(spread=0.0)
    order = np.random.default_rng(3).permutation(len(y))
    found, shuffled = FeatureVote().fit(X, y), FeatureVote().fit(X[order], y[order])
    assert shuffled.suspicion_.tolist() == found.suspicion_[order].tolist()
    assert set(order[shuffled.flagged_indices_]) == set(found.flagged_indices_)


def test_resampling_keeps_the_others():
    X, y = poisoned()
    vote = FeatureVote()
    kept, labels = vote.fit_resample(X, y)
    assert len(kept) == len(labels) == 450
    assert vote.removed_indices_.tolist() == list(range(450, 458))


def test_few_rows_are_refused():
    with pytest.raises(InvalidData, match="rows: expected more than the 40 that vote on each, got n_samples = 30"):
        FeatureVote(n_neighbors=40).fit(np.eye(30), np.arange(30) % 2)
