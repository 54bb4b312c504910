"""Remove the rows that a model trained on everything fits worst."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.feasible import Region
from toadstone.kernels.linear.crammer_singer import CrammerSingerSolver, MulticlassFit
from toadstone.kernels.linear.fit import Bias, LinearSolver
from toadstone.kernels.linear.one_vs_rest import OneVsRestFit, fit_one_vs_rest
from toadstone.kernels.losses import MARGIN_LOSSES, margin_loss
from toadstone.sanitizers.scored import ClassScorer, draw_seed
from toadstone.sanitizers.trimming import Trimming


class LossSanitizer(Trimming, ClassScorer, BaseEstimator):
    """Score rows by how badly a linear model trained on all of them fits.

    The loss defence of Koh, Steinhardt and Liang [1]_: one minus the margin,
    without the hinge's maximum with zero, so that well fitted rows stay in
    order and a score may be negative. With more than two classes the margin
    is the score of the row's class minus the best score of another; the hinge
    with a penalized bias is then that of Crammer and Singer [2]_, which trains
    all classes together, and any other model one class against the rest.
    Attributes that all sanitizers have are those of `Trimming`.

    Parameters
    ----------
    contamination : float, default=0.05
        Share of each class to remove, in (0, 0.5].
    loss : {"hinge", "smooth_hinge", "squared_hinge", "logistic"}, default="hinge"
        Loss that the model minimises.
    ridge : float, default=0.01
        Penalty of the model for each row: liblinear's ``C`` is
        ``1 / (n * ridge)``.
    bias : {"regularized", "free", "none"}, default="regularized"
        The bias is penalized, not penalized, or absent.
    tolerance : float, default=1e-6
        Duality gap to reach, as a share of the objective.
    random_state : int, RandomState or None, default=0
        Seed of the order in which the solver visits rows.

    Attributes
    ----------
    model_ : OneVsRestFit or MulticlassFit
        The model trained on all rows.
    feasible_set_ : ConvexSet
        For each class one half-space, or one for each rival class: the rows
        within its threshold.

    References
    ----------
    .. [1] Koh, Steinhardt and Liang, "Stronger data poisoning attacks break
       data sanitization defenses", Machine Learning 111, 2022, sections 2.2
       and 5.7.
    .. [2] Crammer and Singer, "On the algorithmic implementation of
       multiclass kernel-based vector machines", JMLR 2, 2001.

    Examples
    --------
    >>> X = np.array([[-2.0], [-1.0], [3.0], [1.0], [2.0], [3.0]])
    >>> LossSanitizer(contamination=0.3).fit_resample(X, [0, 0, 0, 1, 1, 1])[0].ravel()
    array([-2., -1.,  2.,  3.])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Trimming._parameter_constraints,
        "loss": [StrOptions(set(MARGIN_LOSSES))],
        "ridge": [Interval(Real, 0, None, closed="neither")],
        "bias": [StrOptions({"regularized", "free", "none"})],
        "tolerance": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
    }
    needs_labels: ClassVar[bool] = True
    _measure: ClassVar[str] = "one minus the margin"

    def __init__(
        self,
        *,
        contamination: float = 0.05,
        loss: str = "hinge",
        ridge: float = 0.01,
        bias: Bias = "regularized",
        tolerance: float = 1e-6,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.contamination = contamination
        self.loss = loss
        self.ridge = ridge
        self.bias = bias
        self.tolerance = tolerance
        self.random_state = random_state

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        self.model_ = self._train(X, codes)

    def _train(self, X: Matrix, codes: IntArray) -> OneVsRestFit | MulticlassFit:
        seed = draw_seed(self.random_state)
        if len(self.classes_) > 2 and self.loss == "hinge" and self.bias == "regularized":
            return CrammerSingerSolver(self.ridge, self.tolerance, seed).fit(X, codes, len(self.classes_))
        solver = LinearSolver(margin_loss(self.loss), self.ridge, self.bias, self.tolerance, seed)
        return fit_one_vs_rest(X, codes, solver)

    def _class_suspicions(self, X: Matrix) -> Array:
        scores = self.model_.scores(X)
        columns = [1 - scores[:, code] + np.delete(scores, code, axis=1).max(axis=1) for code in range(scores.shape[1])]
        return np.column_stack(columns)

    def _regions(self) -> list[Region]:
        return [_half_spaces(self.model_.rivalries(code), 1 - loss) for code, loss in enumerate(self.thresholds_)]


def _half_spaces(rivalries: Array, least_margin: float) -> Region:
    d = rivalries.shape[1] - 1
    low = least_margin - rivalries[:, -1]
    unbounded = np.full(d, np.inf)
    return Region(-unbounded, unbounded, np.zeros(d), np.inf, rivalries[:, :-1], low, np.full(len(low), np.inf))
