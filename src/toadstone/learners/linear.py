"""A linear classifier with a ridge penalty, trained to a duality gap."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions

from toadstone.core.arrays import Array, Labels, Matrix
from toadstone.kernels.linear.fit import Bias, LinearSolver
from toadstone.kernels.linear.one_vs_rest import OneVsRestFit, fit_one_vs_rest
from toadstone.kernels.losses import MARGIN_LOSSES, margin_loss
from toadstone.learners.linear_scores import LinearScores, SparseClassifier, draw_seed, rows_to_fit


class LinearClassifier(LinearScores, SparseClassifier, BaseEstimator):
    """A linear classifier that minimizes the mean loss plus half the ridge times the squared norm.

    With more than two classes, one model is trained for each class against
    the rest.

    Parameters
    ----------
    loss : {"hinge", "smooth_hinge", "squared_hinge", "logistic"}, default="hinge"
    ridge : float, default=0.01
        Penalty for each row: liblinear's ``C`` is ``1 / (n * ridge)``.
    bias : {"regularized", "free", "none"}, default="regularized"
        The bias is penalized like a weight (liblinear's convention), not
        penalized, or absent.
    tolerance : float, default=1e-8
        Largest duality gap, relative to the objective.
    warm_start : bool, default=False
        Start from the last fit if it had as many rows and classes, as when
        only labels, weights or the ridge have changed.
    random_state : int, RandomState or None, default=0
        Seed of the order in which the solver visits rows.

    Attributes
    ----------
    coef_ : ndarray of shape (1, d) or (n_classes, d)
    intercept_ : ndarray of shape (1,) or (n_classes,)
    classes_ : ndarray of shape (n_classes,)
    gap_ : float
        Upper bound of the objective's distance from its minimum; the largest
        over the classes.
    n_features_in_ : int

    Examples
    --------
    >>> X = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    >>> LinearClassifier().fit(X, ["ham", "ham", "spam", "spam"]).predict([[3.0]]).tolist()
    ['spam']
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "loss": [StrOptions(set(MARGIN_LOSSES))],
        "ridge": [Interval(Real, 0, None, closed="neither")],
        "bias": [StrOptions({"regularized", "free", "none"})],
        "tolerance": [Interval(Real, 0, None, closed="neither")],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        loss: str = "hinge",
        ridge: float = 0.01,
        bias: Bias = "regularized",
        tolerance: float = 1e-8,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.loss = loss
        self.ridge = ridge
        self.bias = bias
        self.tolerance = tolerance
        self.warm_start = warm_start
        self.random_state = random_state

    def fit(self, X: Matrix, y: Labels, sample_weight: Array | None = None) -> Self:
        """Train on labelled rows.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
        y : array_like of shape (n,)
            Labels of at least two classes.
        sample_weight : array_like of shape (n,), optional
            Relative weights, not negative; a row with weight two counts as
            two rows.

        Returns
        -------
        LinearClassifier
            The fitted estimator.

        Raises
        ------
        InvalidData
            If rows of positive weight belong to fewer than two classes.
        """
        matrix, codes, weights = rows_to_fit(self, X, y, sample_weight)
        start, seed = self._start(len(codes)), draw_seed(self.random_state)
        solver = LinearSolver(margin_loss(self.loss), self.ridge, self.bias, self.tolerance, seed)
        fit = fit_one_vs_rest(matrix, codes, solver, weights=weights, start=start)
        self._fit, self.gap_ = fit, fit.gap
        self.coef_, self.intercept_ = fit.thetas[:, :-1], fit.thetas[:, -1]
        return self

    def _start(self, n_rows: int) -> OneVsRestFit | None:
        last: OneVsRestFit | None = getattr(self, "_fit", None)
        models = 1 if len(self.classes_) == 2 else len(self.classes_)
        usable = self.warm_start and last is not None and last.duals.shape == (models, n_rows)
        return last if usable else None
