"""Detectors of PyOD under our calibration."""

import numpy as np
import pytest
from clean_generators import CLEAN
from scipy.sparse import csr_array
from sklearn.base import clone

from toadstone.catalogue import canonical, entry, resolve
from toadstone.core.errors import InvalidArgument, InvalidData, UnknownName
from toadstone.detectors import PyODDetector

pytest.importorskip("pyod")

QUICK = ("ECOD", "COPOD", "HBOS", "KNN", "IForest", "PCA", "OCSVM", "KDE")
DRAWN = ("IForest", "INNE", "LODA", "Sampling", "CBLOF")
every = pytest.mark.parametrize("name", QUICK)


def scattered(seed=0, n=240, d=5):
    """Two clean classes, and five rows far out, each in a direction of its own."""
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((n, d)), np.arange(n) % 2
    X[:5] = 25 * np.eye(d)[:5] * (-1.0) ** np.arange(5)[:, None]
    return X, y


@every
def test_clean_data_keep_the_false_alarm_rate(name):
    for shape, generate in CLEAN.items():
        X, y = generate(600, 3)
        try:
            detector = PyODDetector(name).fit(X, y)
        except InvalidData:
            # The axes of PCA without variance make its scores infinite.
            assert (name, shape) == ("PCA", "one-hot")
        else:
            assert len(detector.flagged_indices_) <= 0.02 * len(y), shape


@pytest.mark.parametrize("name", ["KNN", "KDE", "OCSVM", "LOF", "IForest", "MCD", "CD", "GMM", "Sampling"])
def test_rows_far_out_have_the_highest_suspicion(name):
    X, y = scattered()
    suspicion = PyODDetector(name).fit(X, y).suspicion_
    for label in (0, 1):
        own = np.flatnonzero(y == label)
        far = np.count_nonzero(own < 5)
        assert set(own[np.argsort(suspicion[own])[-far:]]) == set(own[own < 5])


def test_the_scores_are_those_of_pyod_in_each_class():
    from pyod.models.knn import KNN

    X, y = scattered(1)
    suspicion = PyODDetector("KNN").fit(X, y).suspicion_
    for label in (0, 1):
        np.testing.assert_allclose(suspicion[y == label], KNN().fit(X[y == label]).decision_scores_)


def test_a_detector_with_parameters():
    from pyod.models.knn import KNN

    X, y = scattered(1)
    given = KNN(n_neighbors=20, method="mean")
    detector = clone(PyODDetector(given)).fit(X, y)
    expected = KNN(n_neighbors=20, method="mean").fit(X[y == 0]).decision_scores_
    np.testing.assert_allclose(detector.suspicion_[y == 0], expected)
    assert not hasattr(given, "decision_scores_")


@pytest.mark.parametrize("name", DRAWN)
def test_the_order_of_rows_and_the_state_of_numpy_are_irrelevant(name):
    X, y = scattered(2)
    order = np.random.default_rng(1).permutation(len(y))
    straight = PyODDetector(name).fit(X, y)
    np.random.seed(5)  # noqa: NPY002 - the global state is what must not matter
    shuffled = PyODDetector(name).fit(X[order], y[order])
    np.testing.assert_array_equal(shuffled.suspicion_, straight.suspicion_[order])
    np.testing.assert_array_equal(np.sort(order[shuffled.flagged_indices_]), straight.flagged_indices_)
    other = PyODDetector(name, random_state=1).fit(X, y)
    assert not np.array_equal(other.suspicion_, straight.suspicion_)


@every
def test_sparse_rows_score_as_dense_ones(name, monkeypatch):
    monkeypatch.setattr("toadstone.kernels.rows.SMALL", 0)
    rng = np.random.default_rng(3)
    X, y = rng.standard_normal((120, 40)) * (rng.random((120, 40)) < 0.08), np.arange(120) % 2
    sparse, dense = (PyODDetector(name).fit(rows, y) for rows in (csr_array(X), X))
    np.testing.assert_allclose(sparse.suspicion_, dense.suspicion_)
    np.testing.assert_allclose(sparse.score_samples(csr_array(X), y), dense.score_samples(X, y))


def test_sparse_rows_that_would_not_fit_are_refused(monkeypatch):
    monkeypatch.setattr("toadstone.kernels.rows.SMALL", 0)
    monkeypatch.setattr("toadstone.detectors.adapters.library_calls.MOST_ENTRIES", 1000)
    X = csr_array(np.eye(80))
    with pytest.raises(InvalidData, match="dense rows only, got 80 rows of 80 columns"):
        PyODDetector("ECOD").fit(X)


def test_trusted_rows_set_thresholds_and_are_never_flagged():
    X, y = scattered(4, n=600)
    detector = PyODDetector("COPOD").fit(X, y, trusted=np.arange(100, 500))
    assert detector.calibrated_classes_.all()
    assert not set(detector.flagged_indices_) & set(range(100, 500))


def test_small_and_constant_classes_are_not_judged():
    X, y = scattered(5, n=100)
    y[:7] = 2
    y[50:] = 3
    X[50:] = 0.1
    detector = PyODDetector("PCA").fit(X, y)
    assert [fitted is None for fitted in detector.detectors_] == [True, True, True, True]
    assert detector.flagged_indices_.size == 0
    assert detector.false_alarm_rate_ == 0.0
    assert np.isfinite(detector.score_samples(X, y)).all()


def test_scores_that_are_not_finite_are_refused():
    X = np.random.default_rng(0).integers(0, 3, (120, 3)).astype(float)
    with pytest.raises(InvalidData, match=r"^PyOD's ABOD: expected finite scores, got \d+ of 120 that are not$"):
        PyODDetector("ABOD").fit(X)


def test_rows_that_pyod_refuses():
    X, y = scattered()
    with pytest.raises(InvalidData, match=r"^PyOD's MAD refuses the rows: MAD .*univariate"):
        PyODDetector("MAD").fit(X, y)


def test_names_of_the_catalogue():
    assert canonical("detector", "pyod:ECOD") == "pyod:ECOD"
    assert entry("detector", "pyod:ECOD").sentence.endswith(".")
    made = resolve("detector", "pyod:KNN")(false_alarm_rate=0.05)
    assert isinstance(made, PyODDetector)
    assert made.get_params()["method"] == "KNN"
    with pytest.raises(
        UnknownName, match=r"of tables, got pyod:ECODD; did you mean pyod:ECOD or pyod:\w+ or pyod:\w+\?$"
    ):
        resolve("detector", "pyod:ECODD")
    with pytest.raises(UnknownName, match=r"pyod:NAME, cleanlab:NAME, got nothing:ECOD"):
        resolve("detector", "nothing:ECOD")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "XGBOD",
            "expected a detector that takes rows and a seed alone, got pyod:XGBOD: it learns from outliers",
        ),
        ("SO_GAAL", "it draws at random and takes no seed"),
        ("LSCP", "got pyod:LSCP, which needs detector_list: give PyODDetector one that has"),
        ("SUOD", "expected a detector of PyOD that is installed, got pyod:SUOD, which needs the package"),
    ],
)
def test_those_that_cannot_be_used_by_name(name, said, capsys):
    with pytest.raises(InvalidArgument, match=said):
        resolve("detector", f"pyod:{name}")
    assert capsys.readouterr().out == ""
