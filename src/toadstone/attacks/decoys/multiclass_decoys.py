"""Decoy parameters with several classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from toadstone.attacks.decoys.decoys import DEFAULT_GRID, Decoy, DecoyGrid, check_relabelling, lowest_margins
from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidData
from toadstone.kernels.linear.crammer_singer import fit_crammer_singer
from toadstone.kernels.linear.online_multiclass import descend_crammer_singer
from toadstone.kernels.losses import crammer_singer
from toadstone.kernels.rows import stack


class Training(Protocol):
    """The training algorithm that the attacker expects of the defender."""

    def __call__(self, X: Matrix, codes: IntArray, n_classes: int, copies: IntArray) -> Array:
        """Train a model of shape (k, d + 1) on rows and their numbers of copies."""


@dataclass(frozen=True)
class OnlineTraining:
    """Training by three epochs of AdaGrad, the default of `descend_crammer_singer`.

    Parameters
    ----------
    seed : int
        Seed of the order of rows.
    """

    seed: int = 0

    def __call__(self, X: Matrix, codes: IntArray, n_classes: int, copies: IntArray) -> Array:
        """Train a model of shape (k, d + 1) on rows and their numbers of copies."""
        return descend_crammer_singer(X, codes, n_classes, copies=copies, rng=np.random.default_rng(self.seed))


@dataclass(frozen=True)
class RidgeTraining:
    """Training to the exact minimum with a ridge penalty; see `fit_crammer_singer`.

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
        """Train a model of shape (k, d + 1) on rows and their numbers of copies."""
        weights = copies.astype(float)
        return fit_crammer_singer(
            X, codes, n_classes, ridge=self.ridge, weights=weights, tolerance=self.tolerance
        ).theta


def fit_multiclass_decoy(
    train: Dataset, probe: Dataset, clean: Array, training: Training, *, quantile: float, repeats: int
) -> Decoy:
    """Train one decoy; decoys are independent of each other.

    Parameters
    ----------
    train : Dataset
        Clean rows.
    probe : Dataset
        Rows that should be misclassified, some of which are relabelled. The
        test set if the attacker knows the test labels, else `train` itself.
    clean : ndarray of shape (k, d + 1)
        The clean model.
    training : Training
        Trains the decoy.
    quantile : float
        Rows of the probe get the label of the best wrong class if their
        margin, the right score less the best wrong one, is below this
        quantile of all its margins, in (0, 1]; at one, all do.
    repeats : int
        Weight of each relabelled row; a clean row has weight one.

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
    check_relabelling(quantile, repeats)
    codes, probe_codes, k = _codes(train, train), _codes(train, probe), len(train.classes)
    rivals, margins = _rivalry(clean, probe.X, probe_codes)
    flipped = lowest_margins(margins, quantile)
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
    run in parallel. Options are checked before any model is trained.

    Returns
    -------
    list of Decoy
        Quantile by quantile.

    Raises
    ------
    InvalidArgument
        If an option is out of range.
    InvalidData
        If the probe does not fit the training rows.
    """
    grid = DecoyGrid(tuple(quantiles), tuple(repeats))
    for quantile, count in grid.pairs:
        check_relabelling(quantile, count)
    _codes(train, probe)
    clean = training(train.X, _codes(train, train), len(train.classes), np.ones(len(train), dtype=np.int64))
    return [
        fit_multiclass_decoy(train, probe, clean, training, quantile=quantile, repeats=count)
        for quantile, count in grid.pairs
    ]


def _codes(train: Dataset, data: Dataset) -> IntArray:
    """Return the labels of rows as indices of the training rows' classes."""
    if len(train.classes) < 2:
        raise InvalidData("labels: expected at least two classes, got 1 class")
    if data.n_features != train.n_features:
        raise InvalidData(f"probe: expected {train.n_features} columns, got {data.n_features}")
    unknown = np.setdiff1d(data.y, train.classes)
    if unknown.size:
        raise InvalidData(f"probe: expected labels of the training rows, got {unknown[0]}")
    return np.searchsorted(train.classes, data.y)


def _rivalry(theta: Array, X: Matrix, codes: IntArray) -> tuple[IntArray, Array]:
    """Return the best wrong class of each row, and the right score less the score of that class."""
    scores, rows = _scores(theta, X), np.arange(len(codes))
    right = scores[rows, codes]
    scores[rows, codes] = -np.inf
    rivals = scores.argmax(axis=1)
    return rivals, right - scores[rows, rivals]


def _scores(theta: Array, X: Matrix) -> Array:
    return np.asarray(X @ theta[:, :-1].T + theta[:, -1])
