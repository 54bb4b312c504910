"""Detectors of other libraries on given features: what `pip install '.[bench]'` brings."""

from __future__ import annotations

import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from typing import Any

import numpy as np
from art.defences.detector.poison import ActivationDefence, RONIDefense, SpectralSignatureDefense
from art.estimators.classification import SklearnClassifier
from cleanlab.filter import find_label_issues
from pyod.models.iforest import IForest
from pyod.models.knn import KNN
from pyod.models.lof import LOF
from pyod.models.mcd import MCD
from sklearn.svm import SVC

PATIENCE = 30
"""Seconds of processor time after which a detector is stopped."""


_LONGEST = 130


class GivenActivations:
    """What the adversarial-robustness-toolbox wants to see of a network whose activations are there already."""

    layer_names = ("given",)

    def __init__(self, n_classes: int) -> None:
        self.nb_classes = n_classes

    def get_activations(self, x: np.ndarray, layer: int, batch_size: int) -> np.ndarray:
        """The rows themselves."""
        return x


@contextmanager
def patience(limit: int = PATIENCE) -> Iterator[None]:
    """Stop what takes too long, and keep the libraries' warnings from the page."""

    def stop(number: int, frame: object) -> None:
        raise TimeoutError(f"more than {limit} s")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, limit)
    try:
        with warnings.catch_warnings(), redirect_stderr(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def attempt(work: Callable[[], Any]) -> Any:
    """The result, or the exception in words."""
    try:
        with patience():
            return work()
    except Exception as error:
        lines = str(error).splitlines() or [""]
        return f"{type(error).__name__}: {lines[0].split('. ')[0][:_LONGEST]}"


def centred(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Each class moved to the origin."""
    moved = np.array(X, dtype=float)
    for label in np.unique(y):
        moved[y == label] -= moved[y == label].mean(axis=0)
    return moved


def art_spectral_scores(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Its scores, squared as the paper has them."""
    scores = np.empty(len(y))
    for label in np.unique(y):
        scores[y == label] = SpectralSignatureDefense.spectral_signature_scores(X[y == label])[:, 0] ** 2
    return scores


def art_spectral_flags(X: np.ndarray, y: np.ndarray, **options: float) -> np.ndarray:
    defence = SpectralSignatureDefense(GivenActivations(int(y.max()) + 1), X, y, **options)
    return np.array(defence.detect_poison()[1]) == 0


def art_activation_flags(X: np.ndarray, y: np.ndarray, **options: str) -> np.ndarray:
    defence = ActivationDefence(GivenActivations(int(y.max()) + 1), X, np.eye(int(y.max()) + 1)[y])
    return np.array(defence.detect_poison(**options)[1]) == 0


def art_roni(X: np.ndarray, y: np.ndarray, **options: bool) -> list[int]:
    """Its removal of negative impact, around the classifier that its own tests use."""
    labels = np.eye(int(y.max()) + 1)[y]
    half = len(y) // 2
    model = SklearnClassifier(model=SVC(kernel="linear", gamma="auto", **options))
    model.fit(X[:half], labels[:half])
    return RONIDefense(model, X[half:], labels[half:], X[:half], labels[:half]).detect_poison()[1]


def pyod(name: str, *, seed: int | None = None) -> Any:
    """A detector of PyOD at its defaults."""
    made = {"IForest": IForest, "LOF": LOF, "MCD": MCD, "KNN": KNN}[name]
    return made() if seed is None else made(random_state=seed)


def cleanlab_flags(y: np.ndarray, table: np.ndarray) -> np.ndarray:
    return np.asarray(find_label_issues(y, table, n_jobs=1))
