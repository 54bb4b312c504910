"""Ensemble filter: flag the rows whose label bootstrap models trained without them outvote."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.detectors.calibrated import Calibrated
from toadstone.detectors.labels.classifiers import CLASSIFIER, bag, copies, train
from toadstone.detectors.labels.pooled_odds import PooledOdds
from toadstone.detectors.labels.second_opinion import sampled
from toadstone.kernels.statistics.class_probabilities import contradictions, probabilities
from toadstone.sanitizers.scored import ClassScorer, draw_seed

_MOST_HEADS, _FEWEST_MODELS = 2000, 10


class EnsembleFilter(PooledOdds, Calibrated, ClassScorer, BaseEstimator):
    """Flag the rows that most bootstrap models trained without them put in another class.

    The method of Brodley and Friedl [1]_ with out-of-bag estimates [2]_. Only
    models out of whose bag a row lies vote on it: the others have learned its
    label, wrong or not. A row that lies in every bag is not flagged.
    Attributes that all detectors have are those of `Calibrated`.

    Parameters
    ----------
    estimator : classifier, optional
        Classifier to train; scikit-learn's logistic regression by default.
    n_estimators : int, default=25
        Fewer, but ten at least, where one for each class of each model would
        make more than 2000.
    false_alarm_rate : float, default=0.02
        Share of clean rows that may be flagged, in (0, 0.1].
    random_state : int, RandomState or None, default=0
        Seed of the bags.

    Attributes
    ----------
    models_ : list of classifier
        Each trained on a bag: as many distinct rows of each class as there
        are, drawn with replacement, copies together.
    suspicion_ : ndarray of shape (n,)
        Log odds of the likeliest other class against a row's own, by the mean
        of the models out of whose bag it lies; not positive unless most of
        them vote against its label.
    thresholds_ : ndarray of shape (n_classes,)
        All equal and never negative, but infinite for a label that occurs once.

    References
    ----------
    .. [1] Brodley and Friedl, "Identifying mislabeled training data", JAIR
       11, 1999, section 3.
    .. [2] Breiman, "Out-of-bag estimation", 1996.

    Examples
    --------
    >>> X = np.concatenate([np.linspace(-3, -1, 50), np.linspace(1, 3, 50)])[:, None]
    >>> y = np.repeat(["ham", "spam"], 50)
    >>> y[7] = "spam"
    >>> EnsembleFilter().fit(X, y).flagged_indices_
    array([7])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Calibrated._parameter_constraints,
        "estimator": CLASSIFIER,
        "n_estimators": [Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
    }
    _measure: ClassVar[str] = "log odds of another class out of bag"

    def __init__(
        self,
        *,
        estimator: Any = None,
        n_estimators: int = 25,
        false_alarm_rate: float = 0.02,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.false_alarm_rate = false_alarm_rate
        self.random_state = random_state

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        rng = np.random.default_rng(draw_seed(self.random_state))
        groups = copies(X)
        models = min(self.n_estimators, max(_FEWEST_MODELS, _MOST_HEADS // len(self.classes_)))
        self._bags = [bag(codes, groups, rng) for _ in range(models)]
        self.models_ = [train(self.estimator, X, codes, inside) for inside in self._bags]

    def _fitted_suspicions(self, X: Matrix, codes: IntArray) -> Array:
        n, k = X.shape[0], len(self.classes_)
        sums, against, voters = np.zeros((n, k)), np.zeros(n), np.zeros(n)
        for model, inside in zip(self.models_, self._bags, strict=True):
            outside = np.setdiff1d(np.arange(n), inside)
            if not outside.size:
                continue
            table = probabilities(model, X[outside], np.arange(k))
            sums[outside] += table
            against[outside] += table.argmax(axis=1) != codes[outside]
            voters[outside] += 1
        # A row out of few bags gets few votes: shares of its votes compare with those of other rows, sums would not.
        table = sums / np.maximum(voters, 1)[:, None]
        rows = sampled(codes)
        rows = rows[voters[rows] > 0]
        self._compare(X, codes, table[rows], table[rows], rows)
        suspicion = contradictions(table, codes)
        return np.where(2 * against > voters, suspicion, np.minimum(suspicion, 0.0))

    def _suspicion(self, X: Matrix, code: int) -> Array:
        known = np.arange(len(self.classes_))
        table = np.mean([probabilities(model, X, known) for model in self.models_], axis=0)
        return contradictions(table, np.full(len(table), code))
