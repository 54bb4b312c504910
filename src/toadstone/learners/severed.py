"""SEVER: a classifier trained repeatedly without the rows with the most extreme gradients."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils._param_validation import HasMethods, Interval

from toadstone.core.arrays import Labels, Matrix
from toadstone.kernels.statistics.class_probabilities import probabilities, slopes
from toadstone.kernels.statistics.sever import sever
from toadstone.learners.linear import LinearClassifier
from toadstone.learners.linear_scores import SparseClassifier, rows_to_fit, rows_to_predict


class SeveredClassifier(SparseClassifier, BaseEstimator):
    """A classifier trained repeatedly without the rows with the most extreme gradients.

    Gradients are those of a linear softmax model with the probabilities of
    the estimator [1]_. Each class is treated separately, and a class whose
    gradients coincide loses no row.

    Parameters
    ----------
    estimator : classifier, optional
        The model to train; `LinearClassifier` with the logistic loss by
        default.
    fraction : float, default=0.1
        Assumed share of poison, in [0, 1): half of it is left out after each
        round but the last.
    rounds : int, default=4
        Number of models to train before the final one.

    Attributes
    ----------
    estimator_ : classifier
        The model trained on the kept rows.
    kept_indices_ : ndarray of int
        Positions of the kept rows, ascending.
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int

    References
    ----------
    .. [1] Diakonikolas and others, "Sever: A robust meta-algorithm for
       stochastic optimization", ICML 2019, algorithms 1 and 2, section 4.

    Examples
    --------
    >>> X = np.array([[-2.0], [-1.5], [-1.0], [1.0], [1.5], [2.0], [9.0]])
    >>> SeveredClassifier(rounds=2, fraction=0.5).fit(X, [0, 0, 0, 1, 1, 1, 0]).predict([[9.0]])
    array([1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "fraction": [Interval(Real, 0, 1, closed="left")],
        "rounds": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, *, estimator: Any = None, fraction: float = 0.1, rounds: int = 4) -> None:
        self.estimator = estimator
        self.fraction = fraction
        self.rounds = rounds

    def fit(self, X: Matrix, y: Labels) -> Self:
        """Train, leave rows out and train again.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
        y : array_like of shape (n,)
            Labels of at least two classes.

        Returns
        -------
        SeveredClassifier
            The fitted estimator.

        Raises
        ------
        InvalidData
            If there is a single class.
        """
        matrix, codes, _ = rows_to_fit(self, X, y)
        labels = self.classes_[codes]
        plain = LinearClassifier(loss="logistic", tolerance=1e-6) if self.estimator is None else self.estimator
        severed = sever(
            lambda rows: clone(plain).fit(matrix[rows], labels[rows]),
            lambda model: slopes(probabilities(model, matrix, self.classes_), codes),
            matrix,
            codes,
            share=self.fraction / 2,
            rounds=self.rounds,
        )
        self.kept_indices_ = np.flatnonzero(severed.kept)
        self.estimator_ = clone(plain).fit(matrix[self.kept_indices_], labels[self.kept_indices_])
        return self

    def predict(self, X: Matrix) -> Labels:
        """Return the label of the last model for each row."""
        matrix = rows_to_predict(self, X)
        return np.asarray(self.estimator_.predict(matrix))
