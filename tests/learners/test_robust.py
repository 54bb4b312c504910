"""The robust learners: estimators, objectives that fall, and rows that are outvoted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from toadstone.learners.bounded import BoundedLossClassifier
from toadstone.learners.linear import LinearClassifier
from toadstone.learners.partitioned import PartitionVoteClassifier
from toadstone.learners.severed import SeveredClassifier
from toadstone.learners.trimmed import TrimmedLossClassifier

ROBUST = [
    TrimmedLossClassifier(restarts=1),
    BoundedLossClassifier(),
    SeveredClassifier(rounds=2),
    PartitionVoteClassifier(n_partitions=3),
]
every_learner = pytest.mark.parametrize("learner", ROBUST, ids=lambda learner: type(learner).__name__)


def breast_cancer(flips=0, seed=0):
    X, y = load_breast_cancer(return_X_y=True)
    flipped = np.random.default_rng(seed).choice(len(y), flips, replace=False)
    return scale(X), np.where(np.isin(np.arange(len(y)), flipped), 1 - y, y), y


@every_learner
def test_sparse_and_dense_rows_train_alike(learner):
    X, y, _ = breast_cancer()
    dense, sparse = clone(learner).fit(X, y), clone(learner).fit(csr_array(X), y)
    np.testing.assert_array_equal(sparse.predict(csr_array(X)), dense.predict(X))


@every_learner
def test_several_classes_with_names(learner):
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    fitted = clone(learner).fit(scale(X), names)
    assert set(fitted.predict(scale(X))) <= set(names)
    assert fitted.score(scale(X), names) > 0.75


@pytest.mark.parametrize(
    ("learner", "floor"),
    [
        (TrimmedLossClassifier(keep=0.75, restarts=1, loss="logistic"), 0.94),
        (BoundedLossClassifier(), 0.95),
        (SeveredClassifier(fraction=0.2), 0.95),
    ],
    ids=["trimmed", "bounded", "severed"],
)
def test_flips_of_the_surest_rows_cost_less_than_the_plain_learner(learner, floor):
    X, _, y = breast_cancer()
    margins = np.where(y == 1, 1, -1) * LinearClassifier(loss="logistic").fit(X, y).decision_function(X)
    flipped = np.isin(np.arange(len(y)), np.argsort(-margins)[:57])
    told = np.where(flipped, 1 - y, y)
    plain = LinearClassifier(loss="logistic").fit(X, told).score(X, y)
    assert plain < 0.93
    assert learner.fit(X, told).score(X, y) > floor


def test_trimming_leaves_the_flipped_rows_out():
    X, told, y = breast_cancer(flips=57)
    learner = TrimmedLossClassifier(keep=0.85).fit(X, told)
    assert len(learner.kept_indices_) == int(0.85 * len(y))
    assert np.mean(told[learner.kept_indices_] != y[learner.kept_indices_]) < 0.01
    assert learner.objectives_.shape == (5,)


def test_trimming_takes_the_start_of_least_objective():
    X, told, _ = breast_cancer(flips=100)
    learner = TrimmedLossClassifier(keep=0.7, restarts=3, ridge=0.001).fit(X, told)
    signs = np.where(told == 1, 1, -1)
    losses = np.sort(np.maximum(0, 1 - signs * learner.decision_function(X)))[: len(learner.kept_indices_)]
    theta = np.append(learner.coef_, learner.intercept_)
    reached = losses.mean() + 0.0005 * theta @ theta
    assert reached <= learner.objectives_.min() + 1e-9
    assert np.ptp(learner.objectives_) > 1e-6


def test_keeping_everything_is_the_plain_learner():
    X, told, _ = breast_cancer(flips=57)
    trimmed = TrimmedLossClassifier(keep=1.0, restarts=0, tolerance=1e-8).fit(X, told)
    np.testing.assert_allclose(trimmed.coef_, LinearClassifier().fit(X, told).coef_, atol=1e-6)


@pytest.mark.parametrize("loss", ["ramp", "sigmoid", "welsch"])
def test_the_objective_of_a_bounded_loss_never_rises(loss):
    X, told, _ = breast_cancer(flips=100)
    learner = BoundedLossClassifier(loss=loss, ridge=0.01, tolerance=1e-7).fit(X, told)
    (falling,) = learner.objectives_
    assert len(falling) > 2
    assert np.max(np.diff(falling)) <= 1e-7
    assert learner.row_weights_.min() >= 0
    assert learner.row_weights_.max() <= 1


def test_a_high_cap_bounds_nothing():
    X, told, _ = breast_cancer(flips=57)
    ramp = BoundedLossClassifier(loss="ramp", cap=1e6).fit(X, told)
    np.testing.assert_allclose(ramp.coef_, LinearClassifier().fit(X, told).coef_, atol=1e-3)


def test_severing_nothing_is_the_plain_learner():
    X, told, _ = breast_cancer(flips=57)
    severed = SeveredClassifier(fraction=0.0).fit(X, told)
    assert len(severed.kept_indices_) == len(told)
    plain = LinearClassifier(loss="logistic", tolerance=1e-6).fit(X, told)
    np.testing.assert_array_equal(severed.estimator_.coef_, plain.coef_)


def test_coincident_gradients_are_all_kept():
    X, y = np.repeat([[-1.0], [1.0]], 20, axis=0), np.repeat([0, 1], 20)
    assert len(SeveredClassifier(fraction=0.5).fit(X, y).kept_indices_) == 40


def sgd():
    return make_pipeline(StandardScaler(), SGDClassifier(max_iter=20, tol=None))


def test_a_row_more_changes_one_model_at_most():
    X, y, _ = breast_cancer()
    before = PartitionVoteClassifier(estimator=sgd(), n_partitions=7).fit(X, y)
    rng = np.random.default_rng(0)
    for position in (0, 100, len(y)):
        row = rng.standard_normal((1, X.shape[1]))
        after = PartitionVoteClassifier(estimator=sgd(), n_partitions=7).fit(
            np.insert(X, position, row, axis=0), np.insert(y, position, 1)
        )
        changed = [
            not np.array_equal(one[-1].coef_, other[-1].coef_)
            for one, other in zip(before.models_, after.models_, strict=True)
        ]
        assert np.sum(changed) == 1
        assert np.abs(after.votes(X) - before.votes(X)).sum(axis=1).max() <= 2


def test_a_new_label_changes_the_model_of_its_row_alone():
    X, y, _ = breast_cancer()
    other = y.copy()
    other[3] = 1 - other[3]
    before, after = (PartitionVoteClassifier(n_partitions=7).fit(X, labels) for labels in (y, other))
    changed = [not np.array_equal(one.coef_, two.coef_) for one, two in zip(before.models_, after.models_, strict=True)]
    np.testing.assert_array_equal(before.sizes_, after.sizes_)
    assert np.sum(changed) <= 1


def test_the_order_of_rows_is_irrelevant_to_the_vote():
    X, y, _ = breast_cancer()
    X[10:14] = X[3]
    y[10:14] = [0, 1, 0, 1]
    order = np.random.default_rng(1).permutation(len(y))
    straight = PartitionVoteClassifier(estimator=sgd(), n_partitions=5).fit(X, y)
    shuffled = PartitionVoteClassifier(estimator=sgd(), n_partitions=5).fit(csr_array(X[order]).toarray(), y[order])
    for one, other in zip(straight.models_, shuffled.models_, strict=True):
        np.testing.assert_array_equal(one[-1].coef_, other[-1].coef_)


def test_the_seed_of_a_model_is_the_number_of_its_part():
    X, y, _ = breast_cancer()
    models = PartitionVoteClassifier(estimator=sgd(), n_partitions=3).fit(X, y).models_
    assert [model[-1].random_state for model in models] == [0, 1, 2]


def test_votes_of_parts_without_rows_and_of_one_class():
    X, y = np.arange(12.0)[:, None], np.repeat(["b", "a"], 6)
    learner = PartitionVoteClassifier(n_partitions=40).fit(X, y)
    votes = learner.votes(X)
    assert (learner.sizes_ == 0).sum() == learner.models_.count(None) > 0
    np.testing.assert_array_equal(votes.sum(axis=1), np.count_nonzero(learner.sizes_))
    np.testing.assert_array_equal(learner.predict(X), learner.classes_[votes.argmax(axis=1)])


def test_a_tie_goes_to_the_first_label(monkeypatch):
    learner = PartitionVoteClassifier(n_partitions=2).fit(np.arange(12.0)[:, None], np.repeat(["b", "a"], 6))
    monkeypatch.setattr(learner, "votes", lambda X: np.array([[1, 1]]))
    assert learner.predict([[0.0]]).tolist() == ["a"]


def test_scikit_learns_bagging_takes_the_linear_learner():
    X, told, y = breast_cancer(flips=57)
    bagged = BaggingClassifier(LinearClassifier(tolerance=1e-4), 5, max_samples=0.3, random_state=0)
    assert bagged.fit(X, told).score(X, y) > 0.93
