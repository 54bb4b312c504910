"""Confident learning: wrong labels found from out-of-fold probabilities."""

from __future__ import annotations

import numpy as np

from toadstone.core.arrays import Array, IntArray, Mask

_SLACK = 1e-6


def usual_confidences(table: Array, codes: IntArray) -> Array:
    """Compute the mean probability of each class over the rows that bear its label.

    Parameters
    ----------
    table : ndarray of shape (n, n_classes)
        Probabilities out of fold.
    codes : ndarray of shape (n,)
        Label of each row, counted from zero; all occur.

    Returns
    -------
    ndarray of shape (n_classes,)
    """
    sums = np.bincount(codes, weights=table[np.arange(len(codes)), codes], minlength=table.shape[1])
    return np.asarray(sums / np.bincount(codes, minlength=table.shape[1]))


def confident_joint(table: Array, codes: IntArray) -> IntArray:
    """Count rows by their label and their confident class.

    The confident class of a row is the likeliest of the classes whose
    probability reaches the mean self-confidence of their own rows. A row
    without one is not counted.

    Parameters
    ----------
    table : ndarray of shape (n, n_classes)
        Probabilities out of fold.
    codes : ndarray of shape (n,)
        Label of each row, counted from zero; all occur.

    Returns
    -------
    ndarray of int of shape (n_classes, n_classes)
        Labels down, confident classes across.

    References
    ----------
    .. [1] Northcutt, Jiang and Chuang, "Confident learning: estimating
       uncertainty in dataset labels", JAIR 70, 2021, equation 1.

    Examples
    --------
    >>> confident_joint(np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.8, 0.2]]), np.array([0, 0, 1, 1]))
    array([[2, 0],
           [0, 1]])
    """
    # Equation 1 of the paper, with room for the rounding of a mean of equal probabilities.
    confident = table >= usual_confidences(table, codes) - _SLACK
    believed = np.where(confident, table, -1.0).argmax(axis=1)
    counted = confident.any(axis=1)
    joint = np.zeros((table.shape[1], table.shape[1]), dtype=np.int64)
    np.add.at(joint, (codes[counted], believed[counted]), 1)
    return joint


def calibrated_joint(joint: IntArray, codes: IntArray) -> Array:
    """Scale the rows of a confident joint to the numbers of rows that bear each label.

    Parameters
    ----------
    joint : ndarray of int of shape (n_classes, n_classes)
    codes : ndarray of shape (n,)
        Label of each row, counted from zero.

    Returns
    -------
    ndarray of shape (n_classes, n_classes)
        Expected counts. A label without a counted row is assumed correct.
    """
    counts = np.bincount(codes, minlength=len(joint))
    trusted = np.where(joint.sum(axis=1, keepdims=True) > 0, joint, np.eye(len(joint)))
    return np.asarray(trusted / trusted.sum(axis=1, keepdims=True) * counts[:, None])


def prune_by_noise_rate(table: Array, codes: IntArray, joint: Array) -> Mask:
    """Flag as many rows of each label as the joint expects to belong to each other class.

    Parameters
    ----------
    table : ndarray of shape (n, n_classes)
        Probabilities out of fold.
    codes : ndarray of shape (n,)
        Label of each row, counted from zero.
    joint : ndarray of shape (n_classes, n_classes)
        Expected counts, from `calibrated_joint`.

    Returns
    -------
    ndarray of bool of shape (n,)
        For each pair of classes the rows whose probability of the other
        exceeds that of their own by the most, and their ties. A row
        whose own label is its likeliest class is never flagged.
    """
    wrong = np.zeros(len(codes), dtype=bool)
    for label, believed in zip(*np.nonzero(~np.eye(len(joint), dtype=bool)), strict=True):
        rows = np.flatnonzero(codes == label)
        margins = table[rows, believed] - table[rows, label]
        count = min(round(joint[label, believed]), len(rows))
        # A threshold takes ties along: nothing distinguishes equal rows.
        if count:
            wrong[rows[margins >= np.sort(margins)[-count]]] = True
    return np.asarray(wrong & (table.argmax(axis=1) != codes))
