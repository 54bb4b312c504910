"""Learners that are linear in the labels, as the weights that they give to training rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.pointwise import Certified
from toadstone.kernels.label_response.flips import certify_flips

ROUNDING = float(np.finfo(np.float64).eps)
"""Twice the largest relative error of one operation; a sum of k terms errs by less than k times this of their sizes."""

_BLOCK = 2**22
"""Weights held at a time: 32 MiB."""


class Weights(NamedTuple):
    """Weights of the training rows for some queries, and how far rounding may have moved them.

    Attributes
    ----------
    alpha : ndarray of shape (q, n)
    error : ndarray of shape (q,)
        Bound on the sum over the rows of the absolute errors.
    """

    alpha: Array
    error: Array


class Response(Protocol):
    """A learner whose score of a class is the sum of the weights of the class's training rows.

    Attributes
    ----------
    n_rows : int
        Training rows.
    """

    n_rows: int

    def weights(self, queries: Matrix) -> Weights:
        """Compute the weights of the training rows for each query; no label enters."""


def weight_blocks(response: Response, queries: Matrix) -> Iterator[Weights]:
    """Yield the weights of the training rows for a few queries at a time."""
    step = max(1, _BLOCK // response.n_rows)
    for start in range(0, queries.shape[0], step):
        yield response.weights(queries[start : start + step])


def certify_queries(
    response: Response, codes: IntArray, queries: Matrix, *, n_classes: int, groups: IntArray | None = None
) -> Certified:
    """Count the label flips that the prediction for each query withstands.

    Parameters
    ----------
    response : Response
    codes : ndarray of int of shape (n,)
        Classes of the training rows.
    queries : ndarray or CSR of shape (q, d)
    n_classes : int
    groups : ndarray of int of shape (n,), optional
        As `certify_flips` takes them.

    Returns
    -------
    Certified

    Examples
    --------
    >>> from toadstone.kernels.label_response.ridge import RidgeResponse
    >>> response = RidgeResponse(np.array([[-1.0], [-1.0], [1.0], [2.0]]), ridge=0.1)
    >>> certify_queries(response, np.array([0, 0, 1, 1]), np.array([[3.0]]), n_classes=2).count
    array([1])
    """
    parts = [
        certify_flips(alpha, codes, n_classes=n_classes, error=error, groups=groups)
        for alpha, error in weight_blocks(response, queries)
    ]
    winner, count, rival = (
        np.concatenate([np.empty(0, dtype=np.int64), *(getattr(part, name) for part in parts)])
        for name in ("winner", "count", "rival")
    )
    return Certified(winner, count, rival)
