"""Subpopulation attack: wrong labels in one cluster of the data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.random import Generator
from sklearn.cluster import KMeans

from toadstone.attacks.flips.label_changes import check_budget, possible_flips, spend
from toadstone.core.arrays import Array, Mask, Matrix
from toadstone.core.budget import Budget
from toadstone.core.checks import check_positive
from toadstone.core.dataset import Dataset, Poison, as_matrix
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.core.protocols import FeasibleSet
from toadstone.kernels.rows import count_distinct

_STARTS = 4


@dataclass(frozen=True, eq=False, kw_only=True)
class Subpopulation:
    """A cluster of rows: those that are nearer to one centre than to any other.

    Parameters
    ----------
    centres : ndarray of shape (k, d)
    index : int
        Position of the cluster's centre among them.

    Raises
    ------
    InvalidArgument
        If there is no such centre.
    """

    centres: Array
    index: int

    def __post_init__(self) -> None:
        if self.centres.ndim != 2 or not 0 <= self.index < len(self.centres):
            raise InvalidArgument("index", f"a whole number below {len(self.centres)}", self.index)

    @classmethod
    def found_in(cls, X: Matrix, *, n_clusters: int = 10, rank: int = 0, seed: int = 0) -> Self:
        """Find a cluster of given rank in size by k-means.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
        n_clusters : int
        rank : int
            Rank by size; 0 is the largest cluster.
        seed : int
            Seed of the first centres.

        Raises
        ------
        InvalidArgument
            If there are fewer distinct rows than clusters, or no such rank.
        """
        rows = as_matrix(X)
        distinct = count_distinct(rows)
        if not 1 <= n_clusters <= distinct:
            raise InvalidArgument("n_clusters", f"a whole number from 1 to {distinct}", n_clusters)
        if not 0 <= rank < n_clusters:
            raise InvalidArgument("rank", f"a whole number below {n_clusters}", rank)
        fit = KMeans(n_clusters=n_clusters, n_init=_STARTS, random_state=seed).fit(rows)
        sizes = np.bincount(_nearest(rows, fit.cluster_centers_), minlength=n_clusters)
        return cls(centres=fit.cluster_centers_, index=int(np.argsort(-sizes, kind="stable")[rank]))

    def contains(self, X: Matrix) -> Mask:
        """Return a mask of the rows that belong to the cluster.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)

        Returns
        -------
        ndarray of bool of shape (n,)

        Raises
        ------
        InvalidData
            If the rows have another number of columns than the centres.
        """
        rows = as_matrix(X)
        if rows.shape[1] != self.centres.shape[1]:
            raise InvalidData(f"features: expected {self.centres.shape[1]} columns, got {rows.shape[1]}")
        return np.asarray(_nearest(rows, self.centres) == self.index)


@dataclass(frozen=True, eq=False, kw_only=True)
class SubpopulationAttack:
    """Rows of one cluster given a wrong label, so that a model errs there and hardly elsewhere.

    A budget of kind "add" adds relabelled copies, one of kind "flip" relabels
    rows in place. The damage to the cluster is measured by
    `toadstone.pipeline.evaluation.group_damage.group_damage`.

    Parameters
    ----------
    subpopulation : Subpopulation
    share : float
        Largest number of poison rows for each row of the cluster (alpha in
        the paper). Above 1, copies repeat.
    target : object, optional
        The label that they get; by default the second most common one in the
        cluster.
    feasible_set : FeasibleSet, optional
        Only rows that lie inside it under their new label are used.

    Raises
    ------
    InvalidArgument
        If `share` is not positive.

    References
    ----------
    .. [1] Jagielski, Severi, Pousette Harger and Oprea, "Subpopulation data
       poisoning attacks", CCS 2021, section 4: ClusterMatch with label
       flipping.

    Examples
    --------
    >>> data = Dataset([[0.0], [1.0], [8.0], [9.0], [9.5]], ["ham", "spam", "spam", "spam", "spam"])
    >>> near = Subpopulation(centres=np.array([[0.5], [9.0]]), index=1)
    >>> attack = SubpopulationAttack(subpopulation=near, share=0.4)
    >>> made = attack.poison(data, Budget(0.4), np.random.default_rng(0))
    >>> made.y.tolist(), bool(made.X[0, 0] >= 8)
    (['ham'], True)
    """

    subpopulation: Subpopulation
    share: float = 1.0
    target: object | None = None
    feasible_set: FeasibleSet | None = None

    def __post_init__(self) -> None:
        check_positive(share=self.share)

    def poison(self, data: Dataset, budget: Budget, rng: Generator) -> Poison:
        """Draw rows of the cluster and relabel them.

        Parameters
        ----------
        data : Dataset
            Of two or more classes.
        budget : Budget
            Of kind "add" or "flip".
        rng : Generator
            Random numbers for the rows.

        Returns
        -------
        Poison
            As many rows as the budget and `share` allow, at least one; fewer
            flips if fewer rows qualify.

        Raises
        ------
        InvalidArgument
            If the budget is for no row or of another kind, no row belongs to
            the cluster, or `target` does not occur in the data.
        EmptyFeasibleSet
            If no row qualifies.
        """
        check_budget(budget, len(data))
        members = np.flatnonzero(self.subpopulation.contains(data.X))
        if not members.size:
            raise InvalidArgument("subpopulation", "one that some rows belong to", "none")
        inside = data.take(members)
        target = self._second_label(data, inside) if self.target is None else self.target
        possible = possible_flips(inside, data.classes, self.feasible_set, target=target)
        rows = members[rng.permutation(np.flatnonzero(possible.any(axis=1)))]
        # A decimal share that is exact on paper stays exact: 0.29 * 100 is below 29 in floating point.
        most = max(1, math.floor(self.share * len(members) * (1 + 1e-12)))
        return spend(data, budget, rows, np.full(len(rows), target, dtype=data.y.dtype), most=most)

    @staticmethod
    def _second_label(data: Dataset, inside: Dataset) -> object:
        counts = np.array([np.count_nonzero(inside.y == label) for label in data.classes])
        return data.classes[np.argsort(-counts, kind="stable")[:2]][-1]


def _nearest(rows: Matrix, centres: Array) -> Array:
    # Squared distances less the rows' own norms, which do not matter to the nearest centre.
    return np.asarray((np.einsum("ij,ij->i", centres, centres) - 2 * (rows @ centres.T)).argmin(axis=1))
