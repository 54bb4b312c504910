"""Filters around centres that include the poison: the sphere and slab of a data-dependent defence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toadstone.core.arrays import Array, Mask, Matrix
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.core.feasible import Region, ball
from toadstone.kernels.rows import mean, squared_distances

_UP = 1 + 1e-12


@dataclass(frozen=True, eq=False)
class DataDependentFilters:
    """Sphere and slab with fixed thresholds, around class means that are taken after the poison was added.

    Arrays have the class labelled -1 first.

    Parameters
    ----------
    means : ndarray of shape (2, d)
        Mean of each class's clean rows.
    shares : ndarray of shape (2,)
        Share of each class among the clean rows.
    radii : ndarray of shape (2,)
        Largest distance of a row that passes to the mean of its class.
    widths : ndarray of shape (2,)
        Largest distance of a row that passes to the mean of its class, along
        the line between the means.

    Raises
    ------
    InvalidArgument
        If a share or a threshold is not positive.
    InvalidData
        If the class means coincide.
    """

    means: Array
    shares: Array
    radii: Array
    widths: Array

    def __post_init__(self) -> None:
        for name in ("shares", "radii", "widths"):
            values = getattr(self, name)
            if values.shape != (2,) or not np.all((values > 0) & np.isfinite(values)):
                raise InvalidArgument(name, "two positive numbers", values)
        if not np.any(self.means[0] != self.means[1]):
            raise InvalidData("class means: expected two that differ, got equal ones")

    def centres(self, atoms: Array, weights: Array) -> Array:
        """Compute the class means of clean rows and poison together.

        Parameters
        ----------
        atoms : ndarray of shape (4, d)
            The first two are labelled +1, the others -1.
        weights : ndarray of shape (4,)
            Poison at each atom, for each clean row.

        Returns
        -------
        ndarray of shape (2, d)
        """
        sums = np.stack([weights[2:] @ atoms[2:], weights[:2] @ atoms[:2]])
        masses = self.shares + np.array([weights[2:].sum(), weights[:2].sum()])
        return np.asarray((self.shares[:, None] * self.means + sums) / masses[:, None])

    def excess(self, atoms: Array, weights: Array) -> float:
        """Compute by how much the worst atom exceeds a threshold, with all means recomputed; at most zero if all pass.

        Parameters
        ----------
        atoms : ndarray of shape (4, d)
        weights : ndarray of shape (4,)
        """
        centres = self.centres(atoms, weights)
        found = [self._excesses(atoms[rows], centres, k).max() for k, rows in ((0, [2, 3]), (1, [0, 1]))]
        return float(max(found))

    def kept(self, X: Matrix, signs: Array, centres: Array) -> Mask:
        """Return a mask of the rows that pass around given centres.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
        signs : ndarray of shape (n,)
        centres : ndarray of shape (2, d)
        """
        kept = np.zeros(len(signs), dtype=bool)
        for k, sign in enumerate((-1.0, 1.0)):
            rows = np.flatnonzero(signs == sign)
            kept[rows] = self._excesses(X[rows], centres, k).max(axis=0, initial=-np.inf) <= 0
        return kept

    def inflated(self, fraction: float) -> tuple[Region, Region]:
        """Return balls around the clean means that hold all poison which passes the sphere.

        With poison of mass e in a class of share p, each row within r of the
        class's new mean, the new mean is within ``r e / p`` of the old one, so
        that each row is within ``r (1 + e / p)`` of it. The attacker divides
        the poison between the classes; each radius allows for all of it.

        Parameters
        ----------
        fraction : float
            Poison rows for each clean row.

        Returns
        -------
        tuple of Region
            For poison labelled -1 and +1.
        """
        # Rounded up: a radius too small would prove too much.
        radii = self.radii * (1 + fraction / self.shares) * _UP
        negative, positive = (ball(centre, float(radius)) for centre, radius in zip(self.means, radii, strict=True))
        return negative, positive

    def _excesses(self, X: Matrix, centres: Array, k: int) -> Array:
        line = centres[1] - centres[0]
        length = float(np.linalg.norm(line))
        along = np.abs(X @ line - centres[k] @ line) / length if length > 0 else np.zeros(X.shape[0])
        return np.stack([np.sqrt(squared_distances(X, centres[k])) - self.radii[k], along - self.widths[k]])


def fit_filters(X: Matrix, signs: Array, *, quantile: float, first: int | None = None) -> DataDependentFilters:
    """Fit a data-dependent defence's thresholds on clean rows.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    signs : ndarray of shape (n,)
        Labels, -1 or +1.
    quantile : float
        Of each class's clean distances; the thresholds.
    first : int, optional
        Fit the thresholds on as many rows of each class, the first ones; by
        default on all.

    Returns
    -------
    DataDependentFilters

    Raises
    ------
    InvalidData
        If a class has no rows, or the class means coincide.

    Examples
    --------
    >>> X = np.array([[0.0, 0.0], [0.0, 2.0], [4.0, 3.0], [6.0, 3.0]])
    >>> fit_filters(X, np.array([-1.0, -1.0, 1.0, 1.0]), quantile=0.5).radii
    array([1., 1.])
    """
    masks = [signs == sign for sign in (-1.0, 1.0)]
    if not all(mask.any() for mask in masks):
        raise InvalidData("labels: expected rows of two classes, got one")
    means = np.stack([mean(X, mask) for mask in masks])
    line = means[1] - means[0]
    unit = line / max(float(np.linalg.norm(line)), np.finfo(float).tiny)
    radii, widths = [], []
    for mask, centre in zip(masks, means, strict=True):
        rows = X[np.flatnonzero(mask)[:first]]
        radii.append(np.quantile(np.sqrt(squared_distances(rows, centre)), quantile))
        widths.append(np.quantile(np.abs(rows @ unit - centre @ unit), quantile))
    shares = np.array([mask.mean() for mask in masks])
    return DataDependentFilters(means, shares, np.array(radii), np.array(widths))
