"""Data whose labels are right by construction: a row is drawn for its label, or its label is a function of the row.

No two of them have the same shape of classes, and none is meant to be easy.
Each generator takes the number of rows and a seed, and returns features of
shape (n, d) and labels of shape (n,).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

Rows = tuple[np.ndarray, np.ndarray]
Generator = Callable[[int, int], Rows]


def gaussians(n: int, seed: int, *, apart: float, columns: int = 2, share: float = 0.5) -> Rows:
    """Two round Gaussians whose means are `apart` standard deviations from each other (d')."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < share).astype(int)
    X = rng.standard_normal((n, columns))
    X[:, 0] += apart * y
    return X, y


def xor(n: int, seed: int) -> Rows:
    """The sign of a product."""
    X = np.random.default_rng(seed).uniform(-1, 1, (n, 2))
    return X, (X[:, 0] * X[:, 1] > 0).astype(int)


def four_class_xor(n: int, seed: int) -> Rows:
    """Sixteen squares, four classes; squares of a class do not touch but at corners."""
    X = np.random.default_rng(seed).uniform(0, 4, (n, 2))
    column, row = np.floor(X).astype(int).T
    return X, (column + 2 * row) % 4


def circles(n: int, seed: int) -> Rows:
    """Two noisy concentric circles."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    return _around(np.where(y == 1, 1.0, 2.0), rng) + rng.normal(0, 0.15, (n, 2)), y


def moons(n: int, seed: int) -> Rows:
    """Two interleaved half circles."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    angle = rng.uniform(0, np.pi, n)
    x1 = np.where(y == 1, 1 - np.cos(angle), np.cos(angle))
    x2 = np.where(y == 1, 0.5 - np.sin(angle), np.sin(angle))
    return np.column_stack([x1, x2]) + rng.normal(0, 0.2, (n, 2)), y


def rings(n: int, seed: int) -> Rows:
    """Six concentric rings of alternating label."""
    rng = np.random.default_rng(seed)
    ring = rng.integers(0, 6, n)
    return _around(ring + rng.uniform(0.1, 0.9, n), rng), ring % 2


def checkerboard(n: int, seed: int) -> Rows:
    """Sixteen squares of alternating label."""
    X = np.random.default_rng(seed).uniform(0, 4, (n, 2))
    return X, np.floor(X).astype(int).sum(axis=1) % 2


def letters(n: int, seed: int) -> Rows:
    """Twenty-six classes of three whole-numbered clusters each, in 16 columns."""
    rng = np.random.default_rng(seed)
    y, part = rng.integers(0, 26, n), rng.integers(0, 3, n)
    # The clusters are the same for every seed of rows, as the shapes of letters are.
    centres = np.random.default_rng(26).uniform(2, 13, (26, 3, 16))
    return np.clip(np.round(centres[y, part] + rng.normal(0, 2.0, (n, 16))), 0, 15), y


def unequal_clusters(n: int, seed: int) -> Rows:
    """A class in one wide cluster, and one in a big, a small and a tiny cluster."""
    rng = np.random.default_rng(seed)
    cluster = rng.choice(4, n, p=[0.5, 0.35, 0.12, 0.03])
    centres = np.array([[0, 0, 0], [3, 0, 0], [0, 4, 1], [-3, -3, 3]])
    spread = np.array([1.5, 0.7, 0.5, 0.3])
    return centres[cluster] + spread[cluster, None] * rng.standard_normal((n, 3)), (cluster > 0).astype(int)


def heavy_tails(n: int, seed: int) -> Rows:
    """Student's t of three degrees of freedom, two classes."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    return rng.standard_t(3, (n, 5)) + 1.2 * y[:, None] * np.array([1, 1, 0, 0, 0]), y


def lognormal(n: int, seed: int) -> Rows:
    """Lognormal columns whose logarithms differ by class."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    return np.exp(rng.standard_normal((n, 6)) + 0.8 * y[:, None] * np.array([1, 1, 1, 0, 0, 0])), y


def zero_inflated(n: int, seed: int) -> Rows:
    """Counts, most of them zero, with other rates by class."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    rates = 2.0 + np.array([2.0, 1.0, 0.5, 0, 0, 0, 0, 0]) * y[:, None]
    present = rng.random((n, 8)) < 0.35 + 0.15 * y[:, None] * (np.arange(8) < 4)
    return (rng.poisson(rates) * present).astype(float), y


def one_hot(n: int, seed: int) -> Rows:
    """Six categorical columns of five values, one-hot, whose frequencies differ by class."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    usual = np.random.default_rng(5).dirichlet(np.full(5, 2.0), (2, 6)).cumsum(axis=2)
    values = (rng.random((n, 6))[:, :, None] > usual[y]).sum(axis=2)
    return np.eye(5)[np.minimum(values, 4)].reshape(n, -1), y


def _around(radius: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    angle = rng.uniform(0, 2 * np.pi, len(radius))
    return radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])


CLEAN: dict[str, Generator] = {
    **{f"gaussian-{apart}": partial(gaussians, apart=apart) for apart in (0.5, 1, 1.5, 2, 2.5, 3)},
    "gaussian-1-wide": partial(gaussians, apart=1, columns=20),
    "gaussian-2-wide": partial(gaussians, apart=2, columns=20),
    "nine-to-one": partial(gaussians, apart=2, share=0.1),
    "xor": xor,
    "four-class-xor": four_class_xor,
    "circles": circles,
    "moons": moons,
    "rings": rings,
    "checkerboard": checkerboard,
    "letters": letters,
    "unequal-clusters": unequal_clusters,
    "heavy-tails": heavy_tails,
    "lognormal": lognormal,
    "zero-inflated": zero_inflated,
    "one-hot": one_hot,
}
"""The twenty-one generators by name."""
