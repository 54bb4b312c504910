"""A linear classifier with a bounded loss."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions

from toadstone.core.arrays import Array, Labels, Matrix
from toadstone.kernels.linear.bounded_loss import BOUNDED_LOSSES, bounded_loss, fit_bounded
from toadstone.kernels.linear.fit import Bias
from toadstone.learners.linear_scores import LinearScores, SparseClassifier, draw_seed, rows_to_fit


class BoundedLossClassifier(LinearScores, SparseClassifier, BaseEstimator):
    """A linear classifier that minimizes a bounded mean loss plus half the ridge times the squared norm.

    A row far on the wrong side costs the cap and no more, so its influence on
    the model vanishes. The objective is not convex; the descent starts from
    the convex model and never rises (`fit_bounded`). With more than two
    classes, one model is trained for each class against the rest.

    Parameters
    ----------
    loss : {"ramp", "sigmoid", "welsch"}, default="ramp"
        "ramp" is the hinge cut off at the cap [1]_; "sigmoid" is
        ``cap * (1 - exp(-l / cap))`` of the logistic loss l: the sigmoid of
        minus the margin for a cap of one, the generalized cross entropy
        [2]_ for others; "welsch" is the same of the squared hinge.
    cap : float, default=1.0
        The largest loss of a row.
    ridge : float, default=0.01
        Penalty for each row.
    bias : {"regularized", "free", "none"}, default="regularized"
    rounds : int, default=50
        Most convex models to train.
    tolerance : float, default=1e-6
        Largest duality gap of each convex model, relative to the objective;
        the descent stops once the objective falls by less.
    random_state : int, RandomState or None, default=0
        Seed of the order in which the solver visits rows.

    Attributes
    ----------
    coef_ : ndarray of shape (1, d) or (n_classes, d)
    intercept_ : ndarray of shape (1,) or (n_classes,)
    classes_ : ndarray of shape (n_classes,)
    row_weights_ : ndarray of shape (1, n) or (n_classes, n)
        Weight of each row in the last convex model, in [0, 1].
    objectives_ : list of tuple of float
        Objective after each round, for each class against the rest.
    n_features_in_ : int

    References
    ----------
    .. [1] Collobert, Sinz, Weston and Bottou, "Trading convexity for
       scalability", ICML 2006.
    .. [2] Zhang and Sabuncu, "Generalized cross entropy loss for training
       deep neural networks with noisy labels", NeurIPS 2018, equation 6.

    Examples
    --------
    >>> X = np.array([[-2.0], [-2.0], [-1.0], [1.0], [2.0], [2.0], [2.0]])
    >>> BoundedLossClassifier().fit(X, [0, 0, 0, 1, 1, 1, 0]).row_weights_
    array([[1., 1., 1., 1., 1., 1., 0.]])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "loss": [StrOptions(set(BOUNDED_LOSSES))],
        "cap": [Interval(Real, 0, None, closed="neither")],
        "ridge": [Interval(Real, 0, None, closed="neither")],
        "bias": [StrOptions({"regularized", "free", "none"})],
        "rounds": [Interval(Integral, 1, None, closed="left")],
        "tolerance": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        loss: str = "ramp",
        cap: float = 1.0,
        ridge: float = 0.01,
        bias: Bias = "regularized",
        rounds: int = 50,
        tolerance: float = 1e-6,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.loss = loss
        self.cap = cap
        self.ridge = ridge
        self.bias = bias
        self.rounds = rounds
        self.tolerance = tolerance
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
        BoundedLossClassifier
            The fitted estimator.

        Raises
        ------
        InvalidData
            If there is a single class.
        """
        matrix, codes, _ = rows_to_fit(self, X, y)
        seed = draw_seed(self.random_state)
        positives = [1] if len(self.classes_) == 2 else range(len(self.classes_))
        fits = [
            fit_bounded(
                matrix,
                np.where(codes == code, 1.0, -1.0),
                loss=bounded_loss(self.loss, self.cap),
                ridge=self.ridge,
                bias=self.bias,
                rounds=self.rounds,
                tolerance=self.tolerance,
                seed=seed,
            )
            for code in positives
        ]
        thetas: Array = np.stack([fit.theta for fit in fits])
        self.coef_, self.intercept_ = thetas[:, :-1], thetas[:, -1]
        self.row_weights_ = np.stack([fit.weights for fit in fits])
        self.objectives_ = [fit.objectives for fit in fits]
        return self
