"""Pre-aggregations: mixing, clipping and bucketing of updates before a rule."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from toadstone.core.arrays import Array
from toadstone.core.checks import check_count, check_positive, check_seed
from toadstone.federated.aggregation.geometry import Geometry
from toadstone.federated.aggregation.rule import Mixture, PreAggregation
from toadstone.kernels.robust_mean.clipping import adaptive_radius, clip_scales
from toadstone.kernels.robust_mean.mixing import bucket_weights, buckets, nearest_neighbour_weights


def _each(weights: Array) -> Mixture:
    return Mixture(weights, np.arange(len(weights)))


@dataclass(frozen=True, kw_only=True)
class NearestNeighbourMixing(PreAggregation):
    """Each update becomes the mean of its n - f nearest, itself among them [1]_.

    Condition: n >= 2f + 1. With it the rules are of optimal order under
    heterogeneous clients.

    References
    ----------
    .. [1] Allouah, Farhadkhani, Guerraoui, Gupta, Pinot and Stephan, "Fixing by mixing: a recipe for optimal Byzantine
       ML under heterogeneity", AISTATS 2023, algorithm 2.

    Examples
    --------
    >>> from toadstone.federated import aggregate
    >>> aggregate(np.array([[0.0], [1.0], [2.0], [90.0]]), rule="nnm+median", malicious=1).tolist()
    [1.0]
    """

    name: ClassVar[str] = "nnm"
    paper: ClassVar[str] = "Allouah et al., AISTATS 2023"

    def _mix(self, rows: Geometry, malicious: int) -> Mixture:
        return _each(nearest_neighbour_weights(rows.squared, malicious))

    def kappa(self, clients: int, malicious: int, kappa: float | None) -> float | None:
        """Return ``8f / (n - f) (kappa + 1)`` (Allouah et al., AISTATS 2023, lemma 1)."""
        return None if kappa is None else 8.0 * malicious / (clients - malicious) * (kappa + 1.0)


@dataclass(frozen=True, kw_only=True)
class AdaptiveClipping(PreAggregation):
    """The ``floor(2 (f / n) (n - f))`` updates of largest norm are clipped to the next norm below (ARC) [1]_.

    Condition: n >= 2f + 1. Without parameters; it belongs before ``nnm``.

    References
    ----------
    .. [1] Allouah, Guerraoui, Gupta, Jellouli, Rizk and Stephan, "Adaptive gradient clipping for robust federated
       learning", ICLR 2025, algorithm 2.

    Examples
    --------
    >>> from toadstone.federated import aggregate
    >>> aggregate(np.array([[1.0], [2.0], [3.0], [90.0]]), rule="arc+median", malicious=1).tolist()
    [2.5]
    """

    name: ClassVar[str] = "arc"
    paper: ClassVar[str] = "Allouah et al., ICLR 2025"

    def _mix(self, rows: Geometry, malicious: int) -> Mixture:
        return _each(np.diag(clip_scales(rows.norms, adaptive_radius(rows.norms, malicious))))


@dataclass(frozen=True, kw_only=True)
class StaticClipping(PreAggregation):
    """Updates are clipped to a norm [1]_.

    Condition: that of the rule behind it.

    Parameters
    ----------
    radius : float, optional
        The largest norm that stays; by default the median norm of the updates,
        which lies among those of the honest as long as they are the majority.

    References
    ----------
    .. [1] Sun, Kairouz, Suresh and McMahan, "Can you really backdoor federated learning?", 2019, section 4.

    Examples
    --------
    >>> from toadstone.federated import Chain, CoordinateMedian, aggregate
    >>> aggregate(np.array([[1.0], [3.0], [90.0]]), rule="clipping+median", malicious=1).tolist()
    [3.0]
    >>> Chain((StaticClipping(radius=2.0),), CoordinateMedian())(np.array([[1.0], [3.0], [90.0]]), 1).tolist()
    [2.0]
    """

    name: ClassVar[str] = "clipping"
    paper: ClassVar[str] = "Sun et al., arXiv 1911.07963"

    radius: float | None = None

    def __post_init__(self) -> None:
        if self.radius is not None:
            check_positive(radius=self.radius)

    def _mix(self, rows: Geometry, malicious: int) -> Mixture:
        radius = float(np.median(rows.norms)) if self.radius is None else self.radius
        return _each(np.diag(clip_scales(rows.norms, radius)))


@dataclass(frozen=True, kw_only=True)
class Bucketing(PreAggregation):
    """Updates are drawn into buckets, and each bucket becomes its mean [1]_.

    Condition: that of the rule behind it, for the number of buckets: f
    malicious clients can spoil f of them.

    Parameters
    ----------
    size : int
        Updates in a bucket; the last may have fewer.
    seed : int

    References
    ----------
    .. [1] Karimireddy, He and Jaggi, "Byzantine-robust learning on heterogeneous datasets via bucketing", ICLR 2022,
       algorithm 1.

    Examples
    --------
    >>> from toadstone.federated import Chain, CoordinateMedian
    >>> chain = Chain((Bucketing(size=2),), CoordinateMedian())
    >>> chain(np.ones((6, 1)), 1).tolist()
    [1.0]
    >>> chain(np.ones((6, 1)), 2)
    Traceback (most recent call last):
    toadstone.core.errors.InvalidInput: Coordinate median needs n >= 2f + 1: got n = 3, f = 2 after bucketing of 6
    """

    name: ClassVar[str] = "bucketing"
    paper: ClassVar[str] = "Karimireddy et al., ICLR 2022"

    size: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        check_count(size=self.size)
        check_seed(self.seed)

    def outputs(self, clients: int) -> int:
        """Return the number of buckets."""
        return -(-clients // self.size)

    def _mix(self, rows: Geometry, malicious: int) -> Mixture:
        bucket = buckets(rows.count, self.size, np.random.default_rng(self.seed))
        return Mixture(bucket_weights(bucket), bucket)

    def following(self) -> PreAggregation:
        """Return the step with the next seed, for other buckets."""
        return replace(self, seed=self.seed + 1)
