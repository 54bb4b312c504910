"""Isolated rows: medoids of their class to which no other row belongs."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from toadstone.core.arrays import Array, IntArray, Mask
from toadstone.core.checks import check_within
from toadstone.deep.defences.torch_medoids import Chooser, check_matrix, exact_medoids
from toadstone.deep.tensors.images import check_labels
from toadstone.kernels.facility_location.medoids import Medoids


@dataclass(frozen=True, eq=False)
class Selection:
    """Medoids of all classes and the rows to drop, as indices of the rows given.

    Parameters
    ----------
    medoids : ndarray of shape (k,)
        Class by class, in the order of choice.
    sizes : ndarray of shape (k,)
        Rows that belong to each medoid, itself included.
    owners : ndarray of shape (n,)
        The medoid that each row belongs to.
    distances, isolation : ndarray of shape (n,)
        Distance to the nearest medoid of the class, and to the second nearest,
        infinite where the class has one medoid. Larger isolation is more
        suspicious.
    dropped : ndarray of int
        Isolated medoids to drop, ascending.
    """

    medoids: IntArray
    sizes: IntArray
    owners: IntArray
    distances: Array
    isolation: Array
    dropped: IntArray

    @property
    def kept(self) -> IntArray:
        """Rows that are not dropped, ascending."""
        return np.setdiff1d(np.arange(len(self.owners)), self.dropped)

    @property
    def isolated(self) -> IntArray:
        """Medoids to which no other row belongs or is equal, ascending, kept ones included."""
        return np.sort(self.medoids[(self.sizes == 1) & (self.isolation[self.medoids] > 0)])

    @property
    def ranking(self) -> IntArray:
        """All rows, the most isolated first; ties in the order of rows."""
        return np.argsort(-self.isolation, kind="stable")


def drop_isolated(
    gradients: Tensor,
    labels: Tensor,
    fraction: float,
    *,
    max_dropped: float = 1.0,
    choose: Chooser = exact_medoids,
) -> Selection:
    """Cluster the gradients of each class around medoids and drop the isolated ones.

    A class of n rows gets ``ceil(fraction * n)`` medoids. Only medoids without
    another member are dropped, and at least one row of each class stays. A
    medoid at distance zero from another is not isolated and stays; algorithm 1
    of the paper would drop both, and would drop rows of a saturated network,
    whose gradients are all zero, one after another.

    Parameters
    ----------
    gradients : Tensor of shape (n, d)
        Of each row's loss by its logits, as
        `toadstone.deep.tensors.features.head_gradients` returns them; on any
        device, of any precision.
    labels : int64 Tensor of shape (n,)
    fraction : float
        Medoids per row of a class, in (0, 1).
    max_dropped : float
        Largest share of each class to drop, the most isolated first; with 0
        rows are only ranked.
    choose : callable
        Chooses medoids of the rows of one class: `exact_medoids`, or an
        `InParts`, `Sampled` or `Drawn`. On the CPU classes are clustered in as
        many threads as torch has; the result does not depend on their number.

    Returns
    -------
    Selection

    Raises
    ------
    InvalidArgument
        If a number is out of range.
    InvalidData
        If gradients are not finite, or labels are negative or do not match.

    References
    ----------
    .. [1] Yang, Liu and Mirzasoleiman, "Not all poisons are created equal:
       robust training against data poisoning", ICML 2022, section 4.2.

    Examples
    --------
    >>> gradients = torch.tensor([[0.0], [0.1], [0.2], [0.9], [0.5], [0.6]])
    >>> drop_isolated(gradients, torch.tensor([0, 0, 0, 0, 1, 1]), 0.5).dropped
    array([3])
    """
    check_within("(0, 1)", fraction=fraction)
    check_within("[0, 1]", max_dropped=max_dropped)
    check_matrix("gradients", gradients)
    check_labels(labels, count=len(gradients))
    codes = labels.cpu().numpy()
    classes = [np.flatnonzero(codes == code) for code in np.unique(codes)]

    def cluster(own: IntArray) -> Medoids:
        rows = gradients[torch.from_numpy(own).to(gradients.device)]
        return choose(rows, math.ceil(fraction * len(own)))

    if gradients.device.type == "cpu":
        with ThreadPoolExecutor(torch.get_num_threads()) as pool:
            found = list(pool.map(cluster, classes))
    else:
        found = [cluster(own) for own in classes]
    return _gathered(classes, found, len(codes), max_dropped)


def _gathered(classes: list[IntArray], found: list[Medoids], count: int, max_dropped: float) -> Selection:
    owners, distances, isolation = np.empty(count, dtype=np.int64), np.empty(count), np.empty(count)
    dropped = np.zeros(count, dtype=bool)
    for own, each in zip(classes, found, strict=True):
        owners[own] = own[each.rows[each.owners]]
        distances[own], isolation[own] = each.distances, each.second
        dropped[own] = _alone(each, max_dropped)
    medoids = np.concatenate([own[each.rows] for own, each in zip(classes, found, strict=True)])
    sizes = np.concatenate([each.sizes for each in found])
    return Selection(medoids, sizes, owners, distances, isolation, np.flatnonzero(dropped))


def _alone(medoids: Medoids, max_dropped: float) -> Mask:
    """Return a mask of the rows of a class to drop, which leaves at least one row."""
    count = len(medoids.owners)
    most = min(math.floor(max_dropped * count), count - 1)
    isolated = medoids.isolated
    isolated = isolated[medoids.second[isolated] > 0]
    first = isolated[np.argsort(-medoids.second[isolated], kind="stable")][:most]
    chosen = np.zeros(count, dtype=bool)
    chosen[first] = True
    return chosen
