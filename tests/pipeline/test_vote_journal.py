"""Votes on disk: an interrupted training goes on, and nothing is trained twice."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from toadstone.core.errors import InvalidArgument
from toadstone.learners.partitioned import PartitionVoteClassifier
from toadstone.pipeline.vote_journal import VoteJournal

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
Y = (X[:, 0] > 0).astype(int)
QUERIES = RNG.normal(size=(7, 3))
CLASSIFIER = PartitionVoteClassifier(estimator=GaussianNB(), n_partitions=6)


def counting(calls, *, most=99):
    def run(function, tasks):
        for task in tasks:
            if len(calls) == most:
                raise KeyboardInterrupt
            calls.append(task)
            yield function(task)

    return run


def test_an_interrupted_training_goes_on(tmp_path):
    plain = CLASSIFIER.fit_votes(X, Y, QUERIES)
    first, second, third = [], [], []
    with pytest.raises(KeyboardInterrupt):
        CLASSIFIER.fit_votes(X, Y, QUERIES, map=VoteJournal(tmp_path / "votes", map=counting(first, most=4)))
    votes = CLASSIFIER.fit_votes(X, Y, QUERIES, map=VoteJournal(tmp_path / "votes", map=counting(second)))
    np.testing.assert_array_equal(votes, plain)
    assert (len(first), len(second)) == (4, 2)
    # A row less concerns its own part only.
    CLASSIFIER.fit_votes(X[1:], Y[1:], QUERIES, map=VoteJournal(tmp_path / "votes", map=counting(third)))
    assert len(third) == 1


@pytest.mark.parametrize(
    ("classifier", "queries"),
    [
        (CLASSIFIER, QUERIES[:3]),
        (PartitionVoteClassifier(estimator=DecisionTreeClassifier(), n_partitions=6), QUERIES),
        (PartitionVoteClassifier(estimator=GaussianNB(var_smoothing=1e-3), n_partitions=6), QUERIES),
        (PartitionVoteClassifier(estimator=GaussianNB(), n_partitions=6, repeats=2), QUERIES),
    ],
)
def test_other_models_and_queries_have_votes_of_their_own(tmp_path, classifier, queries):
    calls = []
    CLASSIFIER.fit_votes(X, Y, QUERIES, map=VoteJournal(tmp_path))
    classifier.fit_votes(X, Y, queries, map=VoteJournal(tmp_path, map=counting(calls)))
    assert len(calls) == 6


@pytest.mark.parametrize("content", [b"", b"no array", None])
def test_a_file_of_something_else_is_refused(tmp_path, content):
    CLASSIFIER.fit_votes(X, Y, QUERIES, map=VoteJournal(tmp_path))
    damaged = sorted(tmp_path.glob("*.npy"))[0]
    if content is None:
        np.save(damaged, np.full(len(QUERIES), 5, dtype=np.int16))
    else:
        damaged.write_bytes(content)
    with pytest.raises(InvalidArgument, match="`journal`: expected votes as they were written"):
        CLASSIFIER.fit_votes(X, Y, QUERIES, map=VoteJournal(tmp_path))


def test_a_folder_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidArgument, match="`journal`: expected a folder that can be written"):
        CLASSIFIER.fit_votes(X, Y, QUERIES, map=VoteJournal(tmp_path / "file"))
