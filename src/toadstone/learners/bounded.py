"""Linear classifiers whose loss no row can raise beyond a cap."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions

from toadstone.core.arrays import Array, Labels, Matrix
from toadstone.kernels.linear.bounded_loss import BOUNDED_LOSSES, bounded_loss, fit_bounded
from toadstone.kernels.linear.fit import Bias
from toadstone.learners.linear_scores import LinearScores, draw_seed, rows_to_fit


class BoundedLossClassifier(LinearScores, BaseEstimator):
    """Minimize the mean of a bounded, hence not convex, loss plus half the ridge times the squared norm.

    A flipped row far on the wrong side costs the cap and no more, so that its
    pull on the model fades. The descent begins at the convex model and never
    rises (`fit_bounded`). More than two classes are trained one against the
    rest.

    Parameters
    ----------
    loss : {"ramp", "sigmoid", "welsch"}, default="ramp"
        The hinge cut off at the cap [1]_; ``cap * (1 - exp(-l / cap))`` of
        the logistic loss l, which for a cap of one is the sigmoid of minus
        the margin and for others the generalized cross entropy [2]_; the same
        of the squared hinge.
    cap : float, default=1.0
        The largest loss of a row.
    ridge : float, default=0.01
        Penalty for each row.
    bias : {"regularized", "free", "none"}, default="regularized"
    rounds : int, default=50
        At most so many convex models.
    tolerance : float, default=1e-6
        Duality gap to reach, as a share of the objective, and fall of the
        objective to stop at.
    random_state : int, RandomState or None, default=0
        Of the order in which the solver visits rows.

    Attributes
    ----------
    coef_ : ndarray of shape (1, d) or (n_classes, d)
    intercept_ : ndarray of shape (1,) or (n_classes,)
    classes_ : ndarray of shape (n_classes,)
    row_weights_ : ndarray of shape (1, n) or (n_classes, n)
        What each row counted at the end, in [0, 1].
    objectives_ : list of tuple of float
        After each round; of each class against the rest.
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
        """Descend from the convex model.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
        y : array_like of shape (n,)
            Labels of at least two classes.

        Returns
        -------
        BoundedLossClassifier
            Itself.

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
                loss=bounded_loss(self.loss),
                cap=self.cap,
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
