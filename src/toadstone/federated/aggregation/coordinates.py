"""Rules that decide coordinate by coordinate, and the mean that they replace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from toadstone.core.arrays import Array
from toadstone.core.checks import check_count
from toadstone.core.errors import InvalidArgument
from toadstone.federated.aggregation.geometry import Geometry
from toadstone.federated.aggregation.rule import Rule, Weighed
from toadstone.kernels.robust_mean.coordinates import coordinate_median, mean_near_median, trimmed_mean


@dataclass(frozen=True, kw_only=True)
class Mean(Rule):
    """The mean of all updates, which one malicious client can put anywhere.

    Condition: f = 0. It is here as the baseline that the others replace.

    Examples
    --------
    >>> Mean()(np.array([[1.0], [2.0], [6.0]]), 0).tolist()
    [3.0]
    >>> Mean()(np.array([[1.0], [2.0], [6.0]]), 1)
    Traceback (most recent call last):
    toadstone.core.errors.InvalidInput: Mean needs n >= 1 and f = 0: got n = 3, f = 1
    """

    name: ClassVar[str] = "mean"
    paper: ClassVar[str] = "McMahan et al., AISTATS 2017"

    def _weigh(self, rows: Geometry, malicious: int) -> Weighed:
        everyone = np.ones(rows.count)
        return Weighed(vector=rows.combine(everyone) / rows.count, coefficients=everyone / rows.count)

    def kappa(self, clients: int, malicious: int) -> float | None:
        """Return 0: without malicious clients the mean is what is wanted."""
        return None if malicious else 0.0


@dataclass(frozen=True, kw_only=True)
class CoordinateMedian(Rule):
    """The median of each coordinate; of an even number of updates the mean of the two in the middle [1]_.

    Condition: n >= 2f + 1.

    References
    ----------
    .. [1] Yin, Chen, Ramchandran and Bartlett, "Byzantine-robust distributed learning: towards optimal statistical
       rates", ICML 2018, definition 1.

    Examples
    --------
    >>> CoordinateMedian()(np.array([[1.0, 5.0], [2.0, -9.0], [90.0, 6.0]]), 1).tolist()
    [2.0, 5.0]
    """

    name: ClassVar[str] = "median"
    paper: ClassVar[str] = "Yin et al., ICML 2018"

    def _weigh(self, rows: Geometry, malicious: int) -> Weighed:
        return Weighed(vector=coordinate_median(rows.rows))

    def kappa(self, clients: int, malicious: int) -> float | None:
        """Return ``4 (1 + f / (n - 2f))^2`` (Allouah et al., AISTATS 2023, table 1)."""
        return 4.0 * (1.0 + malicious / (clients - 2 * malicious)) ** 2


@dataclass(frozen=True, kw_only=True)
class TrimmedMean(Rule):
    """The mean of each coordinate without its lowest and its highest values [1]_.

    Condition: n >= 2f + 1.

    Parameters
    ----------
    trim : int, optional
        How many values are dropped at either end; f by default, and not fewer.

    References
    ----------
    .. [1] Yin, Chen, Ramchandran and Bartlett, "Byzantine-robust distributed learning: towards optimal statistical
       rates", ICML 2018, definition 2.

    Examples
    --------
    >>> TrimmedMean()(np.array([[1.0], [2.0], [3.0], [1e30]]), 1).tolist()
    [2.5]
    """

    name: ClassVar[str] = "trimmed-mean"
    paper: ClassVar[str] = "Yin et al., ICML 2018"

    trim: int | None = None

    def __post_init__(self) -> None:
        if self.trim is not None:
            check_count(0, trim=self.trim)

    def withstands(self, clients: int, malicious: int) -> bool:
        """Return True if so many clients are enough for so many malicious ones, and for the trim."""
        trim = malicious if self.trim is None else self.trim
        return malicious <= trim <= (clients - 1) // 2

    def _weigh(self, rows: Geometry, malicious: int) -> Weighed:
        trim = malicious if self.trim is None else self.trim
        if not malicious <= trim <= (rows.count - 1) // 2:
            expected = (
                f"a number from f = {malicious} to {(rows.count - 1) // 2}, below half of the {rows.count} updates"
            )
            raise InvalidArgument("trim", expected, trim)
        return Weighed(vector=trimmed_mean(rows.rows, trim))

    def kappa(self, clients: int, malicious: int) -> float | None:
        """Return ``6f / (n - 2f) (1 + f / (n - 2f))`` (Allouah et al., AISTATS 2023, table 1), for a trim of f."""
        if self.trim not in (None, malicious):
            return None
        share = malicious / (clients - 2 * malicious)
        return 6.0 * share * (1.0 + share)


@dataclass(frozen=True, kw_only=True)
class MeaMed(Rule):
    """The mean of the n - f values of each coordinate that are nearest to its median [1]_.

    Condition: n >= 2f + 1.

    References
    ----------
    .. [1] Xie, Koyejo and Gupta, "Generalized Byzantine-tolerant SGD", 2018, section 4 (mean around median).

    Examples
    --------
    >>> MeaMed()(np.array([[1.0], [2.0], [4.0], [90.0]]), 1).round(6).tolist()
    [2.333333]
    """

    name: ClassVar[str] = "meamed"
    paper: ClassVar[str] = "Xie et al., arXiv 1802.10116"

    def _weigh(self, rows: Geometry, malicious: int) -> Weighed:
        vector: Array = mean_near_median(rows.rows, rows.count - malicious)
        return Weighed(vector=vector)
