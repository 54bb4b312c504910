"""Decoy parameters with several classes: models that an attacker would like the defender to learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from toadstone.attacks.decoys.decoys import DEFAULT_GRID, Decoy, DecoyGrid, check_wish, least
from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidData
from toadstone.kernels.linear.crammer_singer import fit_crammer_singer
from toadstone.kernels.linear.online_multiclass import descend_crammer_singer
from toadstone.kernels.losses import crammer_singer
from toadstone.kernels.rows import stack


class Training(Protocol):
    """How the attacker thinks that the defender trains."""

    def __call__(self, X: Matrix, codes: IntArray, n_classes: int, copies: IntArray) -> Array:
        """A model of shape (k, d + 1) of rows that occur so many times each."""


@dataclass(frozen=True)
class OnlineTraining:
    """Three epochs of AdaGrad, as `descend_crammer_singer` does by default.

    Parameters
    ----------
    seed : int
        Of the order of rows.
    """

    seed: int = 0

    def __call__(self, X: Matrix, codes: IntArray, n_classes: int, copies: IntArray) -> Array:
        """A model of shape (k, d + 1) of rows that occur so many times each."""
        return descend_crammer_singer(X, codes, n_classes, copies=copies, rng=np.random.default_rng(self.seed))


@dataclass(frozen=True)
class RidgeTraining:
    """The exact minimum with a ridge; see `fit_crammer_singer`.

    Parameters
    ----------
    ridge : float
        The defender's penalty, for each row.
    tolerance : float
        Relative duality gap of the fit.
    """

    ridge: float
    tolerance: float = 1e-3

    def __call__(self, X: Matrix, codes: IntArray, n_classes: int, copies: IntArray) -> Array:
        """A model of shape (k, d + 1) of rows that occur so many times each."""
        weights = copies.astype(float)
        return fit_crammer_singer(
            X, codes, n_classes, ridge=self.ridge, weights=weights, tolerance=self.tolerance
        ).theta


def fit_multiclass_decoy(
    train: Dataset, probe: Dataset, clean: Array, training: Training, *, quantile: float, repeats: int
) -> Decoy:
    """Train one decoy; decoys do not depend on each other.

    Parameters
    ----------
    train : Dataset
        Clean rows.
    probe : Dataset
        Rows to relabel, which are those to be misclassified. With the test
        set the attacker knows the test labels; with `train` itself, not.
    clean : ndarray of shape (k, d + 1)
        The model of the clean rows.
    training : Training
        How the decoy is trained.
    quantile : float
        Rows of the probe whose margin, the right score less the best wrong
        one, lies below this quantile of all its margins get the label of the
        best wrong class, in (0, 1]; at one, all do.
    repeats : int
        How often each of them counts beside the clean rows.

    Returns
    -------
    Decoy

    Raises
    ------
    InvalidArgument
        If `quantile` or `repeats` is out of range.
    InvalidData
        If the probe does not fit the training rows.

    References
    ----------
    .. [1] Koh, Steinhardt and Liang, "Stronger data poisoning attacks break
       data sanitization defenses", Machine Learning 111, 2022, sections 4.2
       and 5.7.

    Examples
    --------
    >>> rows = Dataset(np.eye(3)[[0, 1, 2, 1]], [0, 1, 2, 2])
    >>> training = RidgeTraining(0.01)
    >>> clean = training(rows.X, rows.y, 3, np.ones(4, dtype=int))
    >>> decoy = fit_multiclass_decoy(rows, rows, clean, training, quantile=0.5, repeats=9)
    >>> decoy.probe_error
    0.25
    """
    check_wish(quantile, repeats)
    codes, probe_codes, k = _codes(train, train), _codes(train, probe), len(train.classes)
    rivals, margins = _rivalry(clean, probe.X, probe_codes)
    flipped = least(margins, quantile)
    copies = np.concatenate([np.ones(len(train), dtype=np.int64), np.full(len(flipped), int(repeats))])
    theta = training(stack([train.X, probe.X[flipped]]), np.concatenate([codes, rivals[flipped]]), k, copies)
    loss = float(crammer_singer(_scores(theta, train.X), codes)[0].mean())
    wrong = _scores(theta, probe.X).argmax(axis=1) != probe_codes
    return Decoy(theta, quantile, repeats, loss, float(wrong.mean()))


def make_multiclass_decoys(
    train: Dataset,
    probe: Dataset,
    training: Training,
    *,
    quantiles: Sequence[float] = DEFAULT_GRID.quantiles,
    repeats: Sequence[int] = DEFAULT_GRID.repeats,
) -> list[Decoy]:
    """Train a decoy for every quantile and every number of repeats.

    Parameters are those of `fit_multiclass_decoy`, which a caller may also
    run side by side. Options are checked before any model is trained.

    Returns
    -------
    list of Decoy
        Quantile by quantile.

    Raises
    ------
    InvalidArgument
        If an option is out of range.
    InvalidData
        If the data do not fit.
    """
    grid = DecoyGrid(tuple(quantiles), tuple(repeats))
    for quantile, count in grid.pairs:
        check_wish(quantile, count)
    _codes(train, probe)
    clean = training(train.X, _codes(train, train), len(train.classes), np.ones(len(train), dtype=np.int64))
    return [
        fit_multiclass_decoy(train, probe, clean, training, quantile=quantile, repeats=count)
        for quantile, count in grid.pairs
    ]


def _codes(train: Dataset, data: Dataset) -> IntArray:
    """Classes of some rows, counted as in the training rows."""
    if len(train.classes) < 2:
        raise InvalidData("labels: expected at least two classes, got 1 class")
    if data.n_features != train.n_features:
        raise InvalidData(f"probe: expected {train.n_features} columns, got {data.n_features}")
    unknown = np.setdiff1d(data.y, train.classes)
    if unknown.size:
        raise InvalidData(f"probe: expected labels of the training rows, got {unknown[0]}")
    return np.searchsorted(train.classes, data.y)


def _rivalry(theta: Array, X: Matrix, codes: IntArray) -> tuple[IntArray, Array]:
    """The best wrong class of each row, and by how much the right score exceeds its score."""
    scores, rows = _scores(theta, X), np.arange(len(codes))
    right = scores[rows, codes]
    scores[rows, codes] = -np.inf
    rivals = scores.argmax(axis=1)
    return rivals, right - scores[rows, rivals]


def _scores(theta: Array, X: Matrix) -> Array:
    return np.asarray(X @ theta[:, :-1].T + theta[:, -1])
