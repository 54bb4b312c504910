"""Flag the small one of two clusters where a class falls apart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_samples
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from toadstone.core.arrays import Array, IntArray, Mask, Matrix
from toadstone.detectors.calibrated import Calibrated
from toadstone.kernels.statistics.principal_axes import PrincipalAxes, principal_axes
from toadstone.sanitizers.trimming import memberships

_RESTARTS = 60
_LARGEST = 2500
_NEAR = 0.125
_DESERTED = 0.5
_FAR_OUT = 3.5 / 0.6745
_COMPARED = 5
_FLOOR = 0.2


@dataclass(frozen=True, eq=False)
class Clusters:
    """Two clusters of one class.

    Parameters
    ----------
    principal : PrincipalAxes
        Where rows are compared.
    scale : ndarray of shape (k,)
        What coordinates along the axes are divided by.
    large, small : ndarray of shape (k,)
        Centres, along the axes.
    share : float
        Of the class in the small cluster; zero where all rows coincide.
    silhouette : float
        Mean silhouette of the rows.
    gate : float
        Silhouette beyond which they stand apart.
    valley : float
        How many rows lie halfway between the centres, along the line through
        them, for each row as close to the small cluster's centre.
    """

    principal: PrincipalAxes
    scale: Array
    large: Array
    small: Array
    share: float
    silhouette: float
    valley: float
    gate: float = np.inf

    def points(self, X: Matrix) -> Array:
        """Rows where they are compared, shape (n, k)."""
        return self.principal.coordinates(X) / self.scale


class ActivationClustering(Calibrated, OutlierMixin, BaseEstimator):
    """Split each class in two, and suspect a small cluster that stands apart.

    The method of Chen and others [1]_: the rows of a class along their
    leading principal axes, 2-means, and the relative size and the silhouette
    of the clusters. It is done twice, along the axes as they are and with the
    same variance on each, which to 2-means is what the independent components
    of the paper are; of two findings the one with the larger silhouette
    counts. A row's suspicion is how much closer it is to the centre
    of the small cluster than to that of the large one, as a share of the
    larger distance. The threshold is zero where the cluster is small, its
    silhouette outlying and the way between the clusters deserted, and infinite
    elsewhere: the smaller cluster of a clean class is no finding. The last
    test is ours; a lopsided but connected class passes the paper's two.

    Along the axes as they are a silhouette is outlying beyond
    `least_silhouette`. With the same variance on each it falls with the share
    of the small cluster, however far apart the two are, and any rare category
    is a cluster; there it is outlying where it exceeds 0.2 and its modified
    z-score [2]_ among those of all classes 3.5. With fewer than five classes
    to compare, the second view finds nothing.

    Parameters
    ----------
    false_alarm_rate : float, default=0.02
        Share of clean rows that may be flagged, in (0, 0.1].
    n_components : int, default=15
        Principal axes of each class; the paper has 10, too few to see one per
        cent of poison in every network that we tried.
    largest_share : float, default=0.35
        A small cluster is less than this share of its class.
    least_silhouette : float, default=0.35
        Clusters stand apart when their mean silhouette along the axes as they
        are exceeds this.
    random_state : int, RandomState or None, default=0
        Of the sixty starts of 2-means; fewer miss small clusters.

    Attributes
    ----------
    clusters_ : list of Clusters
        For each class; `share`, `silhouette` and `valley` are what is tested.
    classes_ : ndarray of shape (n_classes,)
        Sorted labels; a single 0 when fitted without labels.
    thresholds_ : ndarray of shape (n_classes,)
        On the suspicion, for each class: zero or infinite.
    offset_ : float
        Minus the threshold, where there is a single class.
    suspicion_ : ndarray of shape (n,)
        Of each training row, in [-1, 1]; larger is more suspicious.
    flagged_indices_ : ndarray of int
        Rows beyond the threshold of their class, ascending.
    reasons_ : list of str
        Why each was flagged.
    sample_indices_, removed_indices_ : ndarray of int
        Rows that `fit_resample` kept and removed, ascending.
    false_alarm_rate_, smallest_detectable_share_ : float
        As in `SpectralSignatures`.
    n_features_in_ : int
        Number of columns.

    References
    ----------
    .. [1] Chen, Carvalho, Baracaldo, Ludwig, Edwards, Lee, Molloy and
       Srivastava, "Detecting backdoor attacks on deep neural networks by
       activation clustering", SafeAI at AAAI 2019.
    .. [2] Iglewicz and Hoaglin, "How to detect and handle outliers", 1993.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(300, 4))
    >>> X[:30] += 8
    >>> ActivationClustering().fit(X).flagged_indices_.size
    30
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
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        seen = [_views(X[rows], self.n_components, seed) for rows in memberships(codes)]
        gates = self.least_silhouette, _gate([even.silhouette for _, even in seen])
        self.clusters_ = [
            max(
                (replace(found, gate=gate) for found, gate in zip(views, gates, strict=True)),
                key=lambda found: (self._apart(found), found.silhouette),
            )
            for views in seen
        ]

    def _anomaly(self, X: Matrix, code: int) -> Array:
        found = self.clusters_[code]
        points = found.points(X)
        far, near = (np.linalg.norm(points - centre, axis=1) for centre in (found.large, found.small))
        larger = np.maximum(far, near)
        return np.asarray((far - near) / np.where(larger > 0, larger, 1.0))

    def _threshold(self, code: int, scores: Array) -> float:
        return 0.0 if self._apart(self.clusters_[code]) else np.inf

    def _apart(self, found: Clusters) -> bool:
        stands = found.silhouette > found.gate and found.valley < _DESERTED
        return stands and 0 < found.share < self.largest_share


def _gate(silhouettes: list[float]) -> float:
    """What a silhouette has to exceed to be outlying among those of all classes."""
    if len(silhouettes) < _COMPARED:
        return np.inf
    middle = np.median(silhouettes)
    return max(_FLOOR, float(middle + _FAR_OUT * np.median(np.abs(np.subtract(silhouettes, middle)))))


def _views(X: Matrix, rank: int, seed: int) -> tuple[Clusters, Clusters]:
    """Along the principal axes as they are, and with the same variance on each."""
    principal = principal_axes(X, rank)
    points = principal.coordinates(X)
    as_they_are = np.ones(points.shape[1])
    if not principal.axes.any():
        alone = Clusters(principal, as_they_are, points[0], points[0], 0.0, 0.0, 1.0)
        return alone, alone
    spread = points.std(axis=0)
    even = np.where(principal.axes.any(axis=0) & (spread > 0), spread, 1.0)
    return _split(points, principal, as_they_are, seed), _split(points / even, principal, even, seed)


def _split(points: Array, principal: PrincipalAxes, scale: Array, seed: int) -> Clusters:
    fit = KMeans(2, n_init=_RESTARTS, random_state=seed).fit(points)
    counts = np.bincount(fit.labels_, minlength=2)
    small = int(np.argmin(counts))
    members = fit.labels_ == small
    large_centre, small_centre = fit.cluster_centers_[1 - small], fit.cluster_centers_[small]
    return Clusters(
        principal,
        scale,
        large_centre,
        small_centre,
        share=float(counts[small] / len(points)),
        silhouette=_silhouette(points, members, np.random.default_rng(seed)),
        valley=_valley(points, large_centre, small_centre),
    )


def _valley(points: Array, large: Array, small: Array) -> float:
    way = small - large
    along = (points - large) @ way / (way @ way)
    halfway, there = (int(np.count_nonzero(np.abs(along - place) < _NEAR)) for place in (0.5, 1.0))
    return halfway / max(there, 1)


def _silhouette(points: Array, members: Mask, rng: np.random.Generator) -> float:
    """Mean silhouette, from at most 2500 rows of each cluster."""
    parts = [np.flatnonzero(members), np.flatnonzero(~members)]
    drawn = [rows if len(rows) <= _LARGEST else rng.choice(rows, _LARGEST, replace=False) for rows in parts]
    if sum(map(len, drawn)) < 3:
        return 0.0
    values = silhouette_samples(points[np.concatenate(drawn)], np.repeat([1, 0], [len(rows) for rows in drawn]))
    means = values[: len(drawn[0])].mean(), values[len(drawn[0]) :].mean()
    return float(np.average(means, weights=[len(rows) for rows in parts]))
