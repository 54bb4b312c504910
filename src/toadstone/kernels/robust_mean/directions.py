"""Directions of updates: agreement with a trusted one, the majority's cluster of angles, the first principal one."""

from __future__ import annotations

import numpy as np

from toadstone.core.arrays import Array, Mask


def trusted_weights(products: Array, norms: Array, root_norm: float) -> tuple[Array, Array]:
    """Return FLTrust's weights of rows, and their cosines with the trusted update [1]_.

    Each row is scaled to the norm of the trusted update and weighs
    ``max(0, cosine)``; a row of norm zero weighs nothing.

    Parameters
    ----------
    products : ndarray of float64, shape (n,)
        Inner products of the rows with the trusted update.
    norms : ndarray of float64, shape (n,)
        Norms of the rows.
    root_norm : float
        Norm of the trusted update.

    Returns
    -------
    coefficients : ndarray of float64, shape (n,)
        All zero if no row agrees with the trusted update.
    cosines : ndarray of float64, shape (n,)

    References
    ----------
    .. [1] Cao, Fang, Liu and Gong, "FLTrust: Byzantine-robust federated learning via trust bootstrapping", NDSS 2021,
       equation 3 and 4.

    Examples
    --------
    >>> coefficients, cosines = trusted_weights(np.array([4.0, -1.0, 0.0]), np.array([2.0, 1.0, 0.0]), 2.0)
    >>> coefficients.tolist(), cosines.tolist()
    ([1.0, 0.0, 0.0], [1.0, -0.5, 0.0])
    """
    cosines = np.zeros(len(norms))
    np.divide(products / root_norm if root_norm else products * 0.0, norms, out=cosines, where=norms > 0)
    trust = np.maximum(cosines, 0.0)
    total = float(trust.sum())
    coefficients = np.zeros(len(norms))
    if total > 0:
        np.divide(trust / total * root_norm, norms, out=coefficients, where=norms > 0)
    return coefficients, cosines


def cosine_distances(products: Array) -> Array:
    """Return one less the cosines, from inner products; rows of norm zero are at distance one from all others.

    Examples
    --------
    >>> cosine_distances(np.array([[4.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])).tolist()
    [[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]]
    """
    norms = np.sqrt(np.diag(products))
    safe = np.where(norms > 0, norms, 1.0)
    distances = np.clip(1.0 - products / safe[:, None] / safe, 0.0, 2.0)
    np.fill_diagonal(distances, 0.0)
    return np.asarray(distances, dtype=np.float64)


def majority_cluster(distances: Array) -> Mask:
    """Return the rows in the one cluster that holds more than half of them [1]_.

    Parameters
    ----------
    distances : ndarray of float64, shape (n, n)

    Returns
    -------
    ndarray of bool, shape (n,)
        All False if there is no such cluster.

    References
    ----------
    .. [1] Nguyen et al., "FLAME: taming backdoors in federated learning", USENIX Security 2022, algorithm 1: HDBSCAN
       with clusters of at least ``floor(n / 2) + 1``.

    Examples
    --------
    >>> points = np.array([0.0, 0.1, 0.2, 0.3, 7.0])
    >>> majority_cluster(abs(points[:, None] - points)).tolist()
    [True, True, True, True, False]
    """
    from sklearn.cluster import HDBSCAN

    n = len(distances)
    if n < 3 or not distances.any():
        # Too few rows for a malicious one, or rows too alike, for a hierarchy.
        return np.ones(n, dtype=bool)
    found = HDBSCAN(
        min_cluster_size=n // 2 + 1, min_samples=1, metric="precomputed", allow_single_cluster=True, copy=True
    )
    return np.asarray(found.fit_predict(distances) >= 0, dtype=bool)


def first_projections(squared: Array) -> Array:
    """Return the squared projections of the rows, less their mean, on their first principal direction.

    Only distances are needed: they give the Gram matrix about the mean, whose
    first eigenvector holds the projections.

    Parameters
    ----------
    squared : ndarray of float64, shape (n, n)
        Squared distances.

    Returns
    -------
    ndarray of float64, shape (n,)

    Examples
    --------
    >>> points = np.array([0.0, 1.0, 5.0])
    >>> first_projections((points[:, None] - points) ** 2).round(9).tolist()
    [4.0, 1.0, 9.0]
    """
    means = squared.mean(axis=1)
    gram = (means[:, None] + means - squared - squared.mean()) / 2
    values, vectors = np.linalg.eigh((gram + gram.T) / 2)
    return np.asarray(max(values[-1], 0.0) * vectors[:, -1] ** 2, dtype=np.float64)
