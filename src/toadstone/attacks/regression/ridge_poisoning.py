"""Optimised poisoning of ridge regression: added rows that climb the gradient of the clean error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from scipy.sparse import csr_array, issparse

from toadstone.core.arrays import Array, Matrix
from toadstone.core.budget import Budget
from toadstone.core.checks import check_count, check_positive
from toadstone.core.dataset import Dataset, Poison
from toadstone.kernels.regression.ridge import RowGradient, row_gradient
from toadstone.kernels.rows import column_extremes

_SMALLEST_STEP = 1e-4


class _Climb(NamedTuple):
    """Poison rows in units of the box, and the error that they cause."""

    X: Array
    y: Array
    error: float


@dataclass(frozen=True, eq=False, kw_only=True)
class RidgePoisoning:
    """Added rows that raise the clean error of ridge regression as much as possible.

    Rows start at clean ones with targets reflected in the middle of the range
    and rounded to its ends, and follow the gradient of the mean squared error
    on the clean rows through the training of the model; features stay within
    the box of the clean rows, targets within their range [1]_.

    Parameters
    ----------
    ridge : float
        Penalty of the defender's model.
    steps : int
        At most so many steps.
    probe : Dataset, optional
        Rows whose error is raised; the clean training rows by default.

    Raises
    ------
    InvalidArgument
        If `ridge` is not positive, or `steps` no whole number from 0.

    References
    ----------
    .. [1] Jagielski, Oprea, Biggio, Liu, Nita-Rotaru and Li, "Manipulating
       machine learning: Poisoning attacks and countermeasures for regression
       learning", IEEE Symposium on Security and Privacy 2018, algorithm 1.

    Examples
    --------
    >>> X = np.linspace(0, 1, 20)[:, None]
    >>> made = RidgePoisoning().poison(Dataset(X, X[:, 0]), Budget(0.1), np.random.default_rng(0))
    >>> len(made), bool(((made.y >= 0) & (made.y <= 1)).all())
    (2, True)
    """

    kind = "add"

    ridge: float = 0.01
    steps: int = 100
    probe: Dataset | None = None

    def __post_init__(self) -> None:
        check_positive(ridge=self.ridge)
        check_count(0, steps=self.steps)

    def poison(self, data: Dataset, budget: Budget, rng: Generator) -> Poison:
        """Start at reflected clean rows and climb.

        Parameters
        ----------
        data : Dataset
            With numbers as labels.
        budget : Budget
            Of kind "add".
        rng : Generator
            Draws the rows to start from.

        Returns
        -------
        Poison
            As many rows as the budget allows.

        Raises
        ------
        InvalidArgument
            If the budget is for no row or of another kind.
        """
        count = budget.count_for("add", len(data))
        clean, y = _dense(data.X), np.asarray(data.y, dtype=np.float64)
        low, high = (np.asarray(end) for end in column_extremes(clean))
        bottom, top = float(y.min()), float(y.max())
        rows = rng.choice(len(y), count, replace=count > len(y))
        opposite = np.where(y[rows] > (bottom + top) / 2, bottom, top)
        probe = (clean, y) if self.probe is None else (_dense(self.probe.X), np.asarray(self.probe.y, dtype=np.float64))
        training = _Training(clean, y, self.ridge, probe, (low, high - low, bottom, top - bottom))
        found = training.climb(clean[rows], opposite, self.steps)
        return Poison(csr_array(found.X) if issparse(data.X) else found.X, found.y)


@dataclass(frozen=True, eq=False)
class _Training:
    clean: Array
    targets: Array
    ridge: float
    probe: tuple[Array, Array]
    box: tuple[Array, Array, float, float]

    def climb(self, X: Array, y: Array, steps: int) -> _Climb:
        """Take steps of the gradient in units of the box, halved whenever the error does not grow."""
        low, width, bottom, reach = self.box
        now, gradient = self._judge(X, y)
        step = 0.3
        for _ in range(steps):
            if step < _SMALLEST_STEP:
                break
            # Each row moves by at most `step` widths of the box, whatever the size of its gradient.
            slope = np.column_stack([gradient.features * width, gradient.targets * reach])
            size = np.abs(slope).max(axis=1, keepdims=True)
            move = step * np.divide(slope, size, out=np.zeros_like(slope), where=size > 0)
            nearer = np.clip(now.X + move[:, :-1] * width, low, low + width)
            further = np.clip(now.y + move[:, -1] * reach, bottom, bottom + reach)
            tried, slope_there = self._judge(nearer, further)
            if tried.error > now.error:
                now, gradient, step = tried, slope_there, min(1.0, 1.2 * step)
            else:
                step /= 2
        return now

    def _judge(self, X: Array, y: Array) -> tuple[_Climb, RowGradient]:
        rows = slice(len(self.targets), len(self.targets) + len(y))
        error, gradient = row_gradient(
            np.vstack([self.clean, X]), np.append(self.targets, y), self.ridge, self.probe, rows
        )
        return _Climb(X, y, error), gradient


def _dense(X: Matrix) -> Array:
    return np.asarray(X.toarray() if issparse(X) else X)
