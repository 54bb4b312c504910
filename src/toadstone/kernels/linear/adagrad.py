"""AdaGrad: steps that shorten where gradients have been large."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from toadstone.core.arrays import Array
from toadstone.core.checks import check_positive


@dataclass(eq=False)
class AdaGrad:
    """Gradient steps divided by the root of the sum of squared gradients.

    Parameters
    ----------
    step : float
        Length of a coordinate's first step, where its gradient is large.
    accumulator : float
        What each sum of squares starts from. The smaller, the longer the
        first steps of coordinates with small gradients.

    Raises
    ------
    InvalidArgument
        If one of them is not positive.

    References
    ----------
    .. [1] Duchi, Hazan and Singer, "Adaptive subgradient methods for online
       learning and stochastic optimization", JMLR 12, 2011.

    Examples
    --------
    >>> theta, descent = np.zeros(2), AdaGrad(step=0.5, accumulator=7.0)
    >>> descent.move(theta, np.array([3.0, 0.0]))
    >>> theta
    array([-0.375,  0.   ])
    """

    step: float
    accumulator: float
    _sums: Array | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        check_positive(step=self.step, accumulator=self.accumulator)

    def move(self, theta: Array, gradient: Array) -> None:
        """Take one step against a gradient, changing `theta` in place."""
        if self._sums is None:
            self._sums = np.full(theta.shape, self.accumulator)
        self._sums += gradient**2
        theta -= self.step * gradient / np.sqrt(self._sums)
