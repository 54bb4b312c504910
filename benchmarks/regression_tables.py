"""Tables with a numeric target: which choose and which report, and how targets are spoilt in them.

Of KEEL's tables the target is the numeric column with most values among the first thousand rows, where these
are at least forty; the class is one of the features. Of tables that differ in their class alone one is taken.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from keel_tables import read_columns

Rows = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Features and targets to judge, and clean ones to test on."""

KEEL = {
    "balanced/australian": 1,
    "balanced/banana": 0,
    "balanced/bands": 10,
    "balanced/bupa": 4,
    "balanced/crx": 1,
    "balanced/german": 4,
    "balanced/heart": 4,
    "balanced/ionosphere": 16,
    "balanced/magic": 8,
    "balanced/mammographic": 1,
    "balanced/movement_libras": 88,
    "balanced/penbased": 0,
    "balanced/phoneme": 2,
    "balanced/pima": 6,
    "balanced/ring": 8,
    "balanced/saheart": 3,
    "balanced/satimage": 35,
    "balanced/segment": 18,
    "balanced/sonar": 30,
    "balanced/spambase": 54,
    "balanced/tae": 4,
    "balanced/texture": 19,
    "balanced/twonorm": 2,
    "balanced/vehicle": 11,
    "balanced/vowel": 4,
    "balanced/wdbc": 23,
    "balanced/wine": 1,
    "imbalanced/abalone19": 4,
    "imbalanced/cleveland-0_vs_4": 4,
    "imbalanced/ecoli1": 5,
    "imbalanced/glass0": 0,
    "imbalanced/haberman": 0,
    "imbalanced/new-thyroid1": 1,
    "imbalanced/page-blocks0": 8,
    "imbalanced/winequality-red-4": 7,
    "imbalanced/winequality-white-3-9_vs_5": 7,
    "imbalanced/yeast1": 0,
}
"""The target's column by table. In this order odd places choose and even ones report."""

MOST_ROWS = 600
SPOILT = (
    ("clean", 0.0),
    ("range ends", 0.05),
    ("range ends", 0.1),
    ("permuted", 0.05),
    ("permuted", 0.1),
    ("shifted by 3 sd", 0.05),
    ("shifted by 3 sd", 0.1),
)


def keel(folder: Path, *, report: bool) -> dict[str, Rows]:
    """The tables that choose, or those that report."""
    found = {}
    for place, (name, column) in enumerate(KEEL.items(), 1):
        if report == (place % 2 == 0):
            part, stem = name.split("/")
            path = folder / part / "raw" / f"{stem}.dat"
            found[stem] = split(*_with_target(path, column), seed=0)
    return found


def diabetes() -> Rows:
    """The patients of scikit-learn, features in units of their deviation."""
    from sklearn.datasets import load_diabetes

    X, y = load_diabetes(return_X_y=True)
    return split(X / X.std(axis=0), y, seed=0)


def generated(*, report: bool) -> dict[str, Rows]:
    """Clean by construction; those that report are of other kinds than those that choose."""
    found = {}
    for place, name in enumerate(_REPORTING if report else _CHOOSING):
        rng = np.random.default_rng([place, report])
        found[name] = split(*(_REPORTING if report else _CHOOSING)[name](rng), seed=place)
    return found


def split(X: np.ndarray, y: np.ndarray, seed: int) -> Rows:
    """A third of at most 600 rows for the test."""
    rows = np.random.default_rng(seed).permutation(len(y))[:MOST_ROWS]
    test, train = np.sort(rows[: len(rows) // 3]), np.sort(rows[len(rows) // 3 :])
    varied = np.ptp(X[train], axis=0) > 0
    return X[train][:, varied], y[train], X[test][:, varied], y[test]


def spoil(y: np.ndarray, kind: str, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Targets with some replaced, and a mask of those that differ now."""
    rng = np.random.default_rng([seed, round(1000 * share)])
    rows = rng.permutation(len(y))[: round(share * len(y))]
    changed, low, high = y.copy(), y.min(), y.max()
    if kind == "range ends":
        changed[rows] = np.where(y[rows] > (low + high) / 2, low, high)
    elif kind == "permuted":
        changed[rows] = np.roll(y[rows], 1)
    elif kind == "shifted by 3 sd":
        changed[rows] += rng.choice([-3, 3], len(rows)) * y.std()
    return changed, changed != y


def _with_target(path: Path, column: int) -> tuple[np.ndarray, np.ndarray]:
    blocks, codes = read_columns(path)
    target = blocks.pop(column)
    return np.column_stack([*blocks, codes]), target[:, 0]


def _linear(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    X = rng.normal(size=(MOST_ROWS, 5))
    return X, X @ [3.0, 2.0, 1.0, 0.0, 0.0]


def _gauss(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    X, f = _linear(rng)
    return X, f + 2 * rng.normal(size=len(f))


def _precise(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    X, f = _linear(rng)
    return X, f + 0.3 * rng.normal(size=len(f))


def _heavy(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    X, f = _linear(rng)
    return X, f + 2 * rng.standard_t(3, len(f))


def _skewed(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    X, f = _linear(rng)
    return X, np.exp(0.4 * f + 0.5 * rng.normal(size=len(f)))


def _growing(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    X, f = _linear(rng)
    return X, f + np.exp(0.8 * X[:, 0]) * rng.normal(size=len(f))


def _chequered(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    X = rng.uniform(-1, 1, size=(MOST_ROWS, 3))
    return X, 10 * np.sign(X[:, 0] * X[:, 1]) + rng.normal(size=MOST_ROWS)


def _steps(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    X = rng.uniform(-1, 1, size=(MOST_ROWS, 3))
    return X, np.floor(4 * X[:, 0]) * 3 + rng.standard_t(4, MOST_ROWS)


def _friedman(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    X = rng.uniform(size=(MOST_ROWS, 6))
    f = 10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2 + 10 * X[:, 3] + 5 * X[:, 4]
    return X, f + rng.laplace(scale=1.5, size=MOST_ROWS)


def _counts(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    X = rng.normal(size=(MOST_ROWS, 4))
    return X, rng.poisson(np.exp(1.5 + 0.6 * X[:, 0] - 0.4 * X[:, 1])).astype(float)


def _gamma(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    X = rng.normal(size=(MOST_ROWS, 4))
    return X, rng.gamma(2.0, np.exp(1 + 0.7 * X[:, 0] + 0.3 * X[:, 1] * X[:, 2]) / 2)


def _kinks(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    X = rng.uniform(-2, 2, size=(MOST_ROWS, 4))
    noise = rng.standard_t(3, MOST_ROWS) * np.where(X[:, 2] > 0, 1.5, 0.5)
    return X, 4 * np.abs(X[:, 0]) + 3 * np.maximum(X[:, 1], 0) + noise


_CHOOSING = {
    "linear, normal errors": _gauss,
    "linear, small errors": _precise,
    "linear, errors of t3": _heavy,
    "logarithm linear": _skewed,
    "errors grow": _growing,
    "chequered": _chequered,
    "steps, errors of t4": _steps,
}
_REPORTING = {
    "Friedman, Laplace errors": _friedman,
    "counts": _counts,
    "gamma": _gamma,
    "kinks, errors of t3 that change": _kinks,
}
