"""Stochastic descent of the multi-class hinge."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.checks import check_count
from toadstone.kernels.linear.adagrad import AdaGrad
from toadstone.kernels.linear.crammer_singer_descent import add_hinge_gradient
from toadstone.kernels.rows import csr_parts


class HingeGradient:
    """The mean multi-class hinge of rows, and its subgradient.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    classes : ndarray of shape (n,)
        Right class of each row, counted from zero.
    """

    def __init__(self, X: Matrix, classes: IntArray) -> None:
        self._rows = csr_parts(X)
        self._classes = np.ascontiguousarray(classes, dtype=np.int64)
        self._all = np.arange(len(classes))

    def at(self, theta: Array, chosen: IntArray | None = None) -> tuple[float, Array]:
        """Compute loss and subgradient at a model, over all rows or the chosen ones.

        Parameters
        ----------
        theta : ndarray of shape (d + 1, k)
            One column a class; the last row holds the biases.
        chosen : ndarray of int, optional
            A row may be chosen more than once.

        Returns
        -------
        loss : float
        gradient : ndarray of shape (d + 1, k)
            Of the rival class that comes first where several tie; zero for a
            row at the kink.
        """
        rows = self._all if chosen is None else chosen
        gradient = np.zeros_like(theta)
        loss = add_hinge_gradient(self._rows, self._classes, rows, theta, gradient)
        return loss / len(rows), gradient / len(rows)


def descend_crammer_singer(
    X: Matrix,
    classes: IntArray,
    n_classes: int,
    *,
    rng: Generator,
    copies: IntArray | None = None,
    epochs: int = 3,
    batch: int = 100,
    descent: AdaGrad | None = None,
) -> Array:
    """Train on the multi-class hinge without a penalty, a few rows at a time.

    The defender of ten-class MNIST in Koh, Steinhardt and Liang [1]_. Each
    epoch visits all rows in a new random order.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    classes : ndarray of shape (n,)
        Right class of each row, counted from zero.
    n_classes : int
    rng : Generator
        For the order of rows.
    copies : ndarray of int of shape (n,), optional
        How often each row occurs; once by default.
    epochs : int
        Passes over the rows.
    batch : int
        Rows a step; the last of an epoch may have fewer.
    descent : AdaGrad, optional
        A fresh one; by default the paper's, of step 0.02 and accumulator 1e-4.

    Returns
    -------
    ndarray of shape (k, d + 1)
        One row a class: weights, then the bias.

    Raises
    ------
    InvalidArgument
        If `epochs` or `batch` is not a whole number from 1.

    References
    ----------
    .. [1] Koh, Steinhardt and Liang, "Stronger data poisoning attacks break
       data sanitization defenses", Machine Learning 111, 2022, section 5.7.
    """
    check_count(epochs=epochs, batch=batch)
    theta = np.zeros((X.shape[1] + 1, n_classes))
    rows = np.arange(X.shape[0]) if copies is None else np.repeat(np.arange(X.shape[0]), copies)
    hinge, descent = HingeGradient(X, classes), descent or AdaGrad(0.02, 1e-4)
    for _ in range(epochs):
        order = rng.permutation(rows)
        for start in range(0, len(order), batch):
            descent.move(theta, hinge.at(theta, order[start : start + batch])[1])
    return np.ascontiguousarray(theta.T)
