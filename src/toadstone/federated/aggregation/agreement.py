"""Rules that look at directions: agreement with a trusted update, principal directions, clusters of angles."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from toadstone.core.arrays import Array
from toadstone.core.checks import check_count, check_not_negative, check_positive, check_seed
from toadstone.core.errors import InvalidData, InvalidInput
from toadstone.federated.aggregation.geometry import Geometry
from toadstone.federated.aggregation.rule import Rule, Weighed
from toadstone.kernels.robust_mean.clipping import clip_scales
from toadstone.kernels.robust_mean.directions import (
    cosine_distances,
    first_projections,
    majority_cluster,
    trusted_weights,
)


@dataclass(frozen=True, eq=False, kw_only=True)
class FLTrust(Rule):
    """The mean of the updates, each weighed by its agreement with the update of the server's own trusted rows [1]_.

    Condition: any f, with a trusted root set of the server (the paper takes
    100 rows). A client's rows are no root set: whoever chooses it chooses the
    aggregate. If no update agrees, nothing is aggregated, and the evidence
    says so.

    Parameters
    ----------
    root : ndarray of float64, shape (d,)
        The update that the trusted rows give in this round.

    References
    ----------
    .. [1] Cao, Fang, Liu and Gong, "FLTrust: Byzantine-robust federated learning via trust bootstrapping", NDSS 2021.

    Examples
    --------
    >>> FLTrust(root=np.array([1.0, 0.0]))(np.array([[2.0, 0.0], [0.0, 9.0], [-8.0, 0.0]]), 2).tolist()
    [1.0, 0.0]
    """

    name: ClassVar[str] = "fltrust"
    paper: ClassVar[str] = "Cao et al., NDSS 2021"

    root: Array | None = field(default=None, repr=False)

    def _weigh(self, rows: Geometry, malicious: int) -> Weighed:
        length = rows.rows.shape[1]
        if self.root is None:
            raise InvalidInput("FLTrust needs the update of a trusted root set: FLTrust(root=...), got none")
        root = np.asarray(self.root, dtype=np.float64)
        if root.shape != (length,):
            raise InvalidData(f"`root`: expected shape ({length},), as the updates, got {root.shape}")
        # The norm is taken apart from a squaring that could overflow or lose what is small.
        largest = float(np.abs(root).max())
        if not np.isfinite(largest):
            raise InvalidData("`root`: expected finite numbers, got nan or infinity")
        norm = largest * float(np.linalg.norm(root / largest)) if largest else 0.0
        coefficients, cosines = trusted_weights(rows.inner_with(root), rows.norms, norm)
        nothing = ""
        if not coefficients.any():
            nothing = "FLTrust aggregated nothing: no update agrees in direction with that of the trusted root set"
        return Weighed(
            vector=rows.combine(coefficients),
            coefficients=coefficients,
            suspicion=-cosines,
            measure="negative cosine with the trusted update",
            threshold=0.0,
            nothing=nothing,
        )


@dataclass(frozen=True, kw_only=True)
class DivideAndConquer(Rule):
    """The mean of the updates that stick out along no first principal direction of randomly drawn coordinates [1]_.

    Condition: n >= 2f + 1. In each draw the ``removed * f`` updates with the
    largest squared projections are dropped; those that no draw drops count.
    One direction is looked at in a draw. Malicious updates in several
    directions, or of very different sizes, can hide behind one another, and
    against those the aggregate has no bound: take several draws, or put
    ``arc`` before it. Keep the seed from the clients: who knows which
    coordinates are drawn keeps out of them.

    Parameters
    ----------
    draws : int
    coordinates : int
        How many are drawn, without replacement; all if there are fewer.
    removed : float
        Updates dropped in a draw, as a multiple of f.
    seed : int
        A secret of the server.

    References
    ----------
    .. [1] Shejwalkar and Houmansadr, "Manipulating the Byzantine: optimizing model poisoning attacks and defenses for
       federated learning", NDSS 2021, algorithm 2.

    Examples
    --------
    >>> DivideAndConquer()(np.array([[1.0, 0.0], [2.0, 0.1], [3.0, 0.2], [90.0, 0.1]]), 1).round(6).tolist()
    [2.0, 0.1]
    """

    name: ClassVar[str] = "dnc"
    paper: ClassVar[str] = "Shejwalkar and Houmansadr, NDSS 2021"

    draws: int = 1
    coordinates: int = 10_000
    removed: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_count(draws=self.draws, coordinates=self.coordinates)
        check_positive(removed=self.removed)
        check_seed(self.seed)

    def _weigh(self, rows: Geometry, malicious: int) -> Weighed:
        rng = np.random.default_rng(self.seed)
        length, drop = rows.rows.shape[1], min(int(self.removed * malicious), rows.count)
        kept, worst = np.ones(rows.count, dtype=bool), np.zeros(rows.count)
        for _ in range(self.draws):
            if self.coordinates < length:
                columns = np.sort(rng.choice(length, self.coordinates, replace=False))
                squared = rows.squared_along(columns)
            else:
                squared = rows.squared
            projections = first_projections(squared)
            total = float(projections.sum())
            worst = np.maximum(worst, projections / total if total else 0.0)
            kept[np.argsort(projections, kind="stable")[rows.count - drop :]] = False
        nothing = "" if kept.any() else f"DnC aggregated nothing: each update was dropped in one of {self.draws} draws"
        count = max(int(kept.sum()), 1)
        return Weighed(
            vector=rows.combine(kept.astype(np.float64)) / count,
            coefficients=kept / count,
            suspicion=worst,
            measure="largest share of the variance along a first principal direction",
            nothing=nothing,
        )

    def following(self, vector: Array) -> Rule:
        """Return the rule with the next seed, for other coordinates."""
        return replace(self, seed=self.seed + 1)


@dataclass(frozen=True, kw_only=True)
class FLAME(Rule):
    """The mean of the updates in the majority's cluster of angles, clipped to the median norm, and noise [1]_.

    Condition: n >= 2f + 1. HDBSCAN on cosine distances, with clusters of at
    least ``floor(n / 2) + 1``. If there is no such cluster, nothing is
    aggregated, and the evidence says so. The noise is a part of the method
    against backdoors, not an account of privacy.

    Parameters
    ----------
    noise : float
        Standard deviation of the noise, as a share of the median norm.
    seed : int

    References
    ----------
    .. [1] Nguyen et al., "FLAME: taming backdoors in federated learning", USENIX Security 2022, algorithm 1.

    Examples
    --------
    >>> updates = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0], [2.0, 2.0], [-9.0, 0.0]])
    >>> FLAME(noise=0.0)(updates, 1).round(2).tolist()
    [1.75, 1.75]
    """

    name: ClassVar[str] = "flame"
    paper: ClassVar[str] = "Nguyen et al., USENIX Security 2022"

    noise: float = 1e-3
    seed: int = 0

    def __post_init__(self) -> None:
        check_not_negative(noise=self.noise)
        check_seed(self.seed)

    def _weigh(self, rows: Geometry, malicious: int) -> Weighed:
        distances = cosine_distances(rows.products)
        inside = majority_cluster(distances)
        norms = np.sqrt(np.diag(rows.products))
        middle = float(np.median(norms))
        count = max(int(inside.sum()), 1)
        scales = clip_scales(norms, middle) * inside
        vector = rows.combine(scales) / count
        nothing = ""
        if not inside.any():
            nothing = f"FLAME aggregated nothing: no {rows.count // 2 + 1} of {rows.count} updates form a cluster"
        elif self.noise:
            vector += self.noise * middle * np.random.default_rng(self.seed).standard_normal(len(vector))
        return Weighed(
            vector=vector,
            coefficients=scales / count,
            suspicion=distances[:, inside if inside.any() else slice(None)].mean(axis=1),
            measure="mean cosine distance to the clients of the cluster",
            filtered=~inside,
            nothing=nothing,
        )

    def following(self, vector: Array) -> Rule:
        """Return the rule with the next seed, for other noise."""
        return replace(self, seed=self.seed + 1)
