"""Prices of a voter's votes in flips of its own labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from toadstone.core.arrays import IntArray, Labels, Matrix
from toadstone.kernels.label_response.prices import price_queries
from toadstone.kernels.votes.priced import OUT_OF_REACH
from toadstone.learners.label_linear.certified import LabelLinearClassifier
from toadstone.learners.voters.training import votes_of


def priced_votes(model: Any, X: Matrix, classes: Labels) -> tuple[IntArray, IntArray]:
    """Return a voter's votes, and the fewest flips of its own labels that may make it vote for each class.

    Parameters
    ----------
    model : classifier or None
        None for a voter without rows, of which no vote can be bought.
    X : ndarray or CSR of shape (q, d)
    classes : ndarray of shape (n_classes,)
        That an attacker may use as labels.

    Returns
    -------
    votes : ndarray of int of shape (q,)
    prices : ndarray of int of shape (q, n_classes)
    """
    if isinstance(model, LabelLinearClassifier):
        codes = np.searchsorted(classes, model.classes_)[model.codes_]
        return price_queries(model.response_, codes, X, n_classes=len(classes))
    votes = votes_of(model, X, classes)
    lowest = OUT_OF_REACH if model is None else 1
    return votes, np.full((len(votes), len(classes)), lowest, dtype=np.int64)
