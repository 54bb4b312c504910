"""Decoy parameters: models that an attacker wants the defender to learn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType

import numpy as np

from toadstone.core.arrays import Array, IntArray
from toadstone.core.checks import check_count, check_within
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidData
from toadstone.kernels.linear.fit import Bias, LinearFit, fit_linear
from toadstone.kernels.losses import HINGE
from toadstone.kernels.rows import stack


@dataclass(frozen=True)
class DecoyGrid:
    """A grid of decoys: every quantile with every number of repeats.

    Parameters
    ----------
    quantiles : tuple of float
        Shares of the probe rows to relabel, in (0, 1].
    repeats : tuple of int
        Weights of a relabelled row, in rows.
    """

    quantiles: tuple[float, ...]
    repeats: tuple[int, ...]

    @property
    def pairs(self) -> tuple[tuple[float, int], ...]:
        """All pairs (quantile, repeats), quantile by quantile."""
        return tuple(product(self.quantiles, self.repeats))

    def around(self, quantile: float, repeats: int) -> tuple[tuple[float, int], ...]:
        """Return the pairs halfway between one pair of the grid and its neighbours, without those of the grid.

        Examples
        --------
        >>> DecoyGrid((0.1, 0.2), (1, 5, 9)).around(0.2, 5)
        ((0.15, 3), (0.15, 5), (0.15, 7), (0.2, 3), (0.2, 7))
        """
        near = product(_halfway(self.quantiles, quantile), [round(value) for value in _halfway(self.repeats, repeats)])
        return tuple(pair for pair in dict.fromkeys(near) if pair not in self.pairs)


DEFAULT_GRID = DecoyGrid((0.05, 0.07, 0.10, 0.12, 0.15, 0.18, 0.20, 0.22, 0.25), (1, 2, 3, 5, 8, 12, 18, 25))
"""The paper's grid for data sets that are not in `GRIDS`."""

GRIDS: Mapping[str, DecoyGrid] = MappingProxyType(
    {
        "enron": DecoyGrid(
            (0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.35, 0.40, 0.45, 0.50, 0.55), (1, 2, 3, 5, 8, 12, 18, 25, 33)
        ),
        "imdb": DecoyGrid((0.4, 0.5, 0.6), (4, 5)),
    }
)
"""The paper's grids, by data set."""


@dataclass(frozen=True, eq=False)
class Decoy:
    """A model that errs on the probe and fits the clean rows.

    Parameters
    ----------
    theta : ndarray of shape (d + 1,), or (k, d + 1) for several classes
        Weights, then the bias; one row for each class in the order of sorted
        labels.
    quantile : float
        Rows were relabelled if their margin at the clean model was below this
        quantile.
    repeats : int
        Weight of each relabelled row.
    clean_loss : float
        Mean hinge loss on the clean training rows, of Crammer and Singer for
        several classes.
    probe_error : float
        Share of the probe's rows that are misclassified.
    """

    theta: Array
    quantile: float
    repeats: int
    clean_loss: float
    probe_error: float


def fit_clean(train: Dataset, *, ridge: float, bias: Bias = "free", tolerance: float = 1e-6) -> LinearFit:
    """Train the clean model, whose margins decide which rows are relabelled."""
    return fit_linear(train.X, train.signs, loss=HINGE, ridge=ridge, bias=bias, tolerance=tolerance)


def fit_decoy(
    train: Dataset,
    probe: Dataset,
    clean: LinearFit,
    *,
    quantile: float,
    repeats: int,
    ridge: float,
    bias: Bias = "free",
    tolerance: float = 1e-6,
) -> Decoy:
    """Train one decoy; decoys are independent of each other.

    Parameters
    ----------
    train : Dataset
        Clean rows of two classes.
    probe : Dataset
        Rows that should be misclassified, some of which are relabelled. The
        test set if the attacker knows the test labels, else `train` itself.
    clean : LinearFit
        The clean model; see `fit_clean`.
    quantile : float
        Rows of the probe are relabelled if their margin is below this
        quantile of all its margins, in (0, 1]; at one, all are.
    repeats : int
        Weight of each relabelled row; a clean row has weight one.
    ridge : float
        The defender's penalty, for each row.
    bias : {"free", "regularized", "none"}
        The paper's decoys do not penalize the bias.
    tolerance : float
        Relative duality gap of the fit.

    Returns
    -------
    Decoy

    Raises
    ------
    InvalidArgument
        If `quantile` or `repeats` is out of range.
    InvalidData
        If there are not exactly two classes, or the probe does not fit the
        training rows.

    References
    ----------
    .. [1] Koh, Steinhardt and Liang, "Stronger data poisoning attacks break
       data sanitization defenses", Machine Learning 111, 2022, section 4.2.

    Examples
    --------
    >>> rows = Dataset([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
    >>> clean = fit_clean(rows, ridge=0.01)
    >>> decoy = fit_decoy(rows, rows, clean, quantile=0.6, repeats=9, ridge=0.01)
    >>> decoy.probe_error > 0
    True
    """
    check_relabelling(quantile, repeats)
    signs = _probe_signs(train, probe)
    margins = signs * _scores(clean.theta, probe)
    flipped = lowest_margins(margins, quantile)
    fit = fit_linear(
        stack([train.X, probe.X[flipped]]),
        np.concatenate([train.signs, -signs[flipped]]),
        loss=HINGE,
        ridge=ridge,
        bias=bias,
        weights=np.concatenate([np.ones(len(train)), np.full(len(flipped), float(repeats))]),
        duals=np.concatenate([clean.duals, np.ones(len(flipped))]),
        tolerance=tolerance,
    )
    loss = float(HINGE.value(train.signs * _scores(fit.theta, train)).mean())
    wrong = np.where(_scores(fit.theta, probe) > 0, 1.0, -1.0) != signs
    return Decoy(fit.theta, quantile, repeats, loss, float(wrong.mean()))


def make_decoys(
    train: Dataset,
    probe: Dataset,
    *,
    ridge: float,
    quantiles: Sequence[float] = DEFAULT_GRID.quantiles,
    repeats: Sequence[int] = DEFAULT_GRID.repeats,
    bias: Bias = "free",
    tolerance: float = 1e-6,
) -> list[Decoy]:
    """Train a decoy for every quantile and every number of repeats.

    Parameters are those of `fit_decoy`, which a caller may also run in
    parallel. Options are checked before any model is trained.

    Returns
    -------
    list of Decoy
        Quantile by quantile.

    Raises
    ------
    InvalidArgument
        If an option is out of range.
    InvalidData
        If there are not exactly two classes, or the probe does not fit the
        training rows.
    """
    grid = DecoyGrid(tuple(quantiles), tuple(repeats))
    for quantile, count in grid.pairs:
        check_relabelling(quantile, count)
    _probe_signs(train, probe)
    clean = fit_clean(train, ridge=ridge, bias=bias, tolerance=tolerance)
    return [
        fit_decoy(train, probe, clean, quantile=quantile, repeats=count, ridge=ridge, bias=bias, tolerance=tolerance)
        for quantile, count in grid.pairs
    ]


def prune_decoys(decoys: Iterable[Decoy]) -> list[Decoy]:
    """Remove decoys that have neither a larger probe error nor a smaller clean loss than another.

    Several decoys of equal probe error may be kept, as in the paper's code;
    the last of them has the smallest loss.

    Parameters
    ----------
    decoys : iterable of Decoy

    Returns
    -------
    list of Decoy
        In descending order of probe error, and of clean loss.
    """
    kept: list[Decoy] = []
    for decoy in sorted(decoys, key=lambda decoy: (-decoy.probe_error, -decoy.clean_loss)):
        if not kept or decoy.clean_loss < kept[-1].clean_loss:
            kept.append(decoy)
    return kept


def lowest_margins(margins: Array, quantile: float) -> IntArray:
    """Return the positions of margins below a quantile of all of them; at one, all positions.

    Examples
    --------
    >>> lowest_margins(np.array([3.0, 1.0, 2.0]), 0.5).tolist(), lowest_margins(np.array([3.0]), 1.0).tolist()
    ([1], [0])
    """
    return np.flatnonzero(margins < np.quantile(margins, quantile)) if quantile < 1 else np.arange(len(margins))


def check_relabelling(quantile: float, repeats: int) -> None:
    """Check the quantile and the repeats of a decoy.

    Raises
    ------
    InvalidArgument
        If `quantile` or `repeats` is out of range.
    """
    check_within("(0, 1]", quantile=quantile)
    check_count(repeats=repeats)


def _halfway(values: Sequence[float], one: float) -> list[float]:
    """Return a value and the points halfway to its neighbours in a list, ascending."""
    below = [value for value in values if value < one]
    above = [value for value in values if value > one]
    near = [0.5 * (max(below) + one)] if below else []
    return [*(round(value, 6) for value in near), one, *([round(0.5 * (min(above) + one), 6)] if above else [])]


def _probe_signs(train: Dataset, probe: Dataset) -> Array:
    """Return the probe's labels as -1 and +1, for the first and second class of the training rows."""
    if len(train.classes) != 2:
        raise InvalidData(f"labels: expected two classes, got {len(train.classes)}")
    if probe.n_features != train.n_features:
        raise InvalidData(f"probe: expected {train.n_features} columns, got {probe.n_features}")
    unknown = np.setdiff1d(probe.y, train.classes)
    if unknown.size:
        raise InvalidData(f"probe: expected labels of the training rows, got {unknown[0]}")
    return np.where(probe.y == train.classes[1], 1.0, -1.0)


def _scores(theta: Array, data: Dataset) -> Array:
    return np.asarray(data.X @ theta[:-1] + theta[-1])
