"""Prices of a model's votes: the fewest label flips that bring each class before the one that it votes for."""

from __future__ import annotations

import numpy as np
from numba import njit

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.kernels.label_response.flips import checked_weights
from toadstone.kernels.label_response.responses import Response, weight_blocks
from toadstone.kernels.label_response.row_counts import needs, sum_by_class
from toadstone.kernels.label_response.whole_weights import round_weights
from toadstone.kernels.votes.priced import OUT_OF_REACH


def flip_prices(
    alpha: Array, codes: IntArray, *, n_classes: int, error: Array | None = None
) -> tuple[IntArray, IntArray]:
    """Count the flips of labels after which a model may vote for each class.

    The price of class e is the fewest flips that bring e before the class c
    that wins now: exact for two classes; where there are more, e may have to
    pass others too, and the price is a lower bound.

    Parameters
    ----------
    alpha : ndarray of shape (q, n)
        Weights of the training rows for each query.
    codes : ndarray of int of shape (n,)
        Classes of the training rows.
    n_classes : int
        Labels that the attacker may use: 0 to ``n_classes - 1``.
    error : ndarray of shape (q,), optional
        As `certify_flips` takes it.

    Returns
    -------
    votes : ndarray of int of shape (q,)
    prices : ndarray of int of shape (q, n_classes)
        Zero for the class that wins, ``OUT_OF_REACH`` where no flips suffice;
        as `certify_priced_votes` takes them.

    Raises
    ------
    InvalidArgument
        If shapes disagree or a weight is not finite.

    Examples
    --------
    >>> votes, prices = flip_prices(np.array([[0.5, 0.4, 0.3, 0.2]]), np.array([0, 0, 0, 1]), n_classes=2)
    >>> votes.tolist(), prices.tolist()
    ([0], [[0, 2]])
    """
    weights, labels, errors = checked_weights(alpha, codes, error, n_classes)
    votes = np.empty(len(weights), dtype=np.int64)
    prices = np.zeros((len(weights), n_classes), dtype=np.int64)
    _price_rows(weights, labels, errors, votes, prices)
    return votes, prices


def price_queries(response: Response, codes: IntArray, queries: Matrix, *, n_classes: int) -> tuple[IntArray, IntArray]:
    """Count the flips of labels after which a model may vote for each class, for many queries.

    Parameters
    ----------
    response : Response
    codes : ndarray of int of shape (n,)
    queries : ndarray or CSR of shape (q, d)
    n_classes : int

    Returns
    -------
    votes, prices
        As `flip_prices` returns them.
    """
    parts = [
        flip_prices(alpha, codes, n_classes=n_classes, error=error) for alpha, error in weight_blocks(response, queries)
    ]
    votes = np.concatenate([np.empty(0, dtype=np.int64), *(part[0] for part in parts)])
    return votes, np.concatenate([np.empty((0, n_classes), dtype=np.int64), *(part[1] for part in parts)])


@njit(cache=True, nogil=True)
def _price_rows(alpha: Array, codes: IntArray, error: Array, votes: IntArray, prices: IntArray) -> None:
    n, n_classes = alpha.shape[1], prices.shape[1]
    whole, scores = np.empty(n, dtype=np.int64), np.empty(n_classes, dtype=np.int64)
    gains = np.empty(n, dtype=np.int64)
    for query in range(len(alpha)):
        allowance = round_weights(alpha[query], error[query], whole)
        sum_by_class(whole, codes, scores)
        winner = int(np.argmax(scores))
        need = needs(scores, winner, allowance)
        votes[query] = winner
        for rival in range(n_classes):
            if rival == winner:
                continue
            for i in range(n):
                side = (1 if codes[i] == winner else 0) - (1 if codes[i] == rival else 0)
                gains[i] = abs(whole[i]) + side * whole[i]
            prices[query, rival] = _fewest(np.sort(gains), need[rival])


@njit(cache=True, nogil=True)
def _fewest(ascending: IntArray, need: int) -> int:
    taken = 0
    for place in range(len(ascending) - 1, -1, -1):
        if need <= 0 or ascending[place] == 0:
            break
        need -= ascending[place]
        taken += 1
    return taken if need <= 0 else OUT_OF_REACH
