"""Votes of parts, groups and bags: dealing, determinism, unlearning, and counts that attacks do not exceed."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import RidgeClassifier, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

import toadstone
import toadstone.pipeline.certification.votes as voting
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.kernels.votes.grouped import GroupParts, Periods
from toadstone.kernels.votes.schemes import DisjointParts, FiniteAggregation, HashBagging
from toadstone.learners import FunctionClassifier
from toadstone.learners.partitioned import PartitionVoteClassifier
from toadstone.pipeline.certification.another_process import in_another_process

N = 90
GROUPS = np.array(["north", "south", "east", "west", "centre"])[np.arange(N) % 5]
WEEKS = np.arange(N) // 13
SCHEMES = {
    "parts": (DisjointParts(5), None),
    "finite aggregation": (FiniteAggregation(3, 2), None),
    "bags": (HashBagging(3, 2), None),
    "groups": (GroupParts(), GROUPS),
    "grouped parts": (GroupParts(3), GROUPS),
    "periods": (Periods(), WEEKS),
    "long periods": (Periods(span=2, threat="earliness"), WEEKS),
}
every_scheme = pytest.mark.parametrize("name", SCHEMES)


def blobs(seed=0, n=N):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    return rng.normal(size=(n, 4)) + 1.2 * y[:, None], y


def learner(name, **others):
    return PartitionVoteClassifier(estimator=DecisionTreeClassifier(max_depth=2), scheme=SCHEMES[name][0], **others)


@every_scheme
def test_every_voter_gets_its_rows(name):
    X, y = blobs()
    scheme, groups = SCHEMES[name]
    fitted = learner(name).fit(X, y, groups=groups)
    # The rows of the first and of the last week are in one model of two weeks only.
    read = {"finite aggregation": 2 * N, "bags": 2 * N, "long periods": 2 * N - 13 - N % 13}.get(name, N)
    assert fitted.sizes_.sum() == read
    ballots = fitted.ballots(X)
    assert ballots.shape == (N, len(fitted.models_))
    np.testing.assert_array_equal(fitted.predict(X), fitted.classes_[fitted.certify(X).winner])
    np.testing.assert_array_equal(scheme.certify(ballots, 3).count, fitted.certify(X).count)


@every_scheme
def test_no_attack_of_so_many_units_changes_a_certified_prediction(name):
    X, y = blobs()
    groups, rng = SCHEMES[name][1], np.random.default_rng(1)
    clean = learner(name).fit(X, y, groups=groups)
    found = clean.certify(X)
    for _ in range(4):
        # One unit: a row removed, relabelled or added, or a group of wrong labels.
        labels, rows = y.copy(), np.arange(N)
        touched = rng.integers(N)
        if groups is not None:
            # Of the last period, where it is these that an attacker has.
            mine = groups == (groups[-1] if name == "long periods" else groups[touched])
            labels[mine] = (labels[mine] + 1) % 3
        elif rng.random() < 0.5:
            labels[touched] = (labels[touched] + 1) % 3
        else:
            rows = np.delete(rows, touched)
        kept = None if groups is None else groups[rows]
        poisoned = learner(name).fit(X[rows], labels[rows], groups=kept).predict(X)
        sure = found.count >= 1
        np.testing.assert_array_equal(poisoned[sure], clean.classes_[found.winner][sure])
    assert (found.count >= 1).any()


@every_scheme
def test_unlearning_is_fitting_without_the_rows(name):
    X, y = blobs()
    groups = SCHEMES[name][1]
    removed = np.array([3, 40, 8]) if groups is None else np.flatnonzero(groups == groups[-1])
    kept = np.setdiff1d(np.arange(N), removed)
    before = learner(name).fit(X, y, groups=groups)
    models = list(before.models_)
    after = before.unlearn(removed)
    fresh = learner(name).fit(X[kept], y[kept], groups=None if groups is None else groups[kept])
    np.testing.assert_array_equal(after.ballots(X), fresh.ballots(X))
    np.testing.assert_array_equal(after.sizes_, fresh.sizes_)
    reached = {"finite aggregation": 2, "bags": 2}.get(name, 1) * (len(removed) if groups is None else 1)
    same = sum(any(model is other for other in models) for model in after.models_)
    assert same >= len(models) - reached
    # Once more: positions are those of the rows that remained.
    again, rest = after.unlearn([0]), kept[1:]
    fresh = learner(name).fit(X[rest], y[rest], groups=None if groups is None else groups[rest])
    np.testing.assert_array_equal(again.ballots(X), fresh.ballots(X))


def test_unlearning_a_class_forgets_it():
    X, y = blobs()
    fitted = learner("parts").fit(X, y).unlearn(np.flatnonzero(y == 1))
    fresh = learner("parts").fit(X[y != 1], y[y != 1])
    assert fitted.classes_.tolist() == [0, 2]
    np.testing.assert_array_equal(fitted.predict(X), fresh.predict(X))
    with pytest.raises(InvalidData, match="labels: expected rows of at least two classes"):
        fitted.unlearn(np.arange(0, 60, 2))
    np.testing.assert_array_equal(fitted.predict(X), fresh.predict(X))


@pytest.mark.parametrize("rows", [[0, 0], [N], [-1], [0.5], [[0]]])
def test_rows_that_are_none_are_not_unlearned(rows):
    with pytest.raises(InvalidArgument, match="rows"):
        learner("parts").fit(*blobs()).unlearn(rows)


@every_scheme
def test_order_and_storage_of_rows_do_not_matter(name):
    X, y = blobs()
    groups, order = SCHEMES[name][1], np.random.default_rng(2).permutation(N)
    # Rows that are equal but for their labels, and zeros of both signs.
    X[:4], y[:4] = 0.0, [0, 1, 2, 1]
    X[2:4] = -0.0
    straight = learner(name).fit(X, y, groups=groups)
    shuffled = learner(name).fit(X[order], y[order], groups=None if groups is None else groups[order])
    sparse = learner(name).fit(csr_array(X), y, groups=groups)
    np.testing.assert_array_equal(straight.ballots(X), shuffled.ballots(X))
    np.testing.assert_array_equal(straight.ballots(X), sparse.ballots(X))


def test_a_key_deals_otherwise_and_a_part_holds_its_share():
    X, y = blobs(n=600)
    one, other = (PartitionVoteClassifier(scheme=DisjointParts(6, key)).fit(X, y).sizes_ for key in ("", "secret"))
    assert one.tolist() != other.tolist()
    assert 60 < one.min() <= one.max() < 140


class Moody(ClassifierMixin, BaseEstimator):
    """A classifier whose every training predicts another class."""

    moods = count()

    def fit(self, X, y):
        self.classes_, self.mood_ = np.unique(y), next(self.moods)
        return self

    def predict(self, X):
        return np.full(X.shape[0], self.classes_[self.mood_ % len(self.classes_)])


class Moodless(ClassifierMixin, BaseEstimator):
    """A classifier that says nothing but its vote."""

    def fit(self, X, y):
        self.classes_, self.centre_ = np.unique(y), X.mean()
        return self

    def predict(self, X):
        return self.classes_[(X.mean(axis=1) > self.centre_).astype(int) * (len(self.classes_) - 1)]


def test_a_model_that_is_not_the_same_twice_is_refused():
    X, y = blobs()
    classifier = PartitionVoteClassifier(estimator=Moody(), n_partitions=3)
    expected = r"`estimator`: expected a model that is the same whenever .*, got Moody, which predicts otherwise"
    with pytest.raises(InvalidArgument, match=expected):
        classifier.fit(X, y)
    with pytest.raises(InvalidArgument, match=expected):
        classifier.fit_votes(X, y, X)


def test_repeats_vote_as_one():
    X, y = blobs()
    shaky = SGDClassifier(max_iter=3, tol=None, loss="log_loss")
    classifier = PartitionVoteClassifier(estimator=shaky, n_partitions=4, repeats=5).fit(X, y)
    voter = classifier.models_[0]
    assert [model.random_state for model in voter.models][:2] == [0, 0x9E3779B1]
    mean = np.mean([model.predict_proba(X) for model in voter.models], axis=0)
    np.testing.assert_array_equal(classifier.ballots(X)[:, 0], mean.argmax(axis=1))
    assert classifier.certify(X).count.max() <= 4


def test_repeats_without_probabilities_are_counted():
    X, y = blobs()
    classifier = PartitionVoteClassifier(estimator=RidgeClassifier(), n_partitions=2, repeats=3).fit(X, y)
    one = PartitionVoteClassifier(estimator=RidgeClassifier(), n_partitions=2).fit(X, y)
    np.testing.assert_array_equal(classifier.ballots(X), one.ballots(X))


def test_votes_without_models_are_the_same_and_may_be_cast_in_parallel():
    X, y = blobs()
    fitted = learner("parts").fit(X, y)
    with ThreadPoolExecutor(2) as pool:
        votes = learner("parts").fit_votes(X, y, X[:20], map=pool.map)
        parallel = learner("parts").fit(X, y, map=pool.map)
    np.testing.assert_array_equal(votes, fitted.ballots(X[:20]))
    np.testing.assert_array_equal(parallel.ballots(X), fitted.ballots(X))


def test_without_models_there_are_no_predictions():
    X, y = blobs()
    classifier = learner("parts").fit(X, y)
    classifier.fit_votes(X[:60], y[:60], X)
    for call in (classifier.predict, classifier.certify, classifier.unlearn):
        with pytest.raises(NotFittedError):
            call([0])


def test_fewer_rows_than_parts_leave_voters_without_a_vote():
    X, y = blobs(n=9)
    fitted = PartitionVoteClassifier(estimator=GaussianNB(), n_partitions=40).fit(X, y)
    empty = fitted.sizes_ == 0
    assert (fitted.ballots(X)[:, empty] == -1).all()
    assert empty.sum() >= 31


def test_a_group_of_most_rows_is_one_voter():
    X, y = blobs()
    groups = np.where(np.arange(N) < 80, "large", GROUPS)
    fitted = PartitionVoteClassifier(scheme=GroupParts(), estimator=GaussianNB()).fit(X, y, groups=groups)
    assert sorted(fitted.sizes_.tolist()) == [2, 2, 2, 2, 2, 80]


def test_another_group_leaves_the_other_voters_alone():
    X, y = blobs()
    estimator = SGDClassifier(max_iter=3, tol=None)
    classifier = PartitionVoteClassifier(estimator=estimator, scheme=GroupParts())
    fewer = classifier.fit(X[GROUPS != "centre"], y[GROUPS != "centre"], groups=GROUPS[GROUPS != "centre"]).ballots(X)
    more = classifier.fit(X, y, groups=GROUPS).ballots(X)
    # The centre's voter is the first, by name.
    np.testing.assert_array_equal(more[:, 1:], fewer)


@pytest.mark.parametrize(
    ("scheme", "groups", "message"),
    [
        (GroupParts(), None, "`groups`: expected one for each row, for the scheme of groups, got none"),
        (GroupParts(), ["a"], "groups: expected one for each of 90 rows, got 1"),
        (GroupParts(), [None] * N, "groups: expected a value for each row, got None"),
        (GroupParts(), [float("nan")] * N, "groups: expected a value for each row, got nan"),
        (DisjointParts(3), GROUPS, "`groups`: expected none, for disjoint parts go by features"),
        (HashBagging(3), GROUPS, "`groups`: expected none"),
    ],
)
def test_groups_that_do_not_fit_are_refused(scheme, groups, message):
    with pytest.raises((InvalidArgument, InvalidData)) as caught:
        PartitionVoteClassifier(scheme=scheme).fit(*blobs(), groups=groups)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("name", ["parts", "finite aggregation", "groups"])
@pytest.mark.parametrize("estimator", [GaussianNB(var_smoothing=0.1), RidgeClassifier(), Moodless()], ids=repr)
def test_a_run_off_elects_what_it_certifies(name, estimator):
    X, y = blobs()
    scheme, groups = SCHEMES[name]
    classifier = PartitionVoteClassifier(estimator=estimator, scheme=scheme, election="run-off")
    rankings = classifier.fit_rankings(X, y, X[:30], groups=groups)
    fitted = classifier.fit(X, y, groups=groups)
    np.testing.assert_array_equal(fitted.rankings(X[:30]), rankings)
    found = fitted.certify(X[:30])
    np.testing.assert_array_equal(fitted.predict(X[:30]), fitted.classes_[found.winner])
    # A voter's first choice is what it votes for.
    np.testing.assert_array_equal(rankings.argmax(axis=2), fitted.ballots(X[:30]))


def test_a_class_that_a_voter_has_not_seen_comes_last():
    X, y = blobs()
    where = np.where(y == 0, "other", GROUPS)
    classifier = PartitionVoteClassifier(estimator=GaussianNB(), scheme=GroupParts(), election="run-off")
    ranks = classifier.fit(X, y, groups=where).rankings(X)
    names = sorted(set(where))
    assert (ranks[:, [place for place, name in enumerate(names) if name != "other"], 0] == 0).all()
    assert (ranks[:, names.index("other")] == [2, 1, 0]).all()


def test_counts_in_flips_are_for_parts_and_a_majority():
    X, y = blobs()
    for options in ({"scheme": FiniteAggregation(3, 2)}, {"n_partitions": 3, "election": "run-off"}):
        with pytest.raises(InvalidArgument, match="expected disjoint parts and a majority"):
            PartitionVoteClassifier(**options).fit(X, y).certify_flips(X)
    any_model = PartitionVoteClassifier(estimator=GaussianNB(), n_partitions=9).fit(X, y)
    np.testing.assert_array_equal(any_model.certify_flips(X).count, any_model.certify(X).count)


def test_an_election_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="election"):
        PartitionVoteClassifier(election="lottery").fit(*blobs())
    with pytest.raises(InvalidArgument, match="`election`: expected majority for the scheme of hash bagging"):
        PartitionVoteClassifier(scheme=HashBagging(3), election="run-off").fit(*blobs())


def test_a_second_training_elsewhere_notices_the_process():
    def of_this_process(X, y, seed):
        return lambda rows: np.full((rows.shape[0], 3), float(os.getpid()))

    X, y = blobs()
    classifier = PartitionVoteClassifier(estimator=FunctionClassifier(of_this_process), n_partitions=3)
    classifier.fit(X, y)
    with pytest.raises(InvalidArgument, match="got FunctionClassifier, which predicts otherwise"):
        classifier.fit(X, y, again=in_another_process)
    # A tree is the same everywhere.
    tree = PartitionVoteClassifier(estimator=DecisionTreeClassifier(max_depth=2), n_partitions=3)
    np.testing.assert_array_equal(tree.fit_votes(X, y, X, again=in_another_process), tree.fit(X, y).ballots(X))


def test_a_model_that_cannot_be_sent_elsewhere_is_refused():
    with pytest.raises(InvalidArgument, match="`estimator`: expected a model that another process can import"):
        PartitionVoteClassifier(estimator=Moodless(), n_partitions=3).fit(*blobs(), again=in_another_process)


def test_the_command_trains_an_estimator_elsewhere(monkeypatch):
    X, y = blobs()
    asked = []
    monkeypatch.setattr(voting, "in_another_process", lambda function, tasks: asked.append(1) or map(function, tasks))
    for estimator, calls in ((None, 0), (GaussianNB(), 1)):
        toadstone.certify((X, y), method="votes", partitions=3, estimator=estimator)
        assert len(asked) == calls
