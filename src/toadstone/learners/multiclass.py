"""Linear classifiers with the multi-class hinge loss: exact, or by a few epochs of AdaGrad."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval

from toadstone.core.arrays import Array, Labels, Matrix
from toadstone.kernels.linear.adagrad import AdaGrad
from toadstone.kernels.linear.crammer_singer import CrammerSingerSolver, MulticlassFit
from toadstone.kernels.linear.online_multiclass import descend_crammer_singer
from toadstone.learners.linear_scores import LinearScores, SparseClassifier, draw_seed, rows_to_fit


def _functions(theta: Array) -> tuple[Array, Array]:
    """Return weights and biases, for two classes those of one function, as scikit-learn's convention is."""
    functions = theta[1:] - theta[:1] if len(theta) == 2 else theta
    return functions[:, :-1], functions[:, -1]


class CrammerSingerClassifier(LinearScores, SparseClassifier, BaseEstimator):
    """A linear classifier that minimizes the mean multi-class hinge plus half the ridge times the squared norm.

    The hinge is that of Crammer and Singer [1]_; the minimum is found to a
    duality gap.

    Parameters
    ----------
    ridge : float, default=0.01
        Penalty of weights and biases for each row: liblinear's ``C`` is
        ``1 / (n * ridge)``.
    tolerance : float, default=1e-8
        Largest duality gap, relative to the objective.
    max_sweeps : int, default=20000
        Most passes over the rows; a warning is issued if they do not suffice.
    warm_start : bool, default=False
        Start from the last fit if it had as many rows and classes, as when
        only labels, weights or the ridge have changed.
    random_state : int, RandomState or None, default=0
        Seed of the order in which the solver visits rows.

    Attributes
    ----------
    coef_ : ndarray of shape (1, d) or (n_classes, d)
        With two classes, of the second score less the first.
    intercept_ : ndarray of shape (1,) or (n_classes,)
    classes_ : ndarray of shape (n_classes,)
    gap_ : float
        Upper bound of the objective's distance from its minimum.
    n_features_in_ : int

    References
    ----------
    .. [1] Crammer and Singer, "On the algorithmic implementation of
       multiclass kernel-based vector machines", JMLR 2, 2001.

    Examples
    --------
    >>> X = np.array([[0.0, 2.0], [2.0, 0.0], [-2.0, -2.0]])
    >>> CrammerSingerClassifier().fit(X, ["a", "b", "c"]).predict([[3.0, 1.0]]).tolist()
    ['b']
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "ridge": [Interval(Real, 0, None, closed="neither")],
        "tolerance": [Interval(Real, 0, None, closed="neither")],
        "max_sweeps": [Interval(Integral, 1, None, closed="left")],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        ridge: float = 0.01,
        tolerance: float = 1e-8,
        max_sweeps: int = 20_000,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.ridge = ridge
        self.tolerance = tolerance
        self.max_sweeps = max_sweeps
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
        CrammerSingerClassifier
            The fitted estimator.

        Raises
        ------
        InvalidData
            If rows of positive weight belong to fewer than two classes.
        """
        matrix, codes, weights = rows_to_fit(self, X, y, sample_weight)
        start, seed = self._start(len(codes)), draw_seed(self.random_state)
        solver = CrammerSingerSolver(self.ridge, self.tolerance, seed, self.max_sweeps)
        fit = solver.fit(matrix, codes, len(self.classes_), weights=weights, duals=start)
        self._fit, self.gap_ = fit, fit.gap
        self.coef_, self.intercept_ = _functions(fit.theta)
        return self

    def _start(self, n_rows: int) -> Array | None:
        last: MulticlassFit | None = getattr(self, "_fit", None)
        usable = self.warm_start and last is not None and last.duals.shape == (n_rows, len(self.classes_))
        return last.duals if usable and last is not None else None


class OnlineHingeClassifier(LinearScores, SparseClassifier, BaseEstimator):
    """A linear classifier trained by a few epochs of AdaGrad on the multi-class hinge, without a penalty.

    The defender of ten-class MNIST in Koh, Steinhardt and Liang [1]_, whose
    settings are the defaults. Batches are drawn by position, so the order of
    the rows matters.

    Parameters
    ----------
    epochs : int, default=3
        Passes over the rows, each in a new random order.
    batch : int, default=100
        Rows for each step.
    step : float, default=0.02
        AdaGrad's step length: that of a coordinate's first step if its
        gradient is large.
    accumulator : float, default=1e-4
        Initial value of AdaGrad's sums of squared gradients.
    random_state : int, RandomState or None, default=0
        Seed of the batches.

    Attributes
    ----------
    coef_ : ndarray of shape (1, d) or (n_classes, d)
        With two classes, of the second score less the first.
    intercept_ : ndarray of shape (1,) or (n_classes,)
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int

    References
    ----------
    .. [1] Koh, Steinhardt and Liang, "Stronger data poisoning attacks break
       data sanitization defenses", Machine Learning 111, 2022, section 5.7.

    Examples
    --------
    >>> X = np.array([[0.0, 2.0], [2.0, 0.0], [-2.0, -2.0]])
    >>> OnlineHingeClassifier().fit(X, ["a", "b", "c"]).predict([[3.0, 1.0]]).tolist()
    ['b']
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch": [Interval(Integral, 1, None, closed="left")],
        "step": [Interval(Real, 0, None, closed="neither")],
        "accumulator": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        epochs: int = 3,
        batch: int = 100,
        step: float = 0.02,
        accumulator: float = 1e-4,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.epochs = epochs
        self.batch = batch
        self.step = step
        self.accumulator = accumulator
        self.random_state = random_state

    def fit(self, X: Matrix, y: Labels) -> Self:
        """Train on labelled rows.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
        y : array_like of shape (n,)
            Labels of at least two classes.

        Returns
        -------
        OnlineHingeClassifier
            The fitted estimator.

        Raises
        ------
        InvalidData
            If there is a single class.
        """
        matrix, codes, _ = rows_to_fit(self, X, y)
        theta = descend_crammer_singer(
            matrix,
            codes,
            len(self.classes_),
            rng=np.random.default_rng(draw_seed(self.random_state)),
            epochs=self.epochs,
            batch=self.batch,
            descent=AdaGrad(self.step, self.accumulator),
        )
        self.coef_, self.intercept_ = _functions(theta)
        return self
