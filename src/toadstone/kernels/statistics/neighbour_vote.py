"""The vote of a row's neighbours on its label."""

from __future__ import annotations

import numpy as np

from toadstone.core.arrays import Array, IntArray

NO_VOTE = -1
"""Label of a neighbour that does not vote."""


def count_votes(labels: IntArray, n_classes: int) -> IntArray:
    """Count the neighbours of each label.

    Parameters
    ----------
    labels : ndarray of int of shape (n, k)
        Labels of each row's neighbours, counted from zero; `NO_VOTE` is not
        counted.
    n_classes : int

    Returns
    -------
    ndarray of int of shape (n, n_classes)

    Examples
    --------
    >>> count_votes(np.array([[0, 0, 1], [1, 1, NO_VOTE]]), 2)
    array([[2, 1],
           [0, 2]])
    """
    # One class at a time: a one-hot array of all neighbours would be n_classes times as large.
    return np.column_stack([np.sum(labels == code, axis=1) for code in range(n_classes)])


def lost_votes(votes: Array | IntArray) -> Array:
    """Return by how much each label loses the plurality vote [1]_.

    Parameters
    ----------
    votes : ndarray of shape (n, n_classes)
        Counts or shares of the neighbours of each label.

    Returns
    -------
    ndarray of shape (n, n_classes)
        The votes of the most frequent other label minus those of the label
        itself; negative for the label that wins. Without another label, minus
        its own votes.

    References
    ----------
    .. [1] Peri, Gupta, Huang, Fowl, Zhu, Feizi, Goldstein and Dickerson,
       "Deep k-NN defense against clean-label data poisoning attacks", ECCV
       workshops 2020, section 4.

    Examples
    --------
    >>> lost_votes(np.array([[2, 1, 0]]))
    array([[-1,  1,  2]])
    """
    rivals = [np.delete(votes, code, axis=1).max(axis=1, initial=0) for code in range(votes.shape[1])]
    return np.asarray(np.column_stack(rivals) - votes)
