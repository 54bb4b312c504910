"""Rules that weigh all updates by their distances or norms."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from toadstone.core.arrays import Array
from toadstone.core.checks import check_count, check_not_negative, check_positive, check_within
from toadstone.core.errors import InvalidData
from toadstone.federated.aggregation.geometry import Geometry
from toadstone.federated.aggregation.rule import Rule, Weighed
from toadstone.kernels.robust_mean.clipping import clip_scales, norm_deviations
from toadstone.kernels.robust_mean.geometric_median import geometric_median_weights


@dataclass(frozen=True, kw_only=True)
class GeometricMedian(Rule):
    """The point with the least sum of distances to the updates, to a tolerance that is proved [1]_.

    Condition: n >= 2f + 1. Weiszfeld's steps run among mixtures of the
    updates, so that the coordinates are read once for all of them. What is
    proved holds for the mixture, which the vector is but for rounding.

    Parameters
    ----------
    tolerance : float
        How much larger than the least the sum may be, as a share of the
        distances of the n - f nearest updates. The evidence says what was
        proved.

    References
    ----------
    .. [1] Pillutla, Kakade and Harchaoui, "Robust aggregation for federated learning", IEEE TSP 2022 (RFA).

    Examples
    --------
    >>> GeometricMedian()(np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0], [4.0, 4.0]]), 1).round(5).tolist()
    [2.0, 2.0]
    """

    name: ClassVar[str] = "geometric-median"
    paper: ClassVar[str] = "Pillutla et al., IEEE TSP 2022"

    tolerance: float = 1e-6

    def __post_init__(self) -> None:
        check_within("(0, 1)", tolerance=self.tolerance)

    def _weigh(self, rows: Geometry, malicious: int) -> Weighed:
        found = geometric_median_weights(
            np.sqrt(rows.squared), *rows.central, tolerance=self.tolerance, nearest=rows.count - malicious
        )
        return Weighed(vector=rows.combine(found.weights), coefficients=found.weights, tolerance=found.tolerance)

    def kappa(self, clients: int, malicious: int) -> float | None:
        """Return ``4 (1 + f / (n - 2f))^2`` (Allouah et al., AISTATS 2023, table 1)."""
        return 4.0 * (1.0 + malicious / (clients - 2 * malicious)) ** 2


@dataclass(frozen=True, eq=False, kw_only=True)
class CentredClipping(Rule):
    """The centre plus the mean of the differences from it, each clipped to a radius [1]_.

    Condition: n >= 2f + 1. The centre is the last round's aggregate, and the
    server's model at first (updates are differences from it, so that is zero);
    the rule of the next round is `Aggregation.next_rule`. Clients should send
    momenta, as in the paper.

    Parameters
    ----------
    radius : float, optional
        The median distance from the centre by default.
    steps : int
        How often the centre moves in a round.
    centre : ndarray of float64, shape (d,), optional
        Zero by default.

    References
    ----------
    .. [1] Karimireddy, He and Jaggi, "Learning from history for Byzantine robust optimization", ICML 2021, algorithm 2.

    Examples
    --------
    >>> rule = CentredClipping(radius=2.0)
    >>> rule(np.array([[1.0], [2.0], [90.0]]), 1).round(6).tolist()
    [1.666667]
    """

    name: ClassVar[str] = "centred-clipping"
    paper: ClassVar[str] = "Karimireddy et al., ICML 2021"

    radius: float | None = None
    steps: int = 1
    centre: Array | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        check_count(steps=self.steps)
        if self.radius is not None:
            check_positive(radius=self.radius)

    def _weigh(self, rows: Geometry, malicious: int) -> Weighed:
        length = rows.rows.shape[1]
        vector = np.zeros(length) if self.centre is None else np.asarray(self.centre, dtype=np.float64)
        if vector.shape != (length,):
            raise InvalidData(f"`centre`: expected shape ({length},), as the updates, got {vector.shape}")
        if not np.isfinite(vector).all():
            raise InvalidData("`centre`: expected finite numbers, got nan or infinity")
        shares, radius = np.zeros(rows.count), self.radius
        for _ in range(self.steps):
            away = rows.distances_to(vector)
            radius = float(np.median(away)) if radius is None else radius
            scales = clip_scales(away, radius)
            rest = 1.0 - float(scales.sum()) / rows.count
            vector = rows.combine(scales) / rows.count + rest * vector
            shares = scales / rows.count + rest * shares
        return Weighed(
            vector=vector,
            coefficients=shares,
            suspicion=away,
            measure="distance from the centre",
            threshold=radius,
            filtered=np.zeros(rows.count, dtype=bool),
        )

    def following(self, vector: Array) -> Rule:
        """Return the rule with this aggregate as its centre."""
        return replace(self, centre=vector)


@dataclass(frozen=True, kw_only=True)
class NormFilter(Rule):
    """The mean of the updates whose norm is near the median norm, by the median absolute deviation.

    Condition: n >= 2f + 1. It bounds how far a malicious client can pull but
    is blind to directions: a sign flip has the same norm.

    Parameters
    ----------
    deviations : float
        Standard deviations allowed, each 1.4826 median absolute deviations.
    floor : float
        Least median absolute deviation, as a share of the median norm: clients
        that all clip to one norm have a deviation of zero.

    Examples
    --------
    >>> NormFilter()(np.array([[1.0], [2.0], [3.0], [90.0]]), 1).tolist()
    [2.0]
    """

    name: ClassVar[str] = "norm-filter"
    paper: ClassVar[str] = "Hampel, JASA 1974 (median and MAD)"

    deviations: float = 3.0
    floor: float = 1e-3

    def __post_init__(self) -> None:
        # Below 0.6745 deviations the filter could drop every update.
        check_positive(deviations=self.deviations)
        check_not_negative(floor=self.floor)

    def _weigh(self, rows: Geometry, malicious: int) -> Weighed:
        distances, allowed = norm_deviations(rows.norms, deviations=self.deviations, floor=self.floor)
        kept = distances <= max(allowed, float(distances.min()))
        return Weighed(
            vector=rows.combine(kept.astype(np.float64)) / kept.sum(),
            coefficients=kept / kept.sum(),
            suspicion=distances,
            measure="difference of its norm from the median norm",
            threshold=allowed,
        )
