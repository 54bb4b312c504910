"""Laws of sanitizers, over the catalogue."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array

import toadstone.sanitizers
from toadstone.catalogue import names, resolve

SHARES = st.sampled_from([0.05, 0.1, 0.3, 0.5])
OPTIONS = {
    # A smooth dual, so that the solver is exact enough to compare models of reordered rows; or several classes at once.
    "loss": [{"loss": "squared_hinge", "ridge": 1.0, "tolerance": 1e-12}, {"ridge": 1.0, "tolerance": 1e-9}],
    "svd": [{"variant": "paper"}, {"variant": "reference"}],
    "knn": [{"variant": "paper"}, {"variant": "reference"}],
}
SANITIZERS = [
    pytest.param(name, options, id="-".join([name, *map(str, options.values())]))
    for name in names("sanitizer")
    for options in OPTIONS.get(name, [{}])
]
every_sanitizer = pytest.mark.parametrize(("name", "options"), SANITIZERS)
few = settings(max_examples=25, deadline=None)


@st.composite
def labelled_rows(draw):
    """Rows in general position, some of them repeated, of two or three classes."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, d = draw(st.integers(9, 40)), draw(st.integers(1, 8))
    labels = np.concatenate([np.arange(draw(st.integers(2, 3))), rng.integers(0, 2, n)])
    X = rng.standard_normal((len(labels), d)) * 10.0 ** rng.integers(-2, 2) + labels[:, None]
    X[rng.random(X.shape) < 0.3] = 0.0
    repeated = rng.integers(0, n, 3)
    X[-3:], labels[-3:] = X[repeated], labels[repeated]
    return X, labels


def build(name, options, share=0.05):
    return resolve("sanitizer", name)(contamination=share, **options)


def rounding(sanitizer, X):
    """By how much scores of the same rows may differ."""
    allowance = 1e-6 * max(np.abs(sanitizer.suspicion_).max(), 1e-3)
    if hasattr(sanitizer, "model_"):
        # A model within a gap of the optimum lies within sqrt(2 gap / ridge) of it.
        gap = sanitizer.tolerance * sanitizer.model_.objective
        allowance += 4 * np.sqrt(2 * gap / sanitizer.ridge) * (1 + np.linalg.norm(X, axis=1).max())
    return allowance


def test_the_room_exports_the_sanitizers_of_the_catalogue():
    assert dir(toadstone.sanitizers) == sorted(resolve("sanitizer", name).__name__ for name in names("sanitizer"))
    for name in names("sanitizer"):
        kind = resolve("sanitizer", name)
        assert getattr(toadstone.sanitizers, kind.__name__) is kind


@every_sanitizer
@few
@given(rows=labelled_rows(), share=SHARES)
def test_keeps_exactly_its_share(name, options, rows, share):
    X, y = rows
    sanitizer = build(name, options, share)
    kept_rows, kept_labels = sanitizer.fit_resample(X, y)
    for label in np.unique(y):
        assert np.sum(kept_labels == label) == round((1 - share) * np.sum(y == label))
    kept, removed = sanitizer.sample_indices_, sanitizer.removed_indices_
    np.testing.assert_array_equal(np.sort(np.concatenate([kept, removed])), np.arange(len(y)))
    assert (np.diff(kept) > 0).all()
    np.testing.assert_array_equal(kept_rows, X[kept])
    np.testing.assert_array_equal(kept_labels, y[kept])
    assert len(sanitizer.reasons_) == len(removed)


@every_sanitizer
@few
@given(rows=labelled_rows(), share=st.sampled_from([0.1, 0.3, 0.5]))
def test_removes_the_most_suspicious_rows(name, options, rows, share):
    X, y = rows
    sanitizer = build(name, options, share)
    sanitizer.fit_resample(X, y)
    # The larger class has six rows or more, and loses one at least.
    assert sanitizer.removed_indices_.size
    for label in np.unique(y):
        kept = sanitizer.suspicion_[sanitizer.sample_indices_][y[sanitizer.sample_indices_] == label]
        least = np.sort(sanitizer.suspicion_[y == label])[: len(kept)]
        np.testing.assert_allclose(np.sort(kept), least, atol=rounding(sanitizer, X))


@every_sanitizer
@few
@given(rows=labelled_rows(), seed=st.integers(0, 1000))
def test_the_order_of_rows_is_irrelevant(name, options, rows, seed):
    X, y = rows
    order = np.random.default_rng(seed).permutation(len(y))
    straight, shuffled = build(name, options), build(name, options)
    straight.fit_resample(X, y)
    shuffled.fit_resample(X[order], y[order])
    atol = rounding(straight, X)
    np.testing.assert_allclose(shuffled.suspicion_, straight.suspicion_[order], atol=atol)
    np.testing.assert_allclose(
        np.sort(shuffled.suspicion_[shuffled.sample_indices_]),
        np.sort(straight.suspicion_[straight.sample_indices_]),
        atol=atol,
    )


@every_sanitizer
@few
@given(rows=labelled_rows())
def test_the_names_of_classes_are_irrelevant(name, options, rows):
    X, y = rows
    renamed = np.array(["zebra", "apple", "mango"])[y]
    one, other = build(name, options), build(name, options)
    one.fit_resample(X, y)
    other.fit_resample(X, renamed)
    np.testing.assert_allclose(other.suspicion_, one.suspicion_, atol=rounding(one, X))
    np.testing.assert_allclose(other.score_samples(X), one.score_samples(X), atol=rounding(one, X))


@every_sanitizer
@few
@given(data=st.data(), share=SHARES)
def test_never_nan(name, options, data, share):
    # The loss sanitizer trains a model: on features of wild scales that ends with a warning, but slowly.
    large = 10.0 if name == "loss" else 1e6
    shape = st.tuples(st.integers(8, 20), st.integers(1, 4))
    X = data.draw(arrays(float, shape, elements=st.sampled_from([0.0, 1.0, large, -3e-9])))
    y = np.arange(len(X)) % 2
    sanitizer = build(name, options, share)
    sanitizer.fit_resample(X, y)
    new = np.vstack([X, np.zeros_like(X[:1]), 1e9 * np.ones_like(X[:1])])
    for scores in (sanitizer.suspicion_, sanitizer.score_samples(new), sanitizer.decision_function(new)):
        assert np.isfinite(scores).all()


@every_sanitizer
@few
@given(rows=labelled_rows(), share=SHARES)
def test_dense_and_sparse_rows_score_alike(name, options, rows, share):
    X, y = rows
    dense, sparse = build(name, options, share).fit(X, y), build(name, options, share).fit(csr_array(X), y)
    np.testing.assert_allclose(sparse.suspicion_, dense.suspicion_, atol=rounding(dense, X))
    np.testing.assert_allclose(sparse.score_samples(csr_array(X)), dense.score_samples(X), atol=rounding(dense, X))


@every_sanitizer
@few
@given(rows=labelled_rows(), share=SHARES)
def test_the_feasible_set_is_what_passes(name, options, rows, share):
    X, y = rows
    sanitizer = build(name, options, share).fit(X, y)
    passes = sanitizer.predict(X, y) == 1
    if name in ("svd", "knn"):
        assert not hasattr(sanitizer, "feasible_set_")
    else:
        np.testing.assert_array_equal(sanitizer.feasible_set_.contains(X, y), passes)
    # The interpolated quantile lets through what trimming keeps, but for rounding to whole rows.
    for label in np.unique(y):
        count = np.sum(y == label)
        assert np.sum(passes[y == label]) >= np.floor((1 - share) * (count - 1)) + 1


@every_sanitizer
@few
@given(rows=labelled_rows())
def test_training_rows_score_after_fit_as_they_did_in_it(name, options, rows):
    X, y = rows
    sanitizer = build(name, options).fit(X, y)
    np.testing.assert_allclose(-sanitizer.score_samples(X, y), sanitizer.suspicion_, atol=rounding(sanitizer, X))


@few
@given(
    X=arrays(float, (20, 3), elements=st.floats(-100, 100)),
    point=arrays(float, 3, elements=st.floats(-1e6, 1e6)),
)
def test_five_coincident_rows_hide_from_the_self_inclusive_neighbours(X, point):
    X[:5] = point
    sanitizer = build("knn", {"variant": "reference"}).fit(X)
    np.testing.assert_array_equal(sanitizer.suspicion_[:5], 0.0)


@few
@given(rows=labelled_rows(), weights=arrays(float, (4, 8), elements=st.floats(-1e3, 1e3)))
def test_rows_within_the_subspace_score_zero(rows, weights):
    X, y = rows
    sanitizer = build("svd", {}).fit(X, y)
    inside = weights[:, : sanitizer.axes_.shape[1]] @ sanitizer.axes_.T
    np.testing.assert_array_equal(sanitizer.score_samples(inside), 0.0)
