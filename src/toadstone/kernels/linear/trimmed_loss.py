"""Trimmed loss: training on the rows of least loss, by alternating minimization."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from toadstone.core.arrays import Array, IntArray

Model = TypeVar("Model")


@dataclass(frozen=True, eq=False)
class TrimmedFit(Generic[Model]):
    """A model trained with a trimmed loss, and the rows that it was trained on.

    Parameters
    ----------
    model : Model
        The last one trained.
    rows : ndarray of int
        The rows that it was trained on, ascending.
    losses : ndarray of shape (n,)
        Of every row at that model.
    rounds : int
        How many models were trained.
    settled : bool
        Whether the rows of least loss are those trained on.
    """

    model: Model
    rows: IntArray
    losses: Array
    rounds: int
    settled: bool


def least_losses(losses: Array, codes: IntArray, keep: float) -> IntArray:
    """Choose the rows of least loss, but at least half of each class.

    Without that floor a class that is rare and hard would be trimmed away
    first. Among all choices that respect it this one has the least sum.

    Parameters
    ----------
    losses : ndarray of shape (n,)
    codes : ndarray of shape (n,)
        Class of each row, counted from zero.
    keep : float
        Share of all rows to keep, in (0.5, 1].

    Returns
    -------
    ndarray of int
        ``floor(keep * n)`` rows, ascending; ties go to the earlier row. More
        where half of each class, rounded up, are more.

    Examples
    --------
    >>> least_losses(np.array([0.1, 0.9, 0.2, 3.0, 2.0, 4.0]), np.array([0, 0, 0, 0, 1, 1]), 0.7)
    array([0, 1, 2, 4])
    """
    order = np.argsort(losses, kind="stable")
    chosen = np.zeros(len(codes), dtype=bool)
    for code in np.unique(codes):
        own = order[codes[order] == code]
        chosen[own[: (len(own) + 1) // 2]] = True
    # The product may fall short of a whole number by rounding alone.
    wanted = int(np.floor(keep * len(codes) + 1e-9)) - np.count_nonzero(chosen)
    others = order[~chosen[order]]
    chosen[others[: max(wanted, 0)]] = True
    return np.flatnonzero(chosen)


def alternate(
    train: Callable[[IntArray], Model],
    judge: Callable[[Model], Array],
    codes: IntArray,
    start: IntArray,
    *,
    keep: float,
    rounds: int,
) -> TrimmedFit[Model]:
    """Train, choose the rows of least loss among all, and train again on these.

    Neither step can raise the trimmed loss where training minimizes the mean
    loss of its rows, so it settles.

    Parameters
    ----------
    train : callable
        Fits a model to the rows of the given indices.
    judge : callable
        Loss of every row, shape (n,), at a model.
    codes : ndarray of shape (n,)
        Class of each row, counted from zero.
    start : ndarray of int
        Rows to train on first.
    keep : float
        Share of all rows to keep, in (0.5, 1].
    rounds : int
        At most so many models.

    Returns
    -------
    TrimmedFit

    References
    ----------
    .. [1] Shen and Sanghavi, "Learning with bad training data via iterative
       trimmed loss minimization", ICML 2019, algorithm 1.
    """
    rows = start
    for trained in range(1, rounds + 1):
        model = train(rows)
        losses = judge(model)
        best = least_losses(losses, codes, keep)
        settled = np.array_equal(best, rows)
        if settled or trained == rounds:
            break
        rows = best
    return TrimmedFit(model, rows, losses, trained, settled)
