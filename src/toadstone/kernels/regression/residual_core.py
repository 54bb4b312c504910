"""The density of residuals: Student's t with its own scale and tail on each side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, stdtr

from toadstone.core.arrays import Array, Mask

PARAMETERS = 6
"""Centre, logarithms of the two scales and of the two tails, and how far the scale follows the local one."""


@dataclass(frozen=True)
class ResidualCore:
    """The density of the residuals of right targets.

    With ``z = residual / local ** follows - centre`` it is proportional to
    ``(1 + (z / scale) ** 2 / tail) ** (-(tail + 1) / 2)``, with the scale and
    the tail of the side of z, and continuous at its mode.

    Parameters
    ----------
    centre : float
    scales, tails : tuple of float
        Below and above the mode: scales, and degrees of freedom.
    follows : float
        From 0, one scale for all rows, to 1, the local scale of each row.

    Examples
    --------
    >>> core = ResidualCore(0.0, (1.0, 1.0), (1.0, 1.0), 0.0)
    >>> np.exp(core.log_density(np.array([0.0, 1.0]), np.zeros(2))).round(4)
    array([0.3183, 0.1592])
    """

    centre: float
    scales: tuple[float, float]
    tails: tuple[float, float]
    follows: float

    @classmethod
    def of(cls, parameters: Array) -> ResidualCore:
        """Build a core from its `PARAMETERS` numbers, in the order of the fields."""
        low, high, light, heavy = np.exp(parameters[1:5]).tolist()
        return cls(float(parameters[0]), (low, high), (light, heavy), float(parameters[5]))

    def log_density(self, residual: Array, log_local: Array) -> Array:
        """Return the log density of each residual, given the logarithm of its local scale; shape (n,)."""
        z, above = self._standard(residual, log_local)
        scale, tail = np.where(above, self.scales[1], self.scales[0]), np.where(above, self.tails[1], self.tails[0])
        return np.asarray(
            -0.5 * (tail + 1) * np.log1p((z / scale) ** 2 / tail) - np.log(self._area()) - self.follows * log_local
        )

    def log_reach(self, residual: Array, log_local: Array, *, upper: bool) -> Array:
        """Return the log probability of a residual at least as large, or as small where not `upper`; shape (n,)."""
        z, above = self._standard(residual, log_local)
        parts = [scale * _constant(tail) for scale, tail in zip(self.scales, self.tails, strict=True)]
        below, beyond = (part / sum(parts) for part in parts)
        # Each half of the density is half a Student's t, stretched to its share of the whole.
        lower_side = 2 * below * stdtr(self.tails[0], np.minimum(z, 0) / self.scales[0])
        upper_side = 2 * beyond * stdtr(self.tails[1], -np.maximum(z, 0) / self.scales[1])
        reach = np.where(above, upper_side, 1 - lower_side) if upper else np.where(above, 1 - upper_side, lower_side)
        return np.asarray(np.log(np.maximum(reach, np.finfo(float).tiny)))

    def _standard(self, residual: Array, log_local: Array) -> tuple[Array, Mask]:
        z = residual * np.exp(-self.follows * log_local) - self.centre
        return z, z > 0

    def _area(self) -> float:
        low, high = (scale * _constant(tail) for scale, tail in zip(self.scales, self.tails, strict=True))
        return 0.5 * (low + high)


def _constant(tail: float) -> float:
    """Return the integral of ``(1 + u ** 2 / tail) ** (-(tail + 1) / 2)``."""
    return float(np.exp(0.5 * np.log(tail * np.pi) + gammaln(tail / 2) - gammaln((tail + 1) / 2)))
