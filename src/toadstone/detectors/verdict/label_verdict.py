"""The label verdict: how probable it is that a row's label is wrong, and the evidence that any are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator

from toadstone.core.arrays import Array, IntArray, Labels, Mask, Matrix
from toadstone.detectors.labels.classifiers import by_appearance
from toadstone.detectors.verdict.stack import build_stack
from toadstone.kernels.rows import value_order
from toadstone.kernels.verdict.noise_evidence import NoiseProfile, noise_profile
from toadstone.sanitizers.labelled import admit, own, trusted_mask
from toadstone.sanitizers.scored import draw_seed

DECIDED = math.log(3)
"""Evidence, for or against, that is worth more than a mention: odds of 3 to 1."""

EXCLUDED = math.log(20)
"""Evidence against wrong labels at which a list is for review only: odds of 20 to 1."""

LISTED = 0.6
"""Probability of a wrong label beyond which a row is listed."""

SHORT_LIST = 0.005
"""Share of the rows up to which a list is one to act on, though the evidence is against wrong labels."""

_FEWEST_OF_A_LABEL = 5


@dataclass(frozen=True)
class NoiseEvidence:
    """Evidence that labels are wrong, whichever they are.

    Parameters
    ----------
    rate : float
        Expected share of wrong labels, given that there are any.
    interval : (float, float)
        95 % profile-likelihood interval of the share, with the same floor
        under each label.
    log_ratio : float
        Logarithm of the Bayes factor for wrong labels against none, in nats.
        Near zero the data do not tell; see `noise_profile`.
    supported : bool
        False if the rows that look wrong are for review only.
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
        Rows whose label is wrong with a probability above 0.6, most probable
        first; empty where they are more than one row in two hundred and the
        data prefer no wrong labels by 20 to 1.
    review_indices_ : ndarray of int
        These rows in that case; and where the data cannot tell, and no row is
        above that probability, the rows that the stack contradicts,
        most suspicious first, as many as may be wrong by the upper end of the
        interval.
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
        # Equal rows are told apart by trust, so that the caller's order decides nothing.
        before = np.argsort(known, kind="stable")
        order = before[value_order(matrix[before], codes[before])]
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        # Numbered by appearance, classes get the same probabilities whatever they are called.
        ordered, n_classes = by_appearance(codes[order]), len(self.classes_)
        names = np.empty(n_classes, dtype=np.int64)
        names[ordered] = codes[order]
        stack = build_stack(
            matrix[order], ordered, n_classes, known[order], self.estimators, draw_seed(self.random_state)
        )
        profile = noise_profile(stack.tables, ordered, known[order])
        weights = profile.likeliest.weights
        self.learner_weights_ = {name: float(a) for name, a in zip(stack.names, weights, strict=True)}
        of_labels, arriving = profile.judged(stack.tables, ordered)
        contradicted = 1 - own(profile.likeliest.true_probabilities(stack.tables), ordered)
        wrong = 1 - own(of_labels, ordered)
        of_labels[np.arange(len(ordered)), ordered] = -1.0
        likeliest = of_labels.argmax(axis=1)
        self.suggested_ = self.classes_[names[likeliest[place]]]
        judged = ~known & (np.bincount(codes)[codes] >= _FEWEST_OF_A_LABEL)
        self.wrong_probability_, self.ranking_score_, self.suggestion_probability_ = (
            np.where(judged, scores[place], 0.0) for scores in (wrong, contradicted, own(of_labels, likeliest))
        )
        self._decide(profile, arriving[np.argsort(names)])
        return self

    def _decide(self, profile: NoiseProfile, arriving: Array) -> None:
        n, n_classes = len(self.wrong_probability_), len(arriving)
        # Of labels drawn at random one in K is right by chance.
        low, high = (total * (1 - 1 / n_classes) for total in profile.totals)
        listed, none = _most_suspicious_first(self.wrong_probability_), np.empty(0, dtype=np.int64)
        to_act_on = profile.log_ratio >= -EXCLUDED or len(listed) <= max(1, SHORT_LIST * n)
        to_review = none if to_act_on else listed
        if not listed.size and profile.log_ratio >= -DECIDED:
            to_review = _most_suspicious_first(self.ranking_score_)[: int(np.ceil(high * n))]
        self.flagged_indices_, self.review_indices_ = listed if to_act_on else none, to_review
        self.evidence_ = NoiseEvidence(
            rate=float(arriving.sum()),
            interval=(low, high),
            log_ratio=profile.log_ratio,
            supported=not self.review_indices_.size,
            by_class=tuple(arriving.tolist()),
        )


def _most_suspicious_first(scores: Array) -> IntArray:
    """Return the rows beyond `LISTED`, the largest first, equal ones by position."""
    rows = np.flatnonzero(scores > LISTED)
    return rows[np.argsort(-scores[rows], kind="stable")]
