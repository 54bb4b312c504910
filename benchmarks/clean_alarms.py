"""What detectors flag of clean rows, ours and those of other libraries, and what makes the latter fail."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from other_detectors import art_activation_flags, art_roni, art_spectral_flags, attempt, cleanlab_flags, pyod
from scipy.sparse import csr_array, issparse
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from timing import duration, training_rows, worked

from toadstone.core.arrays import Matrix
from toadstone.core.dataset import Dataset
from toadstone.pipeline.scan import make_detector

ROWS = 5_000
OURS = ("spectral", "activation", "isolation-forest", "local-outlier-factor", "mahalanobis", "label-errors")


def folds(X: Matrix, y: np.ndarray) -> np.ndarray:
    """Probabilities out of fold."""
    splitter = StratifiedKFold(5, shuffle=True, random_state=0)
    return cross_val_predict(LogisticRegression(max_iter=300), X, y, cv=splitter, method="predict_proba")


def clean_sets() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    digits, sets = load_digits(), {}
    sets["digits"] = digits.data, digits.target
    for name in ("mnist", "sms"):
        rows: Dataset = training_rows(name)
        rows = rows.take(np.sort(np.random.default_rng(0).permutation(len(rows))[:ROWS]))
        X = rows.X.toarray() if issparse(rows.X) else np.asarray(rows.X)
        sets[f"{name} {len(rows):,}"] = X, np.unique(rows.y, return_inverse=True)[1]
    return sets


def alarms() -> tuple[list[str], list[list[str]]]:
    """What each detector flags of clean rows at its defaults."""
    sets = clean_sets()
    routes: dict[str, Callable[[np.ndarray, np.ndarray], Any]] = {
        f"toadstone {name}, at most 2 %": partial(_own_flags, name) for name in OURS
    }
    routes |= {
        "ART SpectralSignatureDefense": art_spectral_flags,
        "ART ActivationDefence": art_activation_flags,
        "ART ActivationDefence, silhouette-scores": partial(art_activation_flags, cluster_analysis="silhouette-scores"),
    }
    routes |= {f"PyOD {name}": partial(_pyod_flags, name) for name in ("IForest", "LOF", "MCD", "KNN")}
    routes["cleanlab find_label_issues"] = lambda X, y: cleanlab_flags(y, folds(X, y))
    rows = [[name, *(_share(partial(flags, X, y)) for X, y in sets.values())] for name, flags in routes.items()]
    return list(sets), rows


def _own_flags(name: str, X: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.isin(np.arange(len(y)), make_detector(name).fit(X, y).flagged_indices_)


def _pyod_flags(name: str, X: np.ndarray, y: np.ndarray) -> np.ndarray:
    return pyod(name).fit(X).labels_ == 1


def _share(work: Callable[[], np.ndarray]) -> str:
    flags, spent = worked(partial(attempt, work))
    return flags if isinstance(flags, str) else f"{100 * np.mean(flags):.2f} % in {duration(spent)}"


def failures() -> list[list[str]]:
    """What stops other libraries at the versions named below."""
    digits = load_digits()
    X, y = digits.data, digits.target
    binary, sparse = y < 2, csr_array(X)
    alone = np.append(np.flatnonzero(binary), np.flatnonzero(y == 2)[0])
    tries: dict[str, Callable[[], Any]] = {
        "ART ActivationDefence, relative-size": lambda: art_activation_flags(X, y, cluster_analysis="relative-size"),
        "ART ActivationDefence, distance": lambda: art_activation_flags(X, y, cluster_analysis="distance"),
        "ART RONIDefense around an SVC": lambda: art_roni(X[binary], y[binary]),
        "ART RONIDefense around an SVC with probabilities": lambda: art_roni(X[binary], y[binary], probability=True),
        "ART SpectralSignatureDefense, sparse rows": lambda: art_spectral_flags(sparse, y),
        "ART ActivationDefence, a class of one row": lambda: art_activation_flags(X[alone], y[alone]),
        "ART SpectralSignatureDefense, labels by name": lambda: art_spectral_flags(X, np.array(list("ab"))[y % 2]),
        **{f"PyOD {name}, sparse rows": partial(_pyod_flags, name, sparse, y) for name in ("IForest", "LOF", "MCD")},
    }
    found = {name: attempt(work) for name, work in tries.items()}
    return [[name, result if isinstance(result, str) else "runs"] for name, result in found.items()]


def repeats() -> str:
    """How ART's flags of the same rows differ from run to run."""
    digits = load_digits()
    counts = [int(art_activation_flags(digits.data, digits.target).sum()) for _ in range(5)]
    return (
        f"Five runs of ART's ActivationDefence on the same {len(digits.target):,} clean digits flag "
        f"{', '.join(map(str, counts))} rows, for its clustering has no seed."
    )
