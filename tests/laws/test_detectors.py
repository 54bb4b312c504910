"""Laws of detectors, over the catalogue."""

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array

import toadstone.detectors
from toadstone.catalogue import names, resolve

DETECTORS = names("detector")
NEEDY = tuple(name for name in DETECTORS if resolve("detector", name).needs_trusted)
QUICK = {"isolation-forest": {"n_estimators": 10}, "ensemble": {"n_estimators": 3}, "roni": {"n_draws": 4}}
# One verdict for each row, and the groups that it names: no rate is promised, and no detector is calibrated.
NOT_IN_THE_CATALOGUE = frozenset(
    {"CleanlabIssues", "CleanlabLabels", "FeatureVote", "PyODDetector", "RowGroup"}
    | {"TargetEvidence", "TargetVerdict", "Verdict"}
)
# These train classifiers: on features of wild scales that ends with a warning, but slowly.
TRAINED = frozenset({"trimmed-loss", "cross-validation", "ensemble", "label-errors", "sever", "influence"})
# Parameters of methods. None says how many rows are poison, or which label they are to gain.
METHOD_CONSTANTS = frozenset(
    {"random_state", "estimator", "tolerance", "ridge", "folds", "rounds", "keep", "share", "batch", "held_out"}
    | {"n_components", "n_neighbors", "n_estimators", "n_draws", "base_size", "max_columns"}
    | {"largest_share", "least_silhouette"}
)
every_detector = pytest.mark.parametrize("name", DETECTORS)
alone = pytest.mark.parametrize("name", [name for name in DETECTORS if name not in NEEDY])
needy = pytest.mark.parametrize("name", NEEDY)
few = settings(max_examples=4, deadline=None)


@st.composite
def labelled_rows(draw):
    """Rows in general position, some of them repeated, of two or three classes."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, d = draw(st.integers(20, 80)), draw(st.integers(1, 8))
    labels = np.concatenate([np.arange(draw(st.integers(2, 3))), rng.integers(0, 2, n)])
    X = rng.standard_normal((len(labels), d)) * 10.0 ** rng.integers(-2, 2) + labels[:, None]
    X[rng.random(X.shape) < 0.3] = 0.0
    X[-5:-2] *= 20
    repeated = rng.integers(0, n, 2)
    X[-2:], labels[-2:] = X[repeated], labels[repeated]
    return X, labels


def build(name, **options):
    return resolve("detector", name)(**QUICK.get(name, {}), **options)


def trusted_rows(name, y, share=0.5):
    """Draw rows to trust, for detectors that need some; None for the others."""
    return np.flatnonzero(np.random.default_rng(0).random(len(y)) < share) if name in NEEDY else None


def blobs(seed, n=300, n_classes=3, d=6):
    """Clean Gaussian classes of unequal spread."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(n_classes), n)
    centres = 4 * rng.standard_normal((n_classes, d))
    return centres[y] + rng.standard_normal((len(y), d)) * (1 + 0.3 * y[:, None]), y


def test_the_room_exports_the_detectors_of_the_catalogue():
    named = {resolve("detector", name).__name__ for name in DETECTORS}
    assert set(dir(toadstone.detectors)) == named | NOT_IN_THE_CATALOGUE
    for name in DETECTORS:
        kind = resolve("detector", name)
        assert getattr(toadstone.detectors, kind.__name__) is kind


@alone
@few
@given(rows=labelled_rows())
def test_removed_and_kept_partition_all_rows(name, rows):
    X, y = rows
    detector = build(name)
    kept_rows, kept_labels = detector.fit_resample(X, y)
    kept, removed = detector.sample_indices_, detector.removed_indices_
    np.testing.assert_array_equal(np.sort(np.concatenate([kept, removed])), np.arange(len(y)))
    assert (np.diff(kept) > 0).all()
    assert (np.diff(removed) > 0).all()
    np.testing.assert_array_equal(removed, detector.flagged_indices_)
    np.testing.assert_array_equal(kept_rows, X[kept])
    np.testing.assert_array_equal(kept_labels, y[kept])
    assert len(detector.reasons_) == len(removed)


@alone
@few
@given(rows=labelled_rows(), seed=st.integers(0, 1000))
def test_the_order_of_rows_is_irrelevant(name, rows, seed):
    X, y = rows
    order = np.random.default_rng(seed).permutation(len(y))
    straight, shuffled = build(name).fit(X, y), build(name).fit(X[order], y[order])
    np.testing.assert_array_equal(shuffled.suspicion_, straight.suspicion_[order])
    np.testing.assert_array_equal(np.sort(order[shuffled.flagged_indices_]), straight.flagged_indices_)


@every_detector
def test_same_seed_same_flags_whatever_the_classes_are_called(name):
    X, y = blobs(3, n=60)
    X[:2] += 30
    known = trusted_rows(name, y, 0.7)
    one, other = (build(name).fit(X, labels, trusted=known) for labels in (y, np.array(["ape", "bee", "cat"])[y]))
    np.testing.assert_array_equal(other.suspicion_, one.suspicion_)
    np.testing.assert_array_equal(other.flagged_indices_, one.flagged_indices_)


@alone
@few
@given(data=st.data())
def test_never_nan(name, data):
    # A head is trained on the features: on those of wild scales that ends with a warning, but slowly.
    large = 10.0 if name.startswith("gradient") or name in TRAINED else 1e6
    shape = st.tuples(st.integers(8, 20), st.integers(1, 4))
    X = data.draw(arrays(float, shape, elements=st.sampled_from([0.0, 1.0, large, -3e-9])))
    y = np.arange(len(X)) % 2
    detector = build(name)
    detector.fit_resample(X, y)
    new = np.vstack([X, np.zeros_like(X[:1]), 1e9 * np.ones_like(X[:1])])
    for scores in (detector.suspicion_, detector.score_samples(new), detector.score_samples(X, y)):
        assert np.isfinite(scores).all()
    for margins in (detector.thresholds_, detector.decision_function(new)):
        assert not np.isnan(margins).any()


@every_detector
@pytest.mark.parametrize("seed", range(2))
def test_clean_blobs_keep_the_false_alarm_rate(name, seed):
    X, y = blobs(seed)
    detector = build(name).fit(X, y, trusted=trusted_rows(name, y))
    assert len(detector.flagged_indices_) <= 0.02 * len(y)


@alone
def test_constant_rows_are_never_flagged(name):
    X, y = np.full((60, 3), 0.1), np.arange(60) % 2
    detector = build(name).fit(X, y)
    assert detector.flagged_indices_.size == 0


@alone
def test_a_class_of_one_row_is_never_flagged(name):
    X, y = blobs(0, n=40, n_classes=2)
    y[0] = 7
    detector = build(name).fit(X, y)
    assert 0 not in detector.flagged_indices_
    assert np.isfinite(detector.suspicion_).all()
    assert np.isfinite(detector.score_samples(X)).all()


@every_detector
def test_rows_that_are_not_numbers_are_refused(name):
    X, y = blobs(0, n=20, n_classes=2)
    X[3, 0] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN"):
        build(name).fit(X, y, trusted=trusted_rows(name, y))


@every_detector
def test_dense_and_sparse_rows_score_alike(name):
    X, y = blobs(1, n=60)
    X[np.abs(X) < 1] = 0.0
    X[:2] = 30.0
    sparse, dense = (build(name).fit(rows, y, trusted=trusted_rows(name, y, 0.7)) for rows in (csr_array(X), X))
    np.testing.assert_allclose(sparse.score_samples(X, y), sparse.score_samples(csr_array(X), y), atol=1e-9)
    np.testing.assert_allclose(sparse.suspicion_, dense.suspicion_, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(sparse.flagged_indices_, dense.flagged_indices_)


@every_detector
def test_trusted_rows_are_never_flagged(name):
    X, y = blobs(2, n=150, n_classes=2)
    X[:5] += 30
    trusted = np.r_[0:3, 20:120, 150:260]
    detector = build(name).fit(X, y, trusted=trusted)
    assert not set(detector.flagged_indices_) & set(trusted)
    assert np.isfinite(detector.thresholds_).all()


@needy
def test_those_that_need_trusted_rows_say_so(name):
    X, y = blobs(2, n=150, n_classes=2)
    with pytest.raises(ValueError, match="`trusted`: expected positions of rows known to be clean, got none"):
        build(name).fit(X, y)


@needy
@pytest.mark.parametrize("sparse", [False, True])
def test_trusted_rows_are_the_same_in_any_order(name, sparse):
    X, y = blobs(2, n=150, n_classes=2)
    y[:6] = 1 - y[:6]
    trusted, order = trusted_rows(name, y)[3:], np.random.default_rng(1).permutation(len(y))
    rows = csr_array(X) if sparse else X
    straight = build(name).fit(rows, y, trusted=trusted)
    shuffled = build(name).fit(rows[order], y[order], trusted=np.isin(order, trusted))
    np.testing.assert_allclose(shuffled.suspicion_, straight.suspicion_[order], rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(np.sort(order[shuffled.flagged_indices_]), straight.flagged_indices_)
    assert len(straight.flagged_indices_) >= 1


@needy
def test_constant_rows_are_never_flagged_with_trusted_ones_either(name):
    y = np.arange(300) % 2
    X = np.where(np.arange(300) < 40, 0.1, 0.2)[:, None] * np.ones(3)
    detector = build(name).fit(X, y, trusted=np.arange(40, 300))
    assert detector.flagged_indices_.size == 0


@every_detector
def test_no_detector_knows_the_poison(name):
    options = set(resolve("detector", name)().get_params())
    assert options <= METHOD_CONSTANTS | {"false_alarm_rate"}
    received = set(inspect.signature(resolve("detector", name).fit).parameters)
    assert received == {"self", "X", "y", "trusted"}
