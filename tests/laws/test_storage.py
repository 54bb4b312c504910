"""The law of storage: the same verdict on the same values, however they are stored and in whatever order."""

import warnings

import numpy as np
import pytest
from scipy.sparse import csc_array, csr_array, issparse

import toadstone.kernels.rows
from toadstone.catalogue import names, resolve
from toadstone.datasets.catalogue.load import load
from toadstone.detectors.labels.confident_learning import ConfidentLearning

QUICK = {"isolation-forest": {"n_estimators": 10}, "ensemble": {"n_estimators": 5}, "roni": {"n_draws": 4}}
VARIANTS = {"svd": [{}, {"variant": "reference"}], "knn": [{}, {"variant": "reference"}]}
METHODS = [("detector", name, QUICK.get(name, {})) for name in names("detector")]
METHODS += [("sanitizer", name, options) for name in names("sanitizer") for options in VARIANTS.get(name, [{}])]
every_method = pytest.mark.parametrize(
    ("kind", "name", "options"),
    METHODS,
    ids=["-".join([name, *map(str, options.values())]) for _, name, options in METHODS],
)


def words():
    """Counts of words, most of them zero, that say something of the label."""
    rng = np.random.default_rng(0)
    y = np.arange(160) % 2
    rates = np.tile(0.4 / np.arange(1, 301) ** 0.7, (2, 1))
    rates[0, 100:150] *= 6
    rates[1, 200:250] *= 6
    return rng.poisson(rates[y]).astype(float), _with_errors(y)


def standardised():
    rng = np.random.default_rng(1)
    y = np.repeat([0, 1, 2], 60)
    X = rng.standard_normal((180, 6)) * (1 + 0.5 * y[:, None]) + 3 * rng.standard_normal((3, 6))[y]
    X[:3] *= 8
    return (X - X.mean(axis=0)) / X.std(axis=0), _with_errors(y)


def ties():
    """Few values, and therefore many equal rows and equal distances, some with both labels."""
    rng = np.random.default_rng(2)
    X = rng.integers(0, 3, (200, 3)).astype(float)
    X[:2] = 9.0
    return X, _with_errors((X[:, 0] + X[:, 1] > 2).astype(int))


def narrow():
    rng = np.random.default_rng(3)
    X = np.concatenate([rng.normal(-2, 1, 80), rng.normal(2, 1, 80)])[:, None].round(1)
    return X, _with_errors(np.repeat([0, 1], 80))


def wide():
    rng = np.random.default_rng(4)
    y = np.arange(160) % 2
    return rng.standard_normal((160, 200)) + 0.3 * y[:, None], _with_errors(y)


def _with_errors(y):
    wrong = np.random.default_rng(5).choice(len(y), 6, replace=False)
    y = y.copy()
    y[wrong] = (y[wrong] + 1) % (y.max() + 1)
    return y


SHAPES = {made.__name__: made for made in (words, standardised, ties, narrow, wide)}


def untidy(X):
    """CSR with some zeros stored, one of them negative, and the columns of each row backwards."""
    rng = np.random.default_rng(6)
    stored = (X != 0) | (rng.random(X.shape) < 0.1)
    columns = [np.flatnonzero(row)[::-1] for row in stored]
    values = np.concatenate([row[some] for row, some in zip(X, columns, strict=True)])
    values[np.flatnonzero(values == 0)[:1]] = -0.0
    ends = np.cumsum([0, *map(len, columns)])
    return csr_array((values, np.concatenate(columns), ends), shape=X.shape)


# Each differs from contiguous float64 in several ways, so that few fits try them all; the law of order has tidy CSR.
STORAGES = {
    "csc": csc_array,
    "untidy float32 csr": lambda X: untidy(X.astype(np.float32)),
    "fortran": lambda X: np.asfortranarray(X.astype(np.float32)),
    "every second column, negative zeros": lambda X: np.repeat(np.where(X == 0, -0.0, X), 2, axis=1)[:, ::2],
}


def verdict(method, X, y, values):
    """The flagged or removed rows, and the suspicion of all rows."""
    options = {}
    if getattr(method, "needs_trusted", False):
        # Every copy of a row is trusted, or none.
        group = np.unique(values, axis=0, return_inverse=True)[1].ravel()
        options["trusted"] = np.flatnonzero(np.random.default_rng(7).random(group.max() + 1)[group] < 0.7)
    with warnings.catch_warnings():
        # Few rounds of training are enough here, and scikit-learn warns of them.
        warnings.simplefilter("ignore")
        method.fit_resample(X, y, **options)
    return method.removed_indices_, method.suspicion_


@pytest.fixture(scope="module")
def reference():
    """The verdict on dense rows, once for each method and data set."""
    known = {}

    def found(kind, name, options, shape):
        key = (kind, name, str(options), shape)
        if key not in known:
            X, y = rows_of(shape)
            known[key] = verdict(resolve(kind, name)(**options), X, y, X)
        return known[key]

    return found


def rows_of(shape):
    X, y = SHAPES[shape]()
    # Every storage holds these values exactly.
    return X.astype(np.float32).astype(float), y


@pytest.fixture(autouse=True)
def _no_table_is_small(monkeypatch):
    """Rows of few entries are computed with in sparse form here, as they are in large tables."""
    monkeypatch.setattr(toadstone.kernels.rows, "SMALL", 0)


def test_the_data_sets_call_for_both_forms():
    forms = {shape: issparse(toadstone.kernels.rows.canonical_form(rows_of(shape)[0])) for shape in SHAPES}
    assert [shape for shape, sparse in forms.items() if sparse] == ["words"]


@every_method
@pytest.mark.parametrize(
    "shape", [pytest.param(one, marks=[pytest.mark.slow] * (one in ("ties", "wide"))) for one in SHAPES]
)
def test_the_verdict_is_the_same_whatever_the_storage(kind, name, options, shape, reference):
    X, y = rows_of(shape)
    flagged, suspicion = reference(kind, name, options, shape)
    for storage, store in STORAGES.items():
        other, scores = verdict(resolve(kind, name)(**options), store(X), y, X)
        np.testing.assert_allclose(scores, suspicion, rtol=1e-9, atol=1e-9, err_msg=storage)
        np.testing.assert_array_equal(other, flagged, err_msg=storage)


@every_method
@pytest.mark.parametrize(
    "shape", [pytest.param(one, marks=[pytest.mark.slow] * (one in ("ties", "wide"))) for one in SHAPES]
)
@pytest.mark.parametrize("store", [np.asarray, csr_array])
def test_the_verdict_is_the_same_whatever_the_order_of_rows(kind, name, options, shape, store, reference):
    X, y = rows_of(shape)
    flagged, suspicion = reference(kind, name, options, shape)
    order = np.random.default_rng(8).permutation(len(y))
    other, scores = verdict(resolve(kind, name)(**options), store(X[order]), y[order], X[order])
    np.testing.assert_allclose(scores, suspicion[order], rtol=1e-9, atol=1e-9)
    # Which of some equal rows a sanitizer removes to keep its share is for their order to say; how many is not.
    assert _contents(X, y, order[other]) == _contents(X, y, flagged)


def _contents(X, y, rows):
    return sorted((X[row].tolist(), int(y[row])) for row in rows)


@pytest.mark.data
def test_label_errors_of_short_messages_are_the_same_dense_and_sparse():
    messages = load("sms").train
    dense, sparse = (ConfidentLearning().fit(X, messages.y) for X in (messages.X.toarray(), csr_array(messages.X)))
    np.testing.assert_array_equal(dense.flagged_indices_, sparse.flagged_indices_)
    assert len(dense.flagged_indices_) > 0
