"""Any poison replaced by a few weighted points with the same effect on the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from toadstone.core.arrays import Array, IntArray, Labels
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.kernels.linear.crammer_singer import fit_crammer_singer
from toadstone.kernels.linear.fit import fit_linear
from toadstone.kernels.losses import HINGE, margin_loss
from toadstone.kernels.minimax.collapse import (
    Collapsed,
    collapse,
    collapse_in_full,
    collapse_multiclass,
    collapse_multiclass_in_full,
    rescale_ridge,
)
from toadstone.kernels.rows import stack

# The points are weighted by dual variables, so the fit has to be exact to the last digits.
_CLOSE = 1e-13


@dataclass(frozen=True, eq=False)
class FewPoints:
    """Weighted points that replace many rows of poison.

    Parameters
    ----------
    points : ndarray of shape (p, d)
    labels : ndarray of shape (p,)
    weights : ndarray of shape (p,)
        Weight of each point, in clean rows; not whole numbers.
    ridge : float
        The penalty with which a defender who minimizes the weighted mean loss
        learns the same model as before.
    """

    points: Array
    labels: Labels
    weights: Array
    ridge: float

    @property
    def mass(self) -> float:
        """Sum of the weights."""
        return float(self.weights.sum())


def collapse_poison(data: Dataset, poison: Poison, *, ridge: float, loss: str = "hinge") -> FewPoints:
    """Replace poison by the fewest points and the smallest mass, after the two-point theorem.

    Two points, one for each label, are as harmful as any poison; for k
    classes, k (k - 1) points are [1]_. They lie in every convex set that
    contains the poison of their label, so poison that passes convex filters
    is replaced by points that pass too. The model stays the minimizer of the
    *sum* of the losses and a fixed penalty. Since the points weigh less than
    the poison, a defender who minimizes the mean learns the same model only
    with the returned ridge.

    Parameters
    ----------
    data : Dataset
        Clean training rows.
    poison : Poison
        Added rows.
    ridge : float
        Penalty of the defender's linear model, bias included, for each row.
    loss : {"hinge", "smooth_hinge", "squared_hinge", "logistic"}
        The defender's loss; for more than two classes only the hinge, which
        is that of Crammer and Singer.

    Returns
    -------
    FewPoints

    Raises
    ------
    InvalidArgument
        If the poison replaces clean rows, or there are more than two classes
        and the loss is not the hinge.
    InvalidData
        If the poison has other columns or labels than the data.

    References
    ----------
    .. [1] Koh, Steinhardt and Liang, "Stronger data poisoning attacks break
       data sanitization defenses", Machine Learning 111, 2022, theorem 1.

    Examples
    --------
    >>> from toadstone.learners.linear import LinearClassifier
    >>> rows = [[-2.0, 0.0], [-1.0, 1.0], [1.0, 0.0], [2.0, 1.0]] * 5
    >>> data = Dataset(rows, ["ham", "ham", "spam", "spam"] * 5)
    >>> poison = Poison([[-1.0, 0.5], [0.0, -0.5], [9.0, 9.0]], ["spam", "spam", "spam"])
    >>> few = collapse_poison(data, poison, ridge=0.2)
    >>> few.points.round(6).tolist(), few.labels.tolist(), few.weights.round(6).tolist()
    ([[-0.5, 0.0]], ['spam'], [2.0])
    >>> X, y = np.vstack([data.X, few.points]), np.append(data.y, few.labels)
    >>> same = LinearClassifier(ridge=few.ridge).fit(X, y, sample_weight=[*[1] * 20, *few.weights])
    >>> before = LinearClassifier(ridge=0.2).fit(np.vstack([data.X, poison.X]), np.append(data.y, poison.y))
    >>> bool(np.allclose(same.coef_, before.coef_))
    True
    """
    found = _collapsed(data, poison, ridge, loss, (collapse, collapse_multiclass))
    after = rescale_ridge(ridge, before=len(data) + len(poison), after=len(data) + found.mass)
    return FewPoints(found.points, found.labels, found.weights, after)


def collapse_poison_in_full(data: Dataset, poison: Poison, *, ridge: float, loss: str = "hinge") -> FewPoints:
    """Replace poison by few points of the same mass.

    These are the points of `collapse_poison`; the mass that they save is put
    on rows without loss. There are at most two points for each label, or k
    for k classes. The mass is that of the poison, so the minimizer of the
    defender's mean loss does not change.

    Parameters
    ----------
    data, poison, ridge, loss
        As in `collapse_poison`.

    Returns
    -------
    FewPoints
        With `ridge` as given.

    Raises
    ------
    InvalidArgument, InvalidData
        As in `collapse_poison`; or if mass is saved and no row is without
        loss, as under the logistic loss.

    Examples
    --------
    >>> rows = [[-2.0, 0.0], [-1.0, 1.0], [1.0, 0.0], [2.0, 1.0]] * 5
    >>> data = Dataset(rows, ["ham", "ham", "spam", "spam"] * 5)
    >>> poison = Poison([[-1.0, 0.5], [0.0, -0.5], [9.0, 9.0]], ["spam", "spam", "spam"])
    >>> few = collapse_poison_in_full(data, poison, ridge=0.2)
    >>> few.points.round(6).tolist(), few.weights.round(6).tolist()
    ([[-0.5, 0.0], [9.0, 9.0]], [2.0, 1.0])
    """
    found = _collapsed(data, poison, ridge, loss, (collapse_in_full, collapse_multiclass_in_full))
    return FewPoints(found.points, found.labels, found.weights, ridge)


def _collapsed(
    data: Dataset, poison: Poison, ridge: float, loss: str, kernels: tuple[Callable[..., Collapsed], ...]
) -> Collapsed:
    """Apply a kernel, the first for two classes and the second for more, at the defender's model."""
    _check(data, poison)
    X, weights = stack([data.X, poison.X]), np.ones(len(poison))
    codes: IntArray = np.searchsorted(data.classes, np.append(data.y, poison.y.astype(data.y.dtype)))
    clean, wrong = len(data), codes[len(data) :]
    if len(data.classes) == 2:
        signs, chosen = np.where(codes == 1, 1.0, -1.0), margin_loss(loss)
        fit = fit_linear(X, signs, loss=chosen, ridge=ridge, tolerance=_CLOSE)
        slopes = fit.duals[clean:] if chosen is HINGE else None
        found = kernels[0](poison.X, signs[clean:], weights, fit.theta, chosen, slopes=slopes)
        return replace(found, labels=data.classes[(found.labels > 0).astype(int)])
    if loss != HINGE.name:
        raise InvalidArgument("loss", f"hinge for {len(data.classes)} classes", loss)
    several = fit_crammer_singer(X, codes, len(data.classes), ridge=ridge, tolerance=_CLOSE)
    multipliers = several.duals[clean:]
    # The theorem sums over wrong classes; the multiplier of the right one is what they leave.
    multipliers[np.arange(len(wrong)), wrong] = 0.0
    found = kernels[1](poison.X, wrong, weights, several.theta, multipliers=multipliers)
    return replace(found, labels=data.classes[found.labels])


def _check(data: Dataset, poison: Poison) -> None:
    if poison.replaces is not None and len(poison.replaces):
        raise InvalidArgument("poison", "added rows only", f"{len(poison.replaces)} that displace clean ones")
    if poison.X.shape[1] != data.n_features:
        raise InvalidData(f"poison: expected {data.n_features} columns, got {poison.X.shape[1]}")
    unknown = np.setdiff1d(poison.y, data.classes)
    if unknown.size:
        raise InvalidData(f"poison: expected labels of the data, got {unknown[0]}")
