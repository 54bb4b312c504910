"""A stack of learners with a floor under every label: the likelihood that tells wrong labels from overlap.

A calibrated learner that was trained on wrong labels says 0.9 where it should
say 1, and no test against its own probabilities can see the wrong ones. The
floor makes the one distinction that data permit: overlap fades where the
learners are sure, wrong labels do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from scipy.optimize import minimize
from scipy.special import softmax

from toadstone.core.arrays import Array, IntArray, Mask

SMALLEST = 1e-4
"""No learner's probability counts as smaller."""

Kind = Literal["none", "symmetric", "class"]

_LARGEST_WEIGHT, _LARGEST_OFFSET = 3.0, 3.0
_LARGEST_SYMMETRIC, _LARGEST_TOTAL = 0.45, 0.6
_LARGEST_LOGIT = 12.0
_LEAST_COUNTED = 1e-3


@dataclass(frozen=True, eq=False)
class FloorModel:
    """Fitted weights of the learners, and the floor under each label.

    Parameters
    ----------
    weights : ndarray of shape (n_learners,)
        a of the stack.
    offsets : ndarray of shape (n_classes,)
        b of the stack.
    floor : ndarray of shape (n_classes,)
        Probability of a row to arrive in each label by error.
    loss : float
        Penalised negative log-likelihood, in nats.
    kind : str
        ``"none"``, ``"symmetric"`` or ``"class"``.
    """

    weights: Array
    offsets: Array
    floor: Array
    loss: float
    kind: Kind

    @property
    def n_floors(self) -> int:
        """Parameters that the floor adds: none, one, or one for each label with a floor that counts."""
        if self.kind != "class":
            return int(self.kind == "symmetric")
        return max(1, int(np.count_nonzero(self.floor > _LEAST_COUNTED)))

    def true_probabilities(self, tables: Array) -> Array:
        """Compute the probability of each label to be the true one, whatever label a row was given.

        Parameters
        ----------
        tables : ndarray of shape (n_learners, n, n_classes)
            Logarithms of the learners' probabilities, as from `logarithms`.

        Returns
        -------
        ndarray of shape (n, n_classes)
            p of the model.
        """
        return _stacked(self.weights, self.offsets, tables)

    def given_labels(self, true: Array, codes: IntArray) -> Array:
        """Compute the probability of each label to be the true one, given the row's own label.

        Parameters
        ----------
        true : ndarray of shape (n, n_classes)
            From `true_probabilities`.
        codes : ndarray of shape (n,)
            Label of each row, counted from zero.

        Returns
        -------
        ndarray of shape (n, n_classes)
            ``e_y p_j / q_y`` for the other labels. A row's own label has what
            they leave, so that one minus it is the probability that the label
            is wrong.
        """
        rows = np.arange(len(codes))
        own, arriving = true[rows, codes], self.floor[codes]
        observed = arriving + (1 - self.floor.sum()) * own
        shares = true * (arriving / np.maximum(observed, np.finfo(float).tiny))[:, None]
        shares[rows, codes] = 0.0
        shares[rows, codes] = np.clip(1 - shares.sum(axis=1), 0.0, 1.0)
        return np.asarray(shares)

    def arriving(self, true: Array) -> Array:
        """Compute the share of all rows that arrive in each label by error, shape (n_classes,)."""
        return np.asarray(self.floor * (1 - true.mean(axis=0)))


class _Floor(Protocol):
    """Floors as a function of free parameters."""

    start: Array
    second_start: Array
    bounds: list[tuple[float, float]]

    def of(self, free: Array) -> Array: ...

    def slope(self, free: Array, gradient: Array) -> Array: ...


class _FixedFloor:
    """The same floor under each label, which is not fitted."""

    def __init__(self, n_classes: int, level: float) -> None:
        self._floor = np.full(n_classes, level)
        self.start = self.second_start = np.empty(0)
        self.bounds: list[tuple[float, float]] = []

    def of(self, free: Array) -> Array:
        return self._floor

    def slope(self, free: Array, gradient: Array) -> Array:
        return free


class _SymmetricFloor:
    """The same floor under each label; its single parameter is the sum."""

    def __init__(self, n_classes: int) -> None:
        self._n_classes = n_classes
        self.start, self.second_start = np.array([0.01]), np.array([0.1])
        self.bounds = [(0.0, _LARGEST_SYMMETRIC)]

    def of(self, free: Array) -> Array:
        return np.full(self._n_classes, free[0] / self._n_classes)

    def slope(self, free: Array, gradient: Array) -> Array:
        return np.array([gradient.mean()])


class _ClassFloor:
    """A floor of its own under each label: a sum, and logits of the shares."""

    def __init__(self, n_classes: int) -> None:
        self.start = np.concatenate([[0.01], np.zeros(n_classes)])
        self.second_start = np.concatenate([[0.1], np.zeros(n_classes)])
        self.bounds = [(0.0, _LARGEST_TOTAL)] + [(-_LARGEST_LOGIT, _LARGEST_LOGIT)] * n_classes

    def of(self, free: Array) -> Array:
        return np.asarray(free[0] * softmax(free[1:]))

    def slope(self, free: Array, gradient: Array) -> Array:
        shares = softmax(free[1:])
        mean = float(shares @ gradient)
        return np.concatenate([[mean], free[0] * shares * (gradient - mean)])


@dataclass(frozen=True, eq=False)
class FloorLikelihood:
    """Negative log-likelihood of labels under the stack with a floor, penalised, and its gradient.

    Parameters
    ----------
    tables : ndarray of shape (n_learners, n, n_classes)
        From `logarithms`.
    codes : ndarray of shape (n,)
        Label of each row, counted from zero.
    trusted : ndarray of bool of shape (n,)
        Rows whose labels are known to be right: no floor lies under them.
    """

    tables: Array
    codes: IntArray
    trusted: Mask

    def value_and_gradient(self, weights: Array, offsets: Array, floor: Array) -> tuple[float, Array, Array, Array]:
        """Compute the loss and its derivatives.

        Parameters
        ----------
        weights : ndarray of shape (n_learners,)
        offsets, floor : ndarray of shape (n_classes,)

        Returns
        -------
        loss : float
        by_weights : ndarray of shape (n_learners,)
        by_offsets, by_floor : ndarray of shape (n_classes,)
        """
        n_learners, n, n_classes = self.tables.shape
        true = _stacked(weights, offsets, self.tables)
        own = true[np.arange(n), self.codes]
        kept = 1 - floor.sum()
        observed = np.where(self.trusted, own, floor[self.codes] + kept * own)
        observed = np.maximum(observed, np.finfo(float).tiny)
        loss = -float(np.log(observed).sum())
        # d(-log q_y)/dz_k = r (p_k - [k = y]), where r is the probability that the label is not an error.
        right = np.where(self.trusted, 1.0, kept * own / observed)
        slopes = true * right[:, None]
        slopes[np.arange(n), self.codes] -= right
        doubted = np.where(self.trusted, 0.0, 1 / observed)
        by_floor = float(own @ doubted) - np.bincount(self.codes, weights=doubted, minlength=n_classes)
        even = weights - 1 / n_learners
        return (
            loss + 0.5 * float(even @ even) + 0.5 * float(offsets @ offsets),
            np.asarray(self.tables.reshape(n_learners, -1) @ slopes.ravel() + even),
            np.asarray(slopes.sum(axis=0) + offsets),
            np.asarray(by_floor, dtype=np.float64),
        )

    def minimum(self, floor: _Floor, start: Array) -> tuple[Array, float]:
        """Descend from a start, by L-BFGS-B; return the parameters and the loss there."""
        n_learners, n, n_classes = self.tables.shape

        def per_row(parameters: Array) -> tuple[float, Array]:
            weights, offsets, free = np.split(parameters, [n_learners, n_learners + n_classes])
            loss, by_weights, by_offsets, by_floor = self.value_and_gradient(weights, offsets, floor.of(free))
            gradient = np.concatenate([by_weights, by_offsets, floor.slope(free, by_floor)])
            # Divided by the rows, the tolerances mean the same for tables of all sizes.
            return loss / n, gradient / n

        bounds = [(0.0, _LARGEST_WEIGHT)] * n_learners + [(-_LARGEST_OFFSET, _LARGEST_OFFSET)] * n_classes
        options = {"maxiter": 500, "maxfun": 2000, "ftol": 1e-11, "gtol": 1e-8}
        found = minimize(per_row, start, jac=True, method="L-BFGS-B", bounds=bounds + floor.bounds, options=options)
        return np.asarray(found.x), float(found.fun) * n

    def thinned(self, most: int) -> FloorLikelihood:
        """Return the likelihood of every s-th row, so that fewer than twice `most` remain."""
        step = max(1, len(self.codes) // most)
        return FloorLikelihood(self.tables[:, ::step], self.codes[::step], self.trusted[::step])


def logarithms(tables: list[Array]) -> Array:
    """Stack the learners' probabilities as logarithms, none below that of `SMALLEST`.

    Parameters
    ----------
    tables : list of ndarray of shape (n, n_classes)

    Returns
    -------
    ndarray of shape (n_learners, n, n_classes)
    """
    return np.log(np.clip(np.stack(tables), SMALLEST, 1.0))


def fit_floor(likelihood: FloorLikelihood, *, kind: Kind, near: FloorModel | None = None) -> FloorModel:
    """Fit the weights of the learners and a floor under the labels together.

    With P_m the probabilities of learner m, ``p = softmax(sum_m a_m log P_m +
    b)`` is the probability of the true label and ``q_k = e_k + (1 - sum e)
    p_k`` that of the label given. The fit minimises ``-sum_i log q_iy + |a -
    1/M|^2 / 2 + |b|^2 / 2``; trusted rows enter with log p instead of log q.
    The likelihood of labels with class-conditional noise is that of [1]_.

    Parameters
    ----------
    likelihood : FloorLikelihood
        Of the learners' out-of-sample probabilities and the labels.
    kind : {"none", "symmetric", "class"}
        No floor, the same under each label, or one for each.
    near : FloorModel, optional
        A model to start near, beside the usual starts.

    Returns
    -------
    FloorModel

    References
    ----------
    .. [1] Bootkrajang and Kabán, "Label-noise robust logistic regression and
       its applications", ECML 2012, equation 3.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> sure = rng.normal(0, 6, 4000)
    >>> P = 1 / (1 + np.exp(np.column_stack([sure, -sure])))
    >>> true = (rng.random(4000) < P[:, 1]).astype(int)
    >>> given = np.where(rng.random(4000) < 0.2, rng.integers(0, 2, 4000), true)
    >>> likelihood = FloorLikelihood(logarithms([P]), given, np.zeros(4000, dtype=bool))
    >>> fit_floor(likelihood, kind="symmetric").floor.round(1)
    array([0.1, 0.1])
    """
    n_learners, _, n_classes = likelihood.tables.shape
    floors: dict[Kind, _Floor] = {
        "none": _FixedFloor(n_classes, 0.0),
        "symmetric": _SymmetricFloor(n_classes),
        "class": _ClassFloor(n_classes),
    }
    floor = floors[kind]
    even, no_offset = np.full(n_learners, 1 / n_learners), np.zeros(n_classes)
    starts = [np.concatenate([even, no_offset, floor.start])]
    if kind != "none":
        # Sharper odds and a higher floor: a second minimum that descent from the first start does not reach.
        starts.append(np.concatenate([1.5 * even, no_offset, floor.second_start]))
    if near is not None:
        starts.append(np.concatenate([near.weights, near.offsets, floor.second_start]))
    return min((_descended(likelihood, floor, start, kind) for start in starts), key=lambda model: model.loss)


def fit_at(likelihood: FloorLikelihood, total: float, *, near: FloorModel) -> FloorModel:
    """Fit the weights under symmetric floors of a given sum, from the weights of a model near it.

    Examples
    --------
    >>> likelihood = FloorLikelihood(logarithms([np.full((6, 2), 0.5)]), np.arange(6) % 2, np.zeros(6, dtype=bool))
    >>> fit_at(likelihood, 0.2, near=fit_floor(likelihood, kind="none")).floor
    array([0.1, 0.1])
    """
    n_classes = likelihood.tables.shape[2]
    start = np.concatenate([near.weights, near.offsets])
    return _descended(likelihood, _FixedFloor(n_classes, total / n_classes), start, "symmetric")


def _descended(likelihood: FloorLikelihood, floor: _Floor, start: Array, kind: Kind) -> FloorModel:
    n_learners, _, n_classes = likelihood.tables.shape
    parameters, loss = likelihood.minimum(floor, start)
    weights, offsets, free = np.split(parameters, [n_learners, n_learners + n_classes])
    return FloorModel(weights, offsets, floor.of(free), loss, kind)


def _stacked(weights: Array, offsets: Array, tables: Array) -> Array:
    n_learners, n, n_classes = tables.shape
    logits = (weights @ tables.reshape(n_learners, -1)).reshape(n, n_classes)
    logits += offsets
    logits -= logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=1, keepdims=True)
    return logits
