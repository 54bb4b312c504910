"""Laws of the verdict: the same whatever the order, the storage, the type and the names."""

import warnings

import numpy as np
import pytest
from scipy.sparse import csc_array, csr_array
from sklearn.base import clone
from sklearn.svm import LinearSVC

from toadstone.detectors import Verdict
from toadstone.detectors.verdict import examination, learners


def clusters(seed=0, n=240, d=4):
    """Three classes with some wrong labels, some equal rows, and an equal row with another label."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    X = (rng.normal(0, 1, (n, d)) + 4 * np.eye(3, d)[y]).round(2).astype(np.float32).astype(float)
    X[np.abs(X) < 0.5] = 0.0
    X[1], X[3] = X[0], X[2]
    y[:3] = 0
    y[3] = 1
    y[10:20] = (y[10:20] + 1) % 3
    return X, y


def words(seed=1, n=160, d=300):
    """Counts of words, most of them zero."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    rates = np.tile(0.4 / np.arange(1, d + 1) ** 0.7, (2, 1))
    rates[0, 50:100] *= 8
    rates[1, 120:170] *= 8
    X = rng.poisson(rates[y]).astype(float)
    y[:5] = 1 - y[:5]
    return X, y


def planted(seed=0, n=300):
    """Two classes, of one of them some rows with two values of their own and another label."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    X = (rng.normal(size=(n, 6)) + 2 * y[:, None]).round(2).astype(np.float32).astype(float)
    X[:24:2, [1, 4]], y[:24:2] = (7.5, -3.25), 1
    y[31:40] = 1 - y[31:40]
    return X, y


def cells(seed=0, n=300):
    """Three columns of few values: most rows are equal to another by chance."""
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 3, (n, 3)).astype(float)
    y = (X.sum(axis=1) > 3).astype(int)
    y[:12] = 1 - y[:12]
    return X, y


SCENES = {"clusters": clusters, "words": words, "planted": planted, "cells": cells}
# Each differs from contiguous float64 in several ways, so that few fits try them all.
STORAGES = {
    "csr": csr_array,
    "float32 csc": lambda X: csc_array(X.astype(np.float32)),
    "fortran, negative zeros": lambda X: np.asfortranarray(np.where(X == 0, -0.0, X)),
}
every_scene = pytest.mark.parametrize("scene", SCENES)


@pytest.fixture(scope="module", autouse=True)
def _few_trees():
    """The laws hold whatever the number of trees."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learners, "_TREES", learners._FEWEST_TREES)
        patch.setattr(examination, "_TREES", 50)
        yield


@pytest.fixture(scope="module")
def judged():
    return {name: Verdict().fit(*make()) for name, make in SCENES.items()}


@every_scene
def test_there_is_something_to_say(judged, scene):
    verdict = judged[scene]
    wrong = {
        "clusters": np.arange(10, 20),
        "words": np.arange(5),
        "planted": np.r_[0:24:2, 31:40],
        "cells": np.arange(12),
    }[scene]
    assert len(np.intersect1d(verdict.flagged_indices_, wrong)) >= 0.6 * len(wrong)


@every_scene
@pytest.mark.parametrize("storage", STORAGES)
def test_the_same_whatever_the_storage(judged, scene, storage):
    X, y = SCENES[scene]()
    other = Verdict().fit(STORAGES[storage](X), y)
    np.testing.assert_allclose(other.score_, judged[scene].score_, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(other.flagged_indices_, judged[scene].flagged_indices_)


@every_scene
def test_the_same_whatever_the_order(judged, scene):
    X, y = SCENES[scene]()
    order = np.random.default_rng(3).permutation(len(y))
    other, one = Verdict().fit(X[order], y[order]), judged[scene]
    np.testing.assert_array_equal(other.score_, one.score_[order])
    np.testing.assert_array_equal(other.suggested_, one.suggested_[order])
    assert set(order[other.flagged_indices_]) == set(one.flagged_indices_)
    assert other.evidence_ == one.evidence_


@every_scene
def test_the_same_whatever_the_classes_are_called(judged, scene):
    X, y = SCENES[scene]()
    names = np.array(["ape", "bee", "cat"])
    other = Verdict().fit(X, names[y])
    np.testing.assert_array_equal(other.score_, judged[scene].score_)
    np.testing.assert_array_equal(other.suggested_, names[judged[scene].suggested_])


@every_scene
def test_classes_may_be_numbered_in_any_order(judged, scene):
    X, y = SCENES[scene]()
    new = np.array([2, 0, 1])
    other = Verdict().fit(X, new[y])
    # Of equal rows with two labels the first counts for their class, and which that is depends on the numbers.
    np.testing.assert_allclose(other.score_, judged[scene].score_, atol=1e-9 if scene == "words" else 0.25)
    assert other.evidence_.by_class[new[1]] == pytest.approx(judged[scene].evidence_.by_class[1], abs=0.01)


@every_scene
def test_what_is_said_fits_together(judged, scene):
    verdict = judged[scene]
    _, y = SCENES[scene]()
    flagged = verdict.flagged_indices_
    assert ((verdict.score_ >= 0) & (verdict.score_ <= 1)).all()
    assert (np.diff(verdict.score_[flagged]) <= 0).all()
    assert len(verdict.reasons_) == len(flagged)
    assert verdict.expected_innocents_ == pytest.approx((1 - verdict.score_[flagged]).sum())
    assert (verdict.suggested_ != y).all()
    assert (verdict.suggestion_probability_ <= verdict.wrong_probability_ + 1e-9).all()
    assert not np.intersect1d(flagged, verdict.review_indices_).size
    grouped = np.flatnonzero(verdict.group_ >= 0)
    assert set(grouped) <= set(flagged)
    assert all((verdict.group_[group.rows] == number).all() for number, group in enumerate(verdict.groups_))


def test_groups_leave_the_data_before_labels_are_judged(judged):
    verdict = judged["planted"]
    (group,) = verdict.groups_
    np.testing.assert_array_equal(group.rows, np.arange(0, 24, 2))
    assert (verdict.suggested_[group.rows] == 0).all()
    X, y = planted()
    rest = np.setdiff1d(np.arange(len(y)), group.rows)
    alone = Verdict().fit(X[rest], y[rest])
    np.testing.assert_array_equal(verdict.score_[rest], alone.score_)
    assert verdict.reasons_[list(verdict.flagged_indices_).index(0)] == (
        "one of 12 rows labelled 1 that share values of 2 columns and look like 0 without them"
    )


def test_where_classes_overlap_there_is_a_review_ranking_instead_of_a_list():
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 400)
    verdict = Verdict().fit(rng.standard_normal((400, 3)) + 0.3 * y[:, None], y)
    assert verdict.flagged_indices_.size == 0
    assert not verdict.evidence_.supported
    assert 0 < len(verdict.review_indices_) <= np.ceil(verdict.evidence_.interval[1] * 400)
    assert verdict.note_.startswith("the data cannot tell overlap of the classes from wrong labels")


def test_where_classes_are_apart_there_is_neither():
    X, y = clusters()
    rng = np.random.default_rng(2)
    X = rng.normal(0, 1, X.shape) + 7 * np.eye(3, 4)[y]
    verdict = Verdict().fit(X, y)
    assert verdict.flagged_indices_.size == verdict.review_indices_.size == 0
    assert verdict.note_.startswith("the data prefer no wrong labels")


def test_the_list_is_what_goes():
    X, y = clusters()
    verdict = Verdict()
    kept_rows, kept_labels = verdict.fit_resample(X, y)
    np.testing.assert_array_equal(verdict.removed_indices_, np.sort(verdict.flagged_indices_))
    both = np.concatenate([verdict.sample_indices_, verdict.removed_indices_])
    np.testing.assert_array_equal(np.sort(both), np.arange(len(y)))
    np.testing.assert_array_equal(kept_rows, X[verdict.sample_indices_])
    np.testing.assert_array_equal(kept_labels, y[verdict.sample_indices_])


@every_scene
def test_trusted_rows_are_never_listed(scene):
    X, y = SCENES[scene]()
    trusted = np.r_[0:8, 30:90]
    verdict = Verdict().fit(X, y, trusted=trusted)
    assert not np.intersect1d(verdict.flagged_indices_, trusted).size
    assert not np.intersect1d(verdict.review_indices_, trusted).size
    assert (verdict.score_[trusted] == 0).all()
    mask = np.isin(np.arange(len(y)), trusted)
    order = np.random.default_rng(4).permutation(len(y))
    other = Verdict().fit(X[order], y[order], trusted=mask[order])
    np.testing.assert_array_equal(other.score_, verdict.score_[order])


def test_a_classifier_of_ones_own_joins_the_others():
    X, y = clusters()
    verdict = Verdict(estimators=(LinearSVC(), LinearSVC(C=0.1)))
    verdict = clone(verdict).fit(X, y)
    assert list(verdict.learner_weights_)[-2:] == ["LinearSVC", "LinearSVC 2"]


@pytest.mark.parametrize(
    "X",
    [np.full((40, 3), 0.1), np.eye(40), 1e9 * np.eye(40, 3), np.repeat(np.eye(2), 20, axis=0)],
    ids=["constant", "identity", "large", "two rows"],
)
def test_odd_tables_have_finite_scores_and_no_list(X):
    y = np.arange(40) % 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        verdict = Verdict().fit(X, y)
    assert np.isfinite(verdict.score_).all()
    assert verdict.flagged_indices_.size == 0


@pytest.mark.parametrize("n", [4, 9, 15])
def test_few_rows(n):
    rng = np.random.default_rng(0)
    verdict = Verdict().fit(rng.standard_normal((n, 2)), np.arange(n) % 2)
    assert np.isfinite(verdict.score_).all()


def test_labels_that_occur_once_are_not_listed():
    X, y = clusters()
    y[50:53] = [7, 8, 9]
    verdict = Verdict().fit(X, y)
    assert not np.intersect1d(verdict.flagged_indices_, [50, 51, 52]).size


def test_one_label_is_refused():
    with pytest.raises(ValueError, match="expected at least two classes, got 1 class"):
        Verdict().fit(np.eye(5), np.zeros(5))
