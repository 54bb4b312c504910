"""The label verdict: how probable it is that a row's label is wrong, and the evidence that any are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator

from toadstone.core.arrays import Array, IntArray, Labels, Mask, Matrix
from toadstone.detectors.labels.classifiers import by_appearance
from toadstone.detectors.verdict.stack import build_stack
from toadstone.kernels.rows import value_order
from toadstone.kernels.verdict.noise_evidence import FloorFits, fit_floors, rate_interval
from toadstone.sanitizers.labelled import admit, own, trusted_mask
from toadstone.sanitizers.scored import draw_seed

SHORT_LIST = 0.01
"""Share of the rows up to which a list is shown though the evidence for a floor is less than even."""

UNDECIDED = 0.02
"""Share of wrong labels that the data must exclude before they count as free of them."""

_FEWEST_OF_A_LABEL = 5


@dataclass(frozen=True)
class NoiseEvidence:
    """Evidence that labels are wrong, whichever they are.

    Parameters
    ----------
    rate : float
        Estimated share of wrong labels under the best model with a floor.
    interval : (float, float)
        95 % profile-likelihood interval of the share, with the same floor
        under each label.
    log_ratio : float
        Log-likelihood ratio of the best floor against none, in nats, less
        half the logarithm of the rows for each parameter of the floor; above
        zero the data prefer wrong labels to none.
    supported : bool
        True if the rows that look wrong are a list to act on, false if they
        are one to review.
    by_class : tuple of float
        Share of the rows that arrive in each label by error.
    """

    rate: float
    interval: tuple[float, float]
    log_ratio: float
    supported: bool
    by_class: tuple[float, ...]


class LabelVerdict(BaseEstimator):
    """Probability that a row's label is wrong, from a stack of learners with a noise floor.

    Logistic regression, a random forest and nearest neighbours predict every
    label without having seen the row's own; their odds are stacked, and a
    floor under the labels is fitted with the weights of the stack. The floor
    says how many labels are wrong, and with it each row's probability
    follows. Where classes overlap the data may not tell wrong labels from
    right ones: `evidence_` then says so.

    Parameters
    ----------
    estimators : sequence of classifier, default=()
        Your own classifiers, added to the stack.
    random_state : int, RandomState or None, default=0

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    wrong_probability_ : ndarray of shape (n,)
        Given that there is a floor; zero for trusted rows, and for labels of
        fewer than five rows, which no learner can know.
    suggested_ : ndarray of shape (n,)
        The likeliest other label.
    suggestion_probability_ : ndarray of shape (n,)
        Of that label to be the true one.
    evidence_ : NoiseEvidence
    ranking_score_ : ndarray of shape (n,)
        Probability by the stack that the true label is another one, whatever
        label was given: the order in which to review rows. With the same
        floor under each label it ranks rows as their probability to be wrong
        does, and it tells them apart without a floor too.
    flagged_indices_ : ndarray of int
        Rows more probably wrong than right, most probable first; empty where
        `evidence_` does not support them.
    review_indices_ : ndarray of int
        Where it does not, and the data do not exclude wrong labels either:
        rows that the stack contradicts, most suspicious first, as many as
        may be wrong by the upper end of the interval.
    learner_weights_ : dict of str to float

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["ham", "spam"], 100)
    >>> X = rng.normal(np.where(y == "ham", -3, 3)[:, None], 1, (200, 2))
    >>> y[7] = "spam"
    >>> verdict = LabelVerdict().fit(X, y)
    >>> verdict.flagged_indices_
    array([7])
    >>> verdict.suggested_[7]
    np.str_('ham')
    """

    needs_labels: ClassVar[bool] = True
    needs_trusted: ClassVar[bool] = False
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimators": [tuple, list],
        "random_state": ["random_state"],
    }

    classes_: Labels
    wrong_probability_: Array
    ranking_score_: Array
    suggested_: Labels
    suggestion_probability_: Array
    evidence_: NoiseEvidence
    flagged_indices_: IntArray
    review_indices_: IntArray
    learner_weights_: dict[str, float]

    def __init__(self, *, estimators: Sequence[Any] = (), random_state: int | np.random.RandomState | None = 0) -> None:
        self.estimators = estimators
        self.random_state = random_state

    def fit(self, X: Matrix, y: Labels, *, trusted: IntArray | Mask | None = None) -> Self:
        """Judge the label of every row.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
        y : array_like of shape (n,)
        trusted : ndarray of int or bool, optional
            Rows known to be clean, by position or as a mask. They are trained
            on, tell overlap from wrong labels, and are never listed.

        Returns
        -------
        LabelVerdict
            Itself.

        Raises
        ------
        InvalidArgument
            If `trusted` names rows that do not exist.
        InvalidData
            If there are too few rows, or fewer than two labels.
        """
        matrix, self.classes_, codes = admit(self, X, y)
        known = trusted_mask(trusted, len(codes))
        order = value_order(matrix, codes)
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        # Numbered by appearance, classes get the same probabilities whatever they are called.
        ordered, n_classes = by_appearance(codes[order]), len(self.classes_)
        names = np.empty(n_classes, dtype=np.int64)
        names[ordered] = codes[order]
        stack = build_stack(
            matrix[order], ordered, n_classes, known[order], self.estimators, draw_seed(self.random_state)
        )
        fits = fit_floors(stack.tables, ordered, known[order])
        interval = rate_interval(stack.tables, ordered, known[order], fits.symmetric)
        weights = fits.best_floor.weights
        self.learner_weights_ = {name: float(a) for name, a in zip(stack.names, weights, strict=True)}
        judged = ~known & (np.bincount(codes)[codes] >= _FEWEST_OF_A_LABEL)
        likeliest, arriving = self._judge(fits, stack.tables, ordered, place, judged)
        self.suggested_ = self.classes_[names[likeliest]]
        self._decide(fits, arriving[np.argsort(names)], interval)
        return self

    def _judge(
        self, fits: FloorFits, tables: Array, ordered: IntArray, place: IntArray, judged: Mask
    ) -> tuple[IntArray, Array]:
        """Set the probabilities of each row; return its likeliest other label, and the share that arrives in each."""
        shares = [(fits.symmetric, 1 - fits.share_of_class_floor), (fits.by_class, fits.share_of_class_floor)]
        of_labels, arriving = np.zeros(tables.shape[1:]), np.zeros(tables.shape[2])
        for model, share in shares:
            true = model.true_probabilities(tables)
            conditional = model.given_labels(true, ordered)
            if model is fits.symmetric:
                self.ranking_score_ = np.where(judged, 1 - own(true, ordered)[place], 0.0)
            of_labels += share * conditional
            arriving += share * model.arriving(true)
        self.wrong_probability_ = np.where(judged, 1 - own(of_labels, ordered)[place], 0.0)
        of_labels[np.arange(len(ordered)), ordered] = -1.0
        likeliest = of_labels.argmax(axis=1)
        self.suggestion_probability_ = np.where(judged, own(of_labels, likeliest)[place], 0.0)
        return likeliest[place], arriving

    def _decide(self, fits: FloorFits, arriving: Array, interval: tuple[float, float]) -> None:
        n = len(self.wrong_probability_)
        listed = _most_suspicious_first(self.wrong_probability_)
        supported = fits.log_ratio >= 0 or 0 < len(listed) <= SHORT_LIST * n
        self.flagged_indices_ = listed if supported else listed[:0]
        self.review_indices_ = listed[:0]
        if not supported and (len(listed) or interval[1] > UNDECIDED):
            contradicted = _most_suspicious_first(self.ranking_score_)
            self.review_indices_ = contradicted[: max(len(listed), int(np.ceil(interval[1] * n)))]
        supported = supported or not len(self.review_indices_)
        self.evidence_ = NoiseEvidence(
            float(arriving.sum()), interval, float(fits.log_ratio), bool(supported), tuple(arriving.tolist())
        )


def _most_suspicious_first(scores: Array) -> IntArray:
    """Return the rows above one half, the largest first, equal ones by position."""
    rows = np.flatnonzero(scores > 0.5)
    return rows[np.argsort(-scores[rows], kind="stable")]
