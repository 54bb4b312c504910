"""Leave-one-out influence of training rows on a linear model, without retraining."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.sparse import issparse

from toadstone.core.arrays import Array, Matrix
from toadstone.core.checks import check_positive
from toadstone.core.errors import InvalidArgument
from toadstone.kernels.influence.inverse_hessian import invert_hessian
from toadstone.kernels.losses import MarginLoss, SigmoidLoss

LARGEST_DENSE = 1500
"""With more features than this no Hessian is factorised, and the curvature of the row left out is neglected."""

# The dense copies of sparse rows, and the products handed out, hold about as many values.
_VALUES_AT_ONCE = 1 << 24


@dataclass(frozen=True)
class SquaredLoss:
    """Half the squared distance of a score from its label, ``(1 - m)**2 / 2``.

    Examples
    --------
    >>> SquaredLoss().value(np.array([-1.0, 1.0, 2.0]))
    array([2. , 0. , 0.5])
    """

    def value(self, margins: Array) -> Array:
        """Compute the loss at each margin, elementwise."""
        return np.asarray(0.5 * (1 - np.asarray(margins)) ** 2)

    def derivative(self, margins: Array) -> Array:
        """Compute the derivative at each margin."""
        return np.asarray(np.asarray(margins) - 1)


Measure: TypeAlias = MarginLoss | SquaredLoss | SigmoidLoss
"""What a probe may be measured by; nothing is trained with the last."""


@dataclass(frozen=True, eq=False)
class TrainedHead:
    """A linear model at the minimum of ``mean loss + ridge / 2 * norm**2``, and its training rows.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    signs : ndarray of shape (n,)
        Labels -1 or +1.
    theta : ndarray of shape (d + 1,)
        Bias last, penalised like the weights.
    loss : MarginLoss or SquaredLoss
        With a second derivative everywhere: logistic, smooth hinge or squared.
    ridge : float
        Positive.

    Raises
    ------
    InvalidArgument
        If the loss has kinks or `ridge` is not positive.
    """

    X: Matrix
    signs: Array
    theta: Array
    loss: MarginLoss | SquaredLoss
    ridge: float

    def __post_init__(self) -> None:
        if isinstance(self.loss, MarginLoss) and not self.loss.temperature > 0:
            raise InvalidArgument("loss", "one with a second derivative, such as logistic", self.loss.name)
        check_positive(ridge=self.ridge)

    def slopes(self, X: Matrix, signs: Array) -> Array:
        """Compute the derivative of each row's loss by its score, shape (n,)."""
        return np.asarray(signs * self.loss.derivative(signs * self._scores(X)))

    def pull(self, X: Matrix, signs: Array, loss: Measure | None = None) -> Array:
        """Multiply the inverse Hessian by the gradient of some rows' mean loss, or of another loss; shape (d + 1,)."""
        measure = self.loss if loss is None else loss
        slopes = signs * measure.derivative(signs * self._scores(X)) / X.shape[0]
        gradient = np.append(X.T @ slopes, slopes.sum())
        if self._factor is None:
            return invert_hessian(self.X, self._bends / len(self.signs), self.ridge).solve(gradient)
        return np.asarray(cho_solve((self._factor, True), gradient, check_finite=False))

    @cached_property
    def steps(self) -> Array:
        """Length of the model's step along the inverse Hessian times the row, when it is left out; shape (n,).

        A Newton step from the model with the row, by the formula of Sherman
        and Morrison: for the squared loss it ends at the minimum without.
        """
        # Sherman-Morrison takes the row's own curvature out of the Hessian; without a factor, leverages are zero.
        return np.asarray(self.slopes(self.X, self.signs) / (len(self.signs) - self._bends * self._leverages))

    @cached_property
    def _bends(self) -> Array:
        if isinstance(self.loss, SquaredLoss):
            return np.ones(len(self.signs))
        # The second derivative of a softplus of temperature T is s (1 - s) / T, with s its slope.
        steepness = np.abs(self.slopes(self.X, self.signs))
        return np.asarray(steepness * (1 - steepness) / self.loss.temperature)

    @cached_property
    def _factor(self) -> Array | None:
        d = self.X.shape[1]
        if d + 1 > LARGEST_DENSE:
            return None
        system = np.zeros((d + 1, d + 1))
        for part in _parts(self.X):
            rows = _with_constant(self.X[part])
            system += (rows * (self._bends[part, None] / len(self.signs))).T @ rows
        system[np.diag_indices_from(system)] += self.ridge
        return np.asarray(cho_factor(system, lower=True, check_finite=False)[0])

    @cached_property
    def _leverages(self) -> Array:
        """``row @ inverse Hessian @ row`` of each row; zero where there is no factor."""
        found = np.zeros(len(self.signs))
        if self._factor is not None:
            for part in _parts(self.X):
                half = solve_triangular(self._factor, _with_constant(self.X[part]).T, lower=True, check_finite=False)
                found[part] = np.einsum("ij,ij->j", half, half)
        return found

    def _scores(self, X: Matrix) -> Array:
        return np.asarray(X @ self.theta[:-1] + self.theta[-1])


def influence_on_mean(head: TrainedHead, X: Matrix, signs: Array) -> Array:
    """Estimate the change of the mean loss of some rows when each training row is left out.

    Parameters
    ----------
    head : TrainedHead
    X : ndarray or CSR of shape (m, d)
        Rows that the model was not trained with.
    signs : ndarray of shape (m,)

    Returns
    -------
    ndarray of shape (n,)
        To first order in the change of the model; negative for rows that do
        harm. The other rows' weights and the penalty stay as they are.

    References
    ----------
    .. [1] Koh and Liang, "Understanding black-box predictions via influence
       functions", ICML 2017, equation 2.
    .. [2] Cook and Weisberg, "Residuals and influence in regression", 1982,
       section 3.4.

    Examples
    --------
    >>> X, signs = np.array([[-1.0], [1.0], [1.2]]), np.array([-1.0, 1.0, -1.0])
    >>> head = TrainedHead(X, signs, fit_squares(X, signs, ridge=0.1), SquaredLoss(), 0.1)
    >>> influence_on_mean(head, np.array([[1.1]]), np.array([1.0])).round(2)
    array([ 0.  ,  0.87, -1.04])
    """
    return influence_along(head.pull(X, signs), head.X) * head.steps


def influence_along(pull: Array, X: Matrix) -> Array:
    """Compute the derivative of a loss along the inverse Hessian times each row.

    Parameters
    ----------
    pull : ndarray of shape (d + 1,)
        From `TrainedHead.pull`, of that loss.
    X : ndarray or CSR of shape (n, d)

    Returns
    -------
    ndarray of shape (n,)
    """
    return np.asarray(X @ pull[:-1] + pull[-1])


def influence_on_each(head: TrainedHead, X: Matrix, signs: Array) -> Iterator[tuple[slice, Array]]:
    """Estimate the change of each row's loss when each training row is left out.

    Parameters
    ----------
    head : TrainedHead
        Of at most `LARGEST_DENSE` columns.
    X : ndarray or CSR of shape (m, d)
    signs : ndarray of shape (m,)

    Yields
    ------
    slice
        Some rows of `X`.
    ndarray of shape (number of them, n)
        As of `influence_on_mean`. It is written over by the next one.

    Raises
    ------
    InvalidArgument
        If there are too many columns.
    """
    if head._factor is None:
        raise InvalidArgument("head", f"at most {LARGEST_DENSE - 1} columns", head.X.shape[1])
    n, m = len(head.signs), X.shape[0]
    height = max(1, _VALUES_AT_ONCE // n)
    table, slopes = np.empty((min(height, m), n)), head.slopes(X, signs)
    training = head.X if issparse(head.X) else np.ascontiguousarray(head.X)
    for start in range(0, m, height):
        part = slice(start, min(start + height, m))
        gradients = _with_constant(X[part]) * slopes[part, None]
        pulls = cho_solve((head._factor, True), gradients.T, check_finite=False).T
        here = table[: len(gradients)]
        if issparse(training):
            here[:] = (training @ pulls[:, :-1].T).T
        else:
            np.matmul(pulls[:, :-1], training.T, out=here)
        # The constant feature's part of the product.
        here += pulls[:, -1:]
        here *= head.steps
        yield part, here


def fit_squares(X: Matrix, signs: Array, *, ridge: float) -> Array:
    """Fit ridge regression to the labels, bias penalised; shape (d + 1,), bias last.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    signs : ndarray of shape (n,)
    ridge : float
        For each row.
    """
    blank = TrainedHead(X, signs, np.zeros(X.shape[1] + 1), SquaredLoss(), ridge)
    return -blank.pull(X, signs)


def _with_constant(X: Matrix) -> Array:
    rows = X.toarray() if issparse(X) else X
    return np.column_stack([rows, np.ones(len(rows))])


def _parts(X: Matrix) -> Iterator[slice]:
    height = max(1, _VALUES_AT_ONCE // (X.shape[1] + 1))
    for start in range(0, X.shape[0], height):
        yield slice(start, min(start + height, X.shape[0]))
