"""Detectors against those of the adversarial-robustness-toolbox (ART), PyOD and cleanlab, on the same features.

Needs `pip install '.[bench]'` and TOADSTONE_DATA.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from clean_alarms import alarms, failures, folds, repeats
from other_detectors import (
    PATIENCE,
    art_activation_flags,
    art_spectral_flags,
    art_spectral_scores,
    centred,
    cleanlab_flags,
    pyod,
)
from scipy.sparse import issparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits
from timing import duration, publish, table, training_rows, worked

from toadstone.attacks.backdoors.backdoor import BackdoorAttack
from toadstone.attacks.backdoors.image_shape import ImageShape
from toadstone.attacks.backdoors.trigger import PatchTrigger
from toadstone.attacks.flips.label_flip import RandomLabelFlip
from toadstone.core.arrays import Labels
from toadstone.core.budget import Budget
from toadstone.detectors.calibrated import value_order
from toadstone.detectors.features.activation import ActivationClustering
from toadstone.detectors.features.mahalanobis import RobustMahalanobis
from toadstone.detectors.features.outliers import IsolationForestDetector, LocalOutlierFactorDetector
from toadstone.detectors.features.spectral import SpectralSignatures
from toadstone.kernels.statistics.confident_learning import calibrated_joint, confident_joint, prune_by_noise_rate
from toadstone.kernels.statistics.principal_axes import principal_axes
from toadstone.pipeline.harness.judge import merge
from toadstone.sanitizers.neighbours import NeighboursSanitizer

N, D, CLASSES, PLANTED = 50_000, 512, 10, 0.05
IMAGES, SHARE = 5_000, 0.05


def planted_activations() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows about a mean far from the origin, as after a rectifier; a twentieth of one class lies elsewhere."""
    rng = np.random.default_rng(0)
    y = rng.permutation(np.arange(N) % CLASSES)
    X = rng.normal(size=(N, D)) + 4 + rng.normal(size=(CLASSES, D))[y]
    bad = np.flatnonzero(y == 0)[: round(PLANTED * N / CLASSES)]
    X[bad] += 12 / np.sqrt(D) * rng.choice([-1.0, 1.0], D)
    return X, y, np.isin(np.arange(N), bad)


def network_activations() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The last hidden layer of a network trained on MNIST with a patch on a twentieth of the rows, labelled 0."""
    rows = training_rows("mnist")
    rows = rows.take(np.sort(np.random.default_rng(0).permutation(len(rows))[:IMAGES]))
    attack = BackdoorAttack(trigger=PatchTrigger(shape=ImageShape(height=28, width=28)), target=rows.classes[0])
    X, y, bad = merge(rows, attack.poison(rows, Budget(SHARE, "add"), np.random.default_rng(1)))
    X = X.toarray() if issparse(X) else X
    # Forty epochs are enough, whatever the optimizer says about convergence.
    warnings.simplefilter("ignore", ConvergenceWarning)
    network = MLPClassifier((256, 128), random_state=0, max_iter=40).fit(X, y)
    for weights, offset in zip(network.coefs_[:-1], network.intercepts_[:-1], strict=True):
        X = np.maximum(X @ weights + offset, 0)
    return X, np.unique(y, return_inverse=True)[1], bad


def correlation(y: np.ndarray, ours: np.ndarray, theirs: np.ndarray) -> str:
    """The least correlation of the scores within a class."""
    return f"{min(np.corrcoef(ours[y == label], theirs[y == label])[0, 1] for label in np.unique(y)):.6f}"


def caught(scores: np.ndarray, y: np.ndarray, bad: np.ndarray) -> str:
    """The share of the poison among as many top rows of its class."""
    rows = np.flatnonzero(y == y[bad][0])
    top = rows[np.argsort(-scores[rows], kind="stable")[: np.count_nonzero(bad)]]
    return f"{np.mean(np.isin(np.flatnonzero(bad), top)):.3f}"


def row(task: str, spent: float, other: float, same: str, flags: str, found: tuple[str, str]) -> list[str]:
    return [task, duration(spent), duration(other), f"{other / spent:.3g}", same, flags, *found]


def equal(one: np.ndarray, other: np.ndarray) -> str:
    """How many rows are flagged by both, and by either."""
    return f"{np.count_nonzero(one & other):,} of {np.count_nonzero(one | other):,}"


def spectral(name: str, X: np.ndarray, y: np.ndarray, bad: np.ndarray) -> list[list[str]]:
    """Scores, and the rows beyond ART's quantile by either score."""
    detector, spent = worked(partial(SpectralSignatures().fit, X, y))
    scores, rows = detector.suspicion_, []
    for words, features in (("class-centred for ART", centred(X, y)), ("as they are", X)):
        flags, other = worked(partial(art_spectral_flags, features, y, expected_pp_poison=SHARE / 1.5))
        own = np.zeros(len(y), dtype=bool)
        for label in np.unique(y):
            own[y == label] = scores[y == label] >= np.quantile(scores[y == label], 1 - SHARE)
        theirs = art_spectral_scores(features, y)
        found = caught(scores, y, bad), caught(theirs, y, bad)
        task = f"spectral signatures, {name}, {words}: ART"
        rows.append(row(task, spent, other, correlation(y, scores, theirs), equal(own, flags), found))
    return rows


def activation(name: str, X: np.ndarray, y: np.ndarray, bad: np.ndarray) -> list[str]:
    """Where both split the poisoned class in two, the smaller part; and what is flagged in all."""
    detector, spent = worked(partial(ActivationClustering().fit, X, y))
    flags, other = worked(partial(art_activation_flags, X, y))
    own = np.isin(np.arange(len(y)), detector.flagged_indices_)
    found = tuple(f"{np.mean(mask[bad]):.3f} ({np.mean(mask[~bad]):.1%} of clean)" for mask in (own, flags))
    target = y == y[bad][0]
    same = equal(detector.suspicion_[target] > 0, flags[target])
    return row(f"activation clustering, {name}: ART", spent, other, "", same, found)


def outliers(X: np.ndarray, y: np.ndarray) -> list[list[str]]:
    """PyOD's detectors class by class on the same rows in the same order, flagging as many as ours."""
    seed = np.random.RandomState(0).randint(np.iinfo(np.int32).max)
    order = value_order(X, y)
    X, y = X[order], y[order]
    flat = np.empty((len(y), 20))
    for label in np.unique(y):
        flat[y == label] = principal_axes(X[y == label], 20).coordinates(X[y == label])
    pairs = (
        ("IForest", IsolationForestDetector(), X, seed),
        ("LOF", LocalOutlierFactorDetector(), X, None),
        ("MCD", RobustMahalanobis(), flat, 0),
        ("KNN", NeighboursSanitizer(), X, None),
    )
    rows = []
    for name, detector, features, state in pairs:
        _, spent = worked(partial(_each_class, detector.fit, features, y))
        scores, theirs, other = np.empty(len(y)), np.empty(len(y)), 0.0
        for label in np.unique(y):
            mine = y == label
            scores[mine] = detector.fit(features[mine], np.zeros(mine.sum(), int)).suspicion_
            model = pyod(name, seed=state)
            other += worked(partial(model.fit, features[mine]))[1]
            theirs[mine] = model.decision_scores_
        tops = [_top(values, y) for values in (scores, theirs)]
        words = "20 principal axes" if name == "MCD" else f"{X.shape[1]} features"
        task = f"{type(detector).__name__}, {len(y):,} rows, {words}, each class alone: PyOD {name}"
        rows.append(row(task, spent, other, correlation(y, scores, theirs), equal(*tops), ("", "")))
    return rows


def _each_class(fit: Callable[[np.ndarray, Labels], Any], X: np.ndarray, y: np.ndarray) -> None:
    for label in np.unique(y):
        fit(X[y == label], np.zeros(np.count_nonzero(y == label), int))


def _top(scores: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The highest twentieth of each class."""
    flags = np.zeros(len(y), dtype=bool)
    for label in np.unique(y):
        flags[y == label] = scores[y == label] > np.quantile(scores[y == label], 1 - SHARE)
    return flags


def label_errors(name: str) -> list[str]:
    """The rows to prune by the same probabilities out of fold; training is not counted."""
    rows = training_rows(name)
    rows = rows.take(np.sort(np.random.default_rng(0).permutation(len(rows))[:IMAGES]))
    X, y, bad = merge(rows, RandomLabelFlip().poison(rows, Budget(SHARE, "flip"), np.random.default_rng(1)))
    codes = np.unique(y, return_inverse=True)[1]
    probabilities = folds(X, codes)

    def ours() -> np.ndarray:
        joint = calibrated_joint(confident_joint(probabilities, codes), codes)
        return prune_by_noise_rate(probabilities, codes, joint)

    (own, spent), (flags, other) = worked(ours), worked(partial(cleanlab_flags, codes, probabilities))
    found = tuple(f"{np.mean(mask[bad]):.3f}" for mask in (own, flags))
    return row(f"label errors, {name}, {SHARE:.0%} flipped: cleanlab", spent, other, "", equal(own, flags), found)


def main() -> None:
    with threadpool_limits(1):
        measure()


def measure() -> None:
    planted, network = planted_activations(), network_activations()
    large = f"{N:,} × {D}, {CLASSES} classes"
    small = f"{len(network[1]):,} × {network[0].shape[1]} of a network (MNIST)"
    agreement = [
        *spectral(large, *planted),
        activation(large, *planted),
        *spectral(small, *network),
        activation(small, *network),
        *outliers(*network[:2]),
        *(label_errors(name) for name in ("sms", "adult", "mnist")),
    ]
    headings = ["task", "toadstone", "other", "ratio", "correlation", "same flags", "caught", "by the other"]
    legend = (
        "Processor time of one thread. “correlation” of the scores: the least of the classes. “same flags”: rows "
        f"flagged by both of those flagged by either; for scores the highest {SHARE:.0%} of each class, for activation "
        "clustering the smaller cluster of the poisoned class, before our tests of it. “caught”: of the poison, "
        f"among as many top rows of its class, or flagged. Poison: {PLANTED:.0%} of one class moved along one "
        f"direction; in the network’s rows a patch on {SHARE:.0%}, labelled 0; {SHARE:.0%} of the labels flipped."
    )
    remarks = (
        "ART centres the rows to find the direction and then projects them uncentred, so that large means decide the "
        "scores; given rows centred by class it agrees. Its clustering starts once where each of our two views "
        "starts sixty times and measures silhouettes. Our Mahalanobis distance is of a shrunk covariance, PyOD’s "
        "of the minimum covariance determinant. cleanlab rounds the counts of all classes together, toadstone each "
        "of them."
    )
    alarm_names, alarm_rows = alarms()
    publish(
        "detectors",
        "Detectors against other libraries",
        [
            table(headings, agreement),
            legend,
            remarks,
            "## What is flagged of clean rows, at the defaults",
            table(["detector", *alarm_names], alarm_rows),
            f"Of all rows; PyOD’s contamination is .1 by default. A call ends after {PATIENCE} s.",
            repeats(),
            "## What does not run",
            table(["call, on clean digits", "what happens"], failures()),
        ],
        ["numpy", "scikit-learn", "adversarial-robustness-toolbox", "pyod", "cleanlab"],
    )


if __name__ == "__main__":
    main()
