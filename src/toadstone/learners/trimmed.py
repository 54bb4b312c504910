"""A linear classifier with a trimmed loss."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions

from toadstone.core.arrays import Array, IntArray, Labels, Matrix
from toadstone.kernels.linear.fit import Bias, LinearSolver
from toadstone.kernels.linear.one_vs_rest import OneVsRestFit, fit_one_vs_rest
from toadstone.kernels.linear.trimmed_loss import TrimmedFit, alternate
from toadstone.kernels.losses import MARGIN_LOSSES, margin_loss
from toadstone.learners.linear_scores import LinearScores, SparseClassifier, draw_seed, rows_to_fit


class TrimmedLossClassifier(LinearScores, SparseClassifier, BaseEstimator):
    """A linear classifier trained on the rows with the smallest loss.

    The mean loss of the kept rows plus half the ridge times the squared norm
    is minimized in turns over the model and over the rows, as in the
    C-steps of [1]_ and in [2]_. It starts from the model of all rows and from
    models of random halves, and takes the result with the lowest objective.
    With more than two classes the loss of a row is the sum of its losses of
    each class against the rest. The halves are drawn by position, so the
    order of the rows matters.

    Parameters
    ----------
    keep : float, default=0.8
        Share of the rows to fit, in (0.5, 1]; at least half of each class.
    restarts : int, default=4
        Number of random halves to start from, besides all rows.
    rounds : int, default=50
        Most models to train from each start.
    loss : {"hinge", "smooth_hinge", "squared_hinge", "logistic"}, default="hinge"
    ridge : float, default=0.01
        Penalty for each kept row.
    bias : {"regularized", "free", "none"}, default="regularized"
    tolerance : float, default=1e-6
        Largest duality gap, relative to the objective.
    random_state : int, RandomState or None, default=0
        Seed of the halves and of the order in which the solver visits rows.

    Attributes
    ----------
    coef_ : ndarray of shape (1, d) or (n_classes, d)
    intercept_ : ndarray of shape (1,) or (n_classes,)
    classes_ : ndarray of shape (n_classes,)
    kept_indices_ : ndarray of int
        Positions of the fitted rows, ascending.
    objectives_ : ndarray of shape (restarts + 1,)
        Objective reached from each start; the lowest was taken.
    n_features_in_ : int

    References
    ----------
    .. [1] Rousseeuw and Van Driessen, "Computing LTS regression for large
       data sets", Data Mining and Knowledge Discovery 12, 2006, theorem 1.
    .. [2] Shen and Sanghavi, "Learning with bad training data via iterative
       trimmed loss minimization", ICML 2019.

    Examples
    --------
    >>> X = np.array([[-2.0], [-2.0], [-1.0], [1.0], [2.0], [2.0], [90.0]])
    >>> TrimmedLossClassifier().fit(X, [0, 0, 0, 1, 1, 1, 0]).kept_indices_
    array([0, 1, 2, 4, 5])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "keep": [Interval(Real, 0.5, 1, closed="right")],
        "restarts": [Interval(Integral, 0, None, closed="left")],
        "rounds": [Interval(Integral, 1, None, closed="left")],
        "loss": [StrOptions(set(MARGIN_LOSSES))],
        "ridge": [Interval(Real, 0, None, closed="neither")],
        "bias": [StrOptions({"regularized", "free", "none"})],
        "tolerance": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        keep: float = 0.8,
        restarts: int = 4,
        rounds: int = 50,
        loss: str = "hinge",
        ridge: float = 0.01,
        bias: Bias = "regularized",
        tolerance: float = 1e-6,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.keep = keep
        self.restarts = restarts
        self.rounds = rounds
        self.loss = loss
        self.ridge = ridge
        self.bias = bias
        self.tolerance = tolerance
        self.random_state = random_state

    def fit(self, X: Matrix, y: Labels) -> Self:
        """Train from every start and keep the best model.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
        y : array_like of shape (n,)
            Labels of at least two classes.

        Returns
        -------
        TrimmedLossClassifier
            The fitted estimator.

        Raises
        ------
        InvalidData
            If there is a single class.
        """
        matrix, codes, _ = rows_to_fit(self, X, y)
        seed = draw_seed(self.random_state)
        rng = np.random.default_rng(seed)
        # Each start ends in a local minimum; poison can spoil the one that all rows lead to.
        starts = [np.arange(len(codes)), *(_half(codes, rng) for _ in range(self.restarts))]
        fits = [self._descend(matrix, codes, start, seed) for start in starts]
        self.objectives_ = np.array([self._objective(fit) for fit in fits])
        best = fits[int(self.objectives_.argmin())]
        self.kept_indices_ = best.rows
        self.coef_, self.intercept_ = best.model.thetas[:, :-1], best.model.thetas[:, -1]
        return self

    def _descend(self, X: Matrix, codes: IntArray, start: IntArray, seed: int) -> TrimmedFit[OneVsRestFit]:
        loss = margin_loss(self.loss)
        signs = [np.where(codes == code, 1.0, -1.0) for code in _positives(codes)]

        def train(rows: IntArray) -> OneVsRestFit:
            solver = LinearSolver(loss, self.ridge, self.bias, self.tolerance, seed)
            return fit_one_vs_rest(X[rows], codes[rows], solver)

        def judge(model: OneVsRestFit) -> Array:
            scores = np.asarray(X @ model.thetas[:, :-1].T + model.thetas[:, -1]).T
            losses = [loss.value(sign * score) for sign, score in zip(signs, scores, strict=True)]
            return np.asarray(np.sum(losses, axis=0))

        return alternate(train, judge, codes, start, keep=self.keep, rounds=self.rounds)

    def _objective(self, fit: TrimmedFit[OneVsRestFit]) -> float:
        # The penalty of training: a free bias costs nothing.
        thetas = fit.model.thetas if self.bias == "regularized" else fit.model.thetas[:, :-1]
        return float(fit.losses[fit.rows].mean() + 0.5 * self.ridge * (thetas**2).sum())


def _positives(codes: IntArray) -> list[int]:
    n_classes = int(codes.max()) + 1
    return [1] if n_classes == 2 else list(range(n_classes))


def _half(codes: IntArray, rng: np.random.Generator) -> IntArray:
    groups = [np.flatnonzero(codes == code) for code in range(int(codes.max()) + 1)]
    return np.sort(np.concatenate([rng.permutation(rows)[: (len(rows) + 1) // 2] for rows in groups]))
