"""One choice of label flips against many predictions at once: an attack, to stand beside the collective bound."""

from __future__ import annotations

import numpy as np

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.kernels.label_response.flips import Flips
from toadstone.kernels.label_response.ridge import RidgeResponse

_ROUNDS = 8
_SHARP = 4.0
"""Steepness of the weight of a query over its lead: those that nearly fall count most."""


def flips_on_all(
    response: RidgeResponse,
    codes: IntArray,
    queries: Matrix,
    truth: IntArray,
    *,
    n_classes: int,
    n_units: int,
    groups: IntArray | None = None,
) -> tuple[Flips, float]:
    """Search for the flips of labels after which the fewest of all queries are right.

    The lead of a query over its nearest rival is linear in the labels. Flips
    are those that lower a weighted sum of leads the most, which takes a
    single weight for each row and class; queries that they nearly turn weigh
    more in the next round.

    Parameters
    ----------
    response : RidgeResponse
    codes : ndarray of int of shape (n,)
    queries : ndarray or CSR of shape (q, d)
    truth : ndarray of int of shape (q,)
        Class of each query; -1 for one that no training row has.
    n_classes : int
    n_units : int
        Rows, or groups, whose labels the attacker changes.
    groups : ndarray of int of shape (n,), optional

    Returns
    -------
    flips : Flips
        The best that was found; none where no flip makes a query wrong.
    accuracy : float
        Share of queries that are right after them.

    Examples
    --------
    >>> X, codes = np.array([[-2.0], [-1.0], [1.0], [2.0]]), np.array([0, 0, 1, 1])
    >>> response, queries = RidgeResponse(X, ridge=0.1), np.array([[-1.0], [1.0]])
    >>> flips_on_all(response, codes, queries, np.array([0, 1]), n_classes=2, n_units=2)[1]
    0.0
    """
    scores = _scores(response, codes, queries, n_classes)
    best, accuracy = Flips(*(np.empty(0, dtype=np.int64) for _ in range(3))), _right(scores, truth)
    poisoned = codes
    for _ in range(_ROUNDS):
        weights, rival = _weights(_scores(response, poisoned, queries, n_classes), truth)
        if not weights.any():
            break
        found = _best_flips(response, codes, queries, (truth, rival, weights), (n_classes, n_units, groups))
        poisoned = codes.copy()
        poisoned[found.rows] = found.codes
        after = _right(_scores(response, poisoned, queries, n_classes), truth)
        if after < accuracy:
            best, accuracy = found, after
    return best, accuracy


def _scores(response: RidgeResponse, codes: IntArray, queries: Matrix, n_classes: int) -> Array:
    coefficients, intercepts = response.model(np.eye(n_classes)[codes])
    return np.asarray(queries @ coefficients.T) + intercepts


def _right(scores: Array, truth: IntArray) -> float:
    return float(np.mean(scores.argmax(axis=1) == truth))


def _weights(scores: Array, truth: IntArray) -> tuple[Array, IntArray]:
    """Weigh queries by how near their lead is to nought, and find the rival of each."""
    queries, known = np.arange(len(truth)), truth >= 0
    own = scores[queries, np.maximum(truth, 0)]
    others = scores.copy()
    others[queries, np.maximum(truth, 0)] = -np.inf
    lead = own - others.max(axis=1)
    scale = float(np.median(np.abs(lead[known]))) if known.any() else 1.0
    pull = 1.0 / np.cosh(_SHARP * np.clip(lead / (scale or 1.0), -20.0, 20.0) / 2.0) ** 2
    return np.where(known, pull, 0.0), others.argmax(axis=1).astype(np.int64)


def _best_flips(
    response: RidgeResponse,
    codes: IntArray,
    queries: Matrix,
    aims: tuple[IntArray, IntArray, Array],
    limits: tuple[int, int, IntArray | None],
) -> Flips:
    (truth, rival, weights), (n_classes, n_units, groups) = aims, limits
    # How much a row of each class adds to the weighted sum of the rivals' leads. Weights of rows are affine in the
    # query, so those of weighted means of queries do for all of them.
    worth = np.zeros((len(codes), n_classes))
    for k in range(n_classes):
        for sign, chosen in ((1.0, rival == k), (-1.0, truth == k)):
            pull = weights * chosen
            if pull.sum() > 0:
                mean = np.asarray(pull @ queries).reshape(1, -1) / pull.sum()
                worth[:, k] += sign * pull.sum() * response.weights(mean).alpha[0]
    gains = worth.max(axis=1) - worth[np.arange(len(codes)), codes]
    owners = np.arange(len(codes)) if groups is None else groups
    totals = np.bincount(owners, weights=gains)
    units = np.argsort(-totals, kind="stable")[:n_units]
    rows = np.flatnonzero(np.isin(owners, units) & (gains > 0))
    return Flips(units, rows, worth.argmax(axis=1)[rows])
