"""The evidence for wrong labels, kept apart from the rows that have them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from toadstone.core.arrays import Array, IntArray, Mask
from toadstone.kernels.verdict.noise_floor import FloorLikelihood, FloorModel, fit_floor, loss_at

_HALF_QUANTILE = 1.92
_LARGEST_TOTAL = 0.45
_HALVINGS = 7


@dataclass(frozen=True, eq=False)
class FloorFits:
    """The labels explained three times: without a floor, with the same under each label, and with one for each.

    Parameters
    ----------
    none, symmetric, by_class : FloorModel
    n_rows : int
        Rows that are not trusted.
    """

    none: FloorModel
    symmetric: FloorModel
    by_class: FloorModel
    n_rows: int

    def penalised(self, model: FloorModel) -> float:
        """Compute the loss with half the logarithm of the rows for each parameter of the floor (BIC / 2)."""
        return model.loss + 0.5 * model.n_floors * float(np.log(max(self.n_rows, 2)))

    @property
    def best_floor(self) -> FloorModel:
        """The better of the two models with a floor, by the penalised loss."""
        return min(self.symmetric, self.by_class, key=self.penalised)

    @property
    def log_ratio(self) -> float:
        """Penalised log-likelihood ratio of the best floor against none, in nats."""
        return self.penalised(self.none) - self.penalised(self.best_floor)

    @property
    def share_of_class_floor(self) -> float:
        """Weight of the model with a floor for each label among the two with a floor."""
        apart = self.penalised(self.by_class) - self.penalised(self.symmetric)
        return float(1 / (1 + np.exp(np.clip(apart, -700, 700))))


def fit_floors(tables: Array, codes: IntArray, trusted: Mask) -> FloorFits:
    """Fit the three models.

    Parameters
    ----------
    tables : ndarray of shape (n_learners, n, n_classes)
        From `logarithms`.
    codes : ndarray of shape (n,)
        Label of each row, counted from zero.
    trusted : ndarray of bool of shape (n,)

    Returns
    -------
    FloorFits
    """
    none = fit_floor(tables, codes, kind="none", trusted=trusted)
    symmetric = fit_floor(tables, codes, kind="symmetric", trusted=trusted, near=none)
    by_class = fit_floor(tables, codes, kind="class", trusted=trusted, near=symmetric)
    return FloorFits(none, symmetric, by_class, int(np.count_nonzero(~trusted)))


def rate_interval(tables: Array, codes: IntArray, trusted: Mask, best: FloorModel) -> tuple[float, float]:
    """Compute the 95 % profile-likelihood interval of the share of wrong labels.

    All shares whose likelihood, with weights and offsets fitted to each, is
    within a factor of exp(1.92) of the largest. The floor is the same under
    each label.

    Parameters
    ----------
    tables, codes, trusted
        As in `fit_floors`.
    best : FloorModel
        The symmetric fit.

    Returns
    -------
    lowest, highest : float
    """
    likelihood = FloorLikelihood(tables, codes, trusted)
    n_classes = tables.shape[2]
    peak, allowed = float(best.floor.sum()), best.loss + _HALF_QUANTILE
    # Of a floor that is spread evenly, one in K rows arrives in the label that it had.
    wrong = 1 - 1 / n_classes

    def fits(total: float) -> bool:
        return loss_at(likelihood, total, best) <= allowed

    low = 0.0 if fits(0.0) else _edge(fits, peak, 0.0)
    high = _LARGEST_TOTAL if fits(_LARGEST_TOTAL) else _edge(fits, peak, _LARGEST_TOTAL)
    return low * wrong, high * wrong


def _edge(fits: Callable[[float], bool], inside: float, outside: float) -> float:
    """Halve an interval until its ends, of which the first fits and the second does not, are near."""
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if fits(middle) else (inside, middle)
    return (inside + outside) / 2
