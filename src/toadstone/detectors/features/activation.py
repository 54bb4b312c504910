"""Activation clustering: flag the smaller of two well separated clusters of a class."""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.metrics import silhouette_samples
from sklearn.utils._param_validation import Interval

from toadstone.core.arrays import Array, IntArray, Labels, Mask, Matrix
from toadstone.detectors.calibrated import Calibrated
from toadstone.detectors.features.foreign_groups import is_foreign
from toadstone.kernels.statistics.principal_axes import PrincipalAxes, principal_axes
from toadstone.kernels.statistics.two_means import two_means
from toadstone.sanitizers.labelled import memberships
from toadstone.sanitizers.scored import ClassScorer, draw_seed

_STARTS, _STARTS_PER_ROW, _STARTED_ON = 600, 3, 4096
_LARGEST = 1000
_WINDOW = 0.125
_LARGEST_VALLEY = 0.5
_MODIFIED_Z_SCORE = 3.5 / 0.6745
_FEWEST_COMPARED = 5
_LEAST_OUTLYING = 0.2


@dataclass(frozen=True, eq=False)
class Clusters:
    """Two clusters of one class.

    Parameters
    ----------
    principal : PrincipalAxes
        Axes along which rows are compared.
    scale : ndarray of shape (k,)
        Divisors of the coordinates along the axes.
    large, small : ndarray of shape (k,)
        Centres of the clusters, along the axes.
    share : float
        Share of the class in the small cluster; zero where all rows coincide.
    silhouette : float
        Mean silhouette of the rows.
    valley : float
        Number of rows halfway between the centres, along the line through
        them, for each row as close to the small cluster's centre.
    least_silhouette : float
        Silhouette beyond which the clusters are well separated.
    """

    principal: PrincipalAxes
    scale: Array
    large: Array
    small: Array
    share: float
    silhouette: float
    valley: float
    least_silhouette: float = np.inf

    def points(self, X: Matrix) -> Array:
        """Return the scaled coordinates of rows, shape (n, k)."""
        return self.principal.coordinates(X) / self.scale


class ActivationClustering(Calibrated, ClassScorer, OutlierMixin, BaseEstimator):
    """Split each class in two clusters, and flag a small cluster that is well separated.

    The method of Chen and others [1]_: project the rows of a class on their
    leading principal axes, run 2-means, and test the relative size and the
    silhouette of the clusters. This is done with the coordinates as they are,
    and with the same variance on each axis, which for 2-means is equivalent to
    the independent components of the paper; of two findings the one with the
    larger silhouette counts. A row's suspicion is the difference of its
    distances to the centres of the large and of the small cluster, as a share
    of the larger distance. The threshold of a class is zero if its small
    cluster is small enough, its silhouette large enough and few rows lie
    between the clusters, and infinite otherwise: the smaller cluster of a
    clean class is not flagged. The paper has the first two tests only, which
    a class with one long tail passes.

    With the coordinates as they are the silhouette has to exceed
    `least_silhouette`. With equal variances it falls with the share of the
    small cluster, however far apart the two are, and any rare category is a
    cluster; there it has to exceed 0.2, and its modified z-score [2]_ among
    those of all classes 3.5. With fewer than five classes the second view
    finds nothing. Attributes that all detectors have are those of
    `Calibrated`.

    Parameters
    ----------
    false_alarm_rate : float, default=0.02
        Share of clean rows that may be flagged, in (0, 0.1].
    n_components : int, default=15
        Principal axes of each class. The paper has 10, too few for one per
        cent of poison in some networks.
    largest_share : float, default=0.35
        Share of its class that a flagged cluster stays below.
    least_silhouette : float, default=0.35
        Mean silhouette that well separated clusters exceed, with the
        coordinates as they are.
    random_state : int, RandomState or None, default=0
        Seed of the starts of 2-means: 600, or three a row in small classes;
        fewer miss small clusters or parts of them. In classes of more than
        4096 rows they compete on a sample of so many, and the best is
        continued on all rows.

    Attributes
    ----------
    clusters_ : list of Clusters
        For each class; `share`, `silhouette` and `valley` are tested.
    thresholds_ : ndarray of shape (n_classes,)
        Zero or infinite, or from trusted rows.
    suspicion_ : ndarray of shape (n,)
        Of each training row, in [-1, 1].

    References
    ----------
    .. [1] Chen, Carvalho, Baracaldo, Ludwig, Edwards, Lee, Molloy and
       Srivastava, "Detecting backdoor attacks on deep neural networks by
       activation clustering", SafeAI at AAAI 2019.
    .. [2] Iglewicz and Hoaglin, "How to detect and handle outliers", 1993.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(300, 4))
    >>> X[:6] += 8
    >>> ActivationClustering().fit(X).flagged_indices_.size
    6
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Calibrated._parameter_constraints,
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "largest_share": [Interval(Real, 0, 0.5, closed="right")],
        "least_silhouette": [Interval(Real, 0, 1, closed="both")],
        "random_state": ["random_state"],
    }
    _measure: ClassVar[str] = "nearness to the small cluster"

    def __init__(
        self,
        *,
        false_alarm_rate: float = 0.02,
        n_components: int = 15,
        largest_share: float = 0.35,
        least_silhouette: float = 0.35,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.false_alarm_rate = false_alarm_rate
        self.n_components = n_components
        self.largest_share = largest_share
        self.least_silhouette = least_silhouette
        self.random_state = random_state

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        seed = draw_seed(self.random_state)
        views = [_views(X[rows], self.n_components, seed) for rows in memberships(codes)]
        outlying = [_outlying_silhouette([found.silhouette for found in view]) for view in zip(*views, strict=True)]
        limits = self.least_silhouette, outlying[1]
        self.clusters_ = [
            max(
                (replace(found, least_silhouette=limit) for found, limit in zip(pair, limits, strict=True)),
                key=lambda found: (self._is_separated(found), found.silhouette),
            )
            for pair in views
        ]
        self._stand_out = [found.silhouette > outlying[found.least_silhouette == limits[1]] for found in self.clusters_]

    def _suspicion(self, X: Matrix, code: int) -> Array:
        found = self.clusters_[code]
        points = found.points(X)
        far, near = (np.linalg.norm(points - centre, axis=1) for centre in (found.large, found.small))
        larger = np.maximum(far, near)
        return np.asarray((far - near) / np.where(larger > 0, larger, 1.0))

    def _own_threshold(self, code: int, members: Mask) -> float:
        return 0.0 if self._is_separated(self.clusters_[code]) else np.inf

    def _accounts_for(self, X: Matrix, code: int, beyond: Mask) -> bool:
        members = self._codes == code
        return self._stand_out[code] or is_foreign(X, members, beyond & members)

    def _least_thresholds(self, X: Matrix) -> Array:
        least = super()._least_thresholds(X)
        natural = np.isfinite(least)
        if natural.any():
            self._misfit = _natural(self.classes_[natural])
        return np.where(natural, np.inf, least)

    def _is_separated(self, found: Clusters) -> bool:
        apart = found.silhouette > found.least_silhouette and found.valley < _LARGEST_VALLEY
        return apart and found.share < self.largest_share


def _natural(labels: Labels) -> str:
    named = f"class {labels[0]}" + (f" and {len(labels) - 1} others" if len(labels) > 1 else "")
    return (
        f"this model does not fit these data: the clusters of {named} are larger than the false-alarm rate allows, and "
        "nothing tells them from natural ones"
    )


def _outlying_silhouette(silhouettes: list[float]) -> float:
    """Return the silhouette beyond which a class is an outlier among all classes."""
    if len(silhouettes) < _FEWEST_COMPARED:
        return np.inf
    median = np.median(silhouettes)
    deviation = np.median(np.abs(np.subtract(silhouettes, median)))
    # Without a least value, the largest of nearly equal silhouettes would be an outlier.
    return max(_LEAST_OUTLYING, float(median + _MODIFIED_Z_SCORE * deviation))


def _views(X: Matrix, rank: int, seed: int) -> tuple[Clusters, Clusters]:
    """Cluster rows along their principal axes, as they are and with the same variance on each axis."""
    principal = principal_axes(X, rank)
    points = principal.coordinates(X)
    as_they_are = np.ones(points.shape[1])
    if not principal.axes.any():
        # All rows coincide, and 2-means has nothing to split.
        one = Clusters(principal, as_they_are, points[0], points[0], 0.0, 0.0, 1.0)
        return one, one
    spread = points.std(axis=0)
    even = np.where(principal.axes.any(axis=0) & (spread > 0), spread, 1.0)
    return _split(points, principal, as_they_are, seed), _split(points / even, principal, even, seed)


def _split(points: Array, principal: PrincipalAxes, scale: Array, seed: int) -> Clusters:
    starts = min(_STARTS, _STARTS_PER_ROW * len(points))
    found = two_means(points, starts=starts, most_rows=_STARTED_ON, rng=np.random.default_rng(seed))
    count = np.count_nonzero(found.second)
    small = int(2 * count <= len(points))
    members = found.second == bool(small)
    large_centre, small_centre = found.centres[1 - small], found.centres[small]
    return Clusters(
        principal,
        scale,
        large_centre,
        small_centre,
        share=float(np.count_nonzero(members) / len(points)),
        silhouette=_silhouette(points, members, np.random.default_rng(seed)),
        valley=_valley(points, large_centre, small_centre),
    )


def _valley(points: Array, large: Array, small: Array) -> float:
    line = small - large
    along = (points - large) @ line / (line @ line)
    halfway, at_small = (int(np.count_nonzero(np.abs(along - place) < _WINDOW)) for place in (0.5, 1.0))
    return halfway / max(at_small, 1)


def _silhouette(points: Array, members: Mask, rng: np.random.Generator) -> float:
    """Return the mean silhouette, estimated from at most 1000 rows of each cluster."""
    parts = [np.flatnonzero(members), np.flatnonzero(~members)]
    drawn = [rows if len(rows) <= _LARGEST else rng.choice(rows, _LARGEST, replace=False) for rows in parts]
    if sum(map(len, drawn)) < 3:
        return 0.0
    values = silhouette_samples(points[np.concatenate(drawn)], np.repeat([1, 0], [len(rows) for rows in drawn]))
    # Each cluster weighs by all its rows: the sample has too many of the small cluster.
    means = values[: len(drawn[0])].mean(), values[len(drawn[0]) :].mean()
    return float(np.average(means, weights=[len(rows) for rows in parts]))
