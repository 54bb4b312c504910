"""Losses of a classifier's margins, with their gradients.

A margin loss here is one of two shapes, each with a known conjugate, so that
one dual solver serves all of them:

* ``max over a in [0, cap] of a (shift - m) - curvature a**2 / 2``
  (hinge; squared hinge), or
* ``temperature * log(1 + exp((shift - m) / temperature))``
  (smooth hinge of Koh, Steinhardt and Liang 2022; logistic).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, xlogy

from toadstone.core.arrays import Array, IntArray
from toadstone.core.checks import check_positive
from toadstone.core.errors import UnknownName


@dataclass(frozen=True)
class MarginLoss:
    """A convex loss that decreases with the margin ``y * (w @ x + b)``.

    Parameters
    ----------
    name : str
    shift : float
        Margin from which a row counts as fitted.
    temperature : float
        Softness of a softplus; zero for the piecewise shapes.
    curvature : float
        Of the conjugate, in the piecewise shapes.
    cap : float
        Steepest slope; may be infinite.

    Examples
    --------
    >>> HINGE.value(np.array([-1.0, 0.5, 2.0]))
    array([2. , 0.5, 0. ])
    """

    name: str
    shift: float
    temperature: float = 0.0
    curvature: float = 0.0
    cap: float = 1.0

    @property
    def coefficients(self) -> tuple[float, float, float, float]:
        """Shift, temperature, curvature and cap, the form that compiled loops read."""
        return self.shift, self.temperature, self.curvature, self.cap

    def value(self, margins: Array) -> Array:
        """Compute the loss at each margin, elementwise."""
        short = self.shift - np.asarray(margins)
        if self.temperature > 0:
            # logaddexp neither overflows for rows far inside nor loses the tail of those far outside.
            return np.asarray(self.temperature * np.logaddexp(0.0, short / self.temperature))
        slope = self._slope(short)
        # Adding zero turns the -0.0 of a fitted row into 0.0.
        return np.asarray(slope * short - 0.5 * self.curvature * slope**2 + 0.0)

    def derivative(self, margins: Array) -> Array:
        """Compute a derivative at each margin, never positive; zero at a hinge's kink."""
        short = self.shift - np.asarray(margins)
        if self.temperature > 0:
            return -np.asarray(expit(short / self.temperature))
        return -self._slope(short)

    def conjugate_gain(self, duals: Array) -> Array:
        """Compute the dual objective ``-conjugate(-a)`` of each dual variable a in [0, cap]."""
        a = np.asarray(duals)
        if self.temperature > 0:
            # xlogy is 0 at a = 0 and at a = 1, where the entropy's limit is.
            entropy = -xlogy(a, a) - xlogy(1 - a, 1 - a)
            return np.asarray(self.shift * a + self.temperature * entropy)
        return np.asarray(self.shift * a - 0.5 * self.curvature * a**2)

    def _slope(self, short: Array) -> Array:
        if self.curvature > 0:
            return np.asarray(np.clip(short / self.curvature, 0.0, self.cap))
        return np.where(short > 0, self.cap, 0.0)


@dataclass(frozen=True)
class SigmoidLoss:
    """A smooth error rate: ``1 / (1 + exp(margin / width))``.

    It is not convex, so nothing is trained with it; an attacker may raise it.

    Parameters
    ----------
    width : float
        Margins within a few widths of zero count in part.

    Examples
    --------
    >>> SigmoidLoss(0.1).value(np.array([-9.0, 0.0, 9.0])).round(6)
    array([1. , 0.5, 0. ])
    """

    width: float

    def value(self, margins: Array) -> Array:
        """Compute the loss at each margin, elementwise."""
        return np.asarray(expit(-np.asarray(margins) / self.width))

    def derivative(self, margins: Array) -> Array:
        """Compute the derivative at each margin, never positive."""
        wrong = self.value(margins)
        return np.asarray(-wrong * (1 - wrong) / self.width)


HINGE = MarginLoss("hinge", shift=1.0)
SQUARED_HINGE = MarginLoss("squared_hinge", shift=1.0, curvature=0.5, cap=np.inf)
LOGISTIC = MarginLoss("logistic", shift=0.0, temperature=1.0)


def smooth_hinge(temperature: float = 0.001) -> MarginLoss:
    """Return the hinge smoothed by a softplus, which bounds it from above.

    Parameters
    ----------
    temperature : float
        Positive; the excess over the hinge is at most ``temperature * log 2``.

    Raises
    ------
    InvalidArgument
        If `temperature` is not positive.
    """
    check_positive(temperature=temperature)
    return MarginLoss("smooth_hinge", shift=1.0, temperature=temperature)


MARGIN_LOSSES: dict[str, MarginLoss] = {loss.name: loss for loss in (HINGE, smooth_hinge(), SQUARED_HINGE, LOGISTIC)}


def margin_loss(name: str) -> MarginLoss:
    """Look a margin loss up by name.

    Raises
    ------
    UnknownName
        If there is none.
    """
    if name not in MARGIN_LOSSES:
        raise UnknownName(f"`loss`: expected one of {', '.join(MARGIN_LOSSES)}, got {name}")
    return MARGIN_LOSSES[name]


def crammer_singer(scores: Array, labels: IntArray) -> tuple[Array, Array]:
    """Compute the multi-class hinge of Crammer and Singer, and a subgradient.

    Parameters
    ----------
    scores : ndarray of shape (n, k)
        One score a class.
    labels : ndarray of shape (n,)
        Index of the right class.

    Returns
    -------
    losses : ndarray of shape (n,)
        ``max(0, 1 + best wrong score - right score)``.
    gradient : ndarray of shape (n, k)
        Subgradient of each row's loss with respect to its scores; the lowest
        wrong class on a tie.
    """
    rows = np.arange(len(labels))
    rivals = scores.copy()
    rivals[rows, labels] = -np.inf
    rival = rivals.argmax(axis=1)
    losses = np.maximum(0.0, 1 + (scores[rows, rival] - scores[rows, labels]))
    gradient = np.zeros_like(scores)
    gradient[rows, rival] = losses > 0
    gradient[rows, labels] = -(losses > 0).astype(float)
    return losses, gradient
