"""One verdict for each row: groups that were planted, then labels that are wrong among the rows that remain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator

from toadstone.core.arrays import Array, IntArray, Labels, Mask, Matrix
from toadstone.core.dataset import as_matrix
from toadstone.core.errors import InvalidData
from toadstone.detectors.features.feature_vote import FeatureVote
from toadstone.detectors.verdict.group_search import GroupSearch
from toadstone.detectors.verdict.label_verdict import DECIDED, EXCLUDED, LabelVerdict, NoiseEvidence
from toadstone.detectors.verdict.row_groups import RowGroup
from toadstone.kernels.neighbours.outvoted import asymmetric_labels
from toadstone.kernels.rows import canonical_form
from toadstone.sanitizers.labelled import admit, trusted_mask
from toadstone.sanitizers.scored import select_rows

NOTHING_KNOWN = NoiseEvidence(rate=0.0, interval=(0.0, 1.0), log_ratio=0.0, supported=False, by_class=())
"""Evidence where the rows that belong to no group have one label only."""

_CERTAIN = 1e6
_FEWEST_VOTERS = 20
_ASYMMETRIC = 1e-4
"""P-value below which more rows of a label lie among others than overlap of the classes explains."""


class Verdict(BaseEstimator):
    """Say of each row whether it should be there with its label, and list the rows that should not.

    Groups of rows that share rare values and do not belong to their label are
    looked for first and leave the data; the label verdict judges the rows
    that remain. A row's score is the larger of the two verdicts, and the list
    is their union.

    With features of a network that was trained on other data, groups are
    looked for in the rows themselves and labels judged in the features. There
    `FeatureVote` comes before the label verdict: the rows that it flags are
    listed if far more rows of their label lie among others than the reverse.

    Parameters
    ----------
    estimators : sequence of classifier, default=()
        Your own classifiers, added to the learners that judge labels; any
        classifier of scikit-learn's kind, with probabilities or without.
    random_state : int, RandomState or None, default=0

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted labels.
    groups_ : tuple of RowGroup
        Groups of rows that do not belong to their label.
    group_ : ndarray of int of shape (n,)
        Index of each row's group, -1 for rows of none.
    wrong_probability_ : ndarray of shape (n,)
        Of each row's label, given that there are wrong labels at all.
    suggested_ : ndarray of shape (n,)
        The likeliest other label.
    suggestion_probability_ : ndarray of shape (n,)
        Of that label to be the true one.
    score_, suspicion_ : ndarray of shape (n,)
        The larger of the two verdicts, in [0, 1]. Where the data cannot tell
        wrong labels from overlap, it is for ranking only.
    flagged_indices_ : ndarray of int
        The list, most suspicious first; no trusted row is among them.
    review_indices_ : ndarray of int
        Rows to look at first where the data cannot tell overlap of the
        classes from wrong labels; otherwise empty.
    reasons_ : list of str
        One sentence for each row of the list.
    expected_innocents_ : float
        Number of innocent rows to expect in the list.
    evidence_ : NoiseEvidence
        For wrong labels, whichever they are.
    voted_indices_ : ndarray of int
        Rows of the list that their nearest rows in `seen` outvote, ascending.
    note_ : str
        The evidence in a sentence.
    learner_weights_ : dict of str to float
        Weight of each learner in the stack.
    sample_indices_, removed_indices_ : ndarray of int
        Rows that `fit_resample` kept and removed, ascending.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["ham", "spam"], 100)
    >>> X = rng.normal(np.where(y == "ham", -3, 3)[:, None], 1, (200, 2))
    >>> y[7] = "spam"
    >>> verdict = Verdict().fit(X, y)
    >>> verdict.flagged_indices_
    array([7])
    >>> verdict.reasons_
    ['labelled spam, looks like ham (96 %)']
    """

    needs_labels: ClassVar[bool] = True
    needs_trusted: ClassVar[bool] = False
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimators": [tuple, list],
        "random_state": ["random_state"],
    }

    classes_: Labels
    groups_: tuple[RowGroup, ...]
    group_: IntArray
    wrong_probability_: Array
    suggested_: Labels
    suggestion_probability_: Array
    score_: Array
    suspicion_: Array
    flagged_indices_: IntArray
    review_indices_: IntArray
    reasons_: list[str]
    expected_innocents_: float
    evidence_: NoiseEvidence
    voted_indices_: IntArray
    note_: str
    learner_weights_: dict[str, float]

    def __init__(self, *, estimators: Sequence[Any] = (), random_state: int | np.random.RandomState | None = 0) -> None:
        self.estimators = estimators
        self.random_state = random_state

    def fit(
        self,
        X: Matrix,
        y: Labels,
        *,
        trusted: IntArray | Mask | None = None,
        column_of: IntArray | None = None,
        sources: Labels | None = None,
        times: Array | None = None,
        seen: Matrix | None = None,
    ) -> Self:
        """Judge every row.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
        y : array_like of shape (n,)
        trusted : ndarray of int or bool, optional
            Rows known to be clean, by position or as a mask. They are never
            listed, learners always train on them, and they tell overlap of
            the classes from wrong labels.
        column_of : ndarray of int of shape (d,), optional
            Source column of each feature; the features of one column are
            hidden together.
        sources : array_like of str of shape (n,), optional
            Where each row comes from: an annotator, a hospital, a file.
        times : ndarray of shape (n,), optional
            When each row was recorded.
        seen : ndarray or CSR of shape (n, k), optional
            Features in which labels are judged, of a network that was trained
            on other data; `X` by default.

        Returns
        -------
        Verdict
            Itself.

        Raises
        ------
        InvalidArgument
            If `trusted` names rows that do not exist.
        InvalidData
            If there are too few rows, fewer than two labels, or not a row of
            `seen` for each.
        """
        matrix, self.classes_, codes = admit(self, X, y)
        known = trusted_mask(trusted, len(codes))
        labels = self.classes_[codes]
        search = GroupSearch(random_state=self.random_state)
        search.fit(matrix, labels, trusted=known, column_of=column_of, sources=sources, times=times)
        self.groups_ = search.groups_
        self.group_ = np.full(len(codes), -1, dtype=np.int64)
        for number in reversed(range(len(self.groups_))):
            self.group_[self.groups_[number].rows] = number
        self.voted_indices_ = np.empty(0, dtype=np.int64)
        self._vote: dict[int, str] = {}
        features = matrix if seen is None else _checked(seen, len(codes))
        self.wrong_probability_, self.suggestion_probability_ = np.zeros(len(codes)), np.zeros(len(codes))
        self.suggested_ = labels.copy()
        if seen is not None:
            self._let_vote(features, labels, known)
        self._judge_labels(features, labels, known)
        self._join(labels)
        return self

    def fit_resample(self, X: Matrix, y: Labels, *, trusted: IntArray | Mask | None = None) -> tuple[Matrix, Labels]:
        """Fit, and remove the listed rows.

        Parameters
        ----------
        X : array_like or CSR of shape (n, d)
        y : array_like of shape (n,)
        trusted : ndarray of int or bool, optional
            As in `fit`.

        Returns
        -------
        X, y
            The kept rows in their original order, type and values;
            `sample_indices_` holds their positions.
        """
        self.fit(X, y, trusted=trusted)
        self.removed_indices_ = np.sort(self.flagged_indices_)
        self.sample_indices_ = np.setdiff1d(np.arange(len(self.score_)), self.removed_indices_)
        return select_rows(X, y, self.sample_indices_)

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that rows may be sparse, and that labels are needed."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.required = True
        return tags

    def _let_vote(self, features: Matrix, labels: Labels, known: Mask) -> None:
        """List outvoted rows of labels of which far more lie among others than the reverse."""
        rest = np.flatnonzero(self.group_ < 0)
        if len(np.unique(labels[rest])) < 2 or len(rest) < _FEWEST_VOTERS:
            return
        vote = FeatureVote().fit(features[rest], labels[rest], trusted=known[rest])
        flagged = rest[vote.flagged_indices_]
        codes, likely = (
            np.searchsorted(self.classes_, found) for found in (labels[flagged], vote.suggested_[vote.flagged_indices_])
        )
        p_values, innocent = asymmetric_labels(codes, likely, n_classes=len(self.classes_))
        listed = p_values[codes] < _ASYMMETRIC
        self.voted_indices_ = flagged[listed]
        self._vote = dict(zip(flagged[listed].tolist(), np.array(vote.reasons_, dtype=object)[listed], strict=True))
        self.wrong_probability_[self.voted_indices_] = 1 - innocent[codes[listed]]
        self.suggested_[self.voted_indices_] = self.classes_[likely[listed]]
        self.suggestion_probability_[self.voted_indices_] = 1 - innocent[codes[listed]]

    def _judge_labels(self, matrix: Matrix, labels: Labels, known: Mask) -> None:
        """Judge the labels of the rows that belong to no group and are not outvoted."""
        # A model that has seen a group predicts its label: groups leave the data before labels are judged.
        alone = self.group_ < 0
        alone[self.voted_indices_] = False
        rest = np.flatnonzero(alone)
        self.review_indices_ = self._listed = np.empty(0, dtype=np.int64)
        self.evidence_, self.learner_weights_ = NOTHING_KNOWN, {}
        if len(np.unique(labels[rest])) < 2:
            return
        judge = LabelVerdict(estimators=self.estimators, random_state=self.random_state)
        judge.fit(matrix[rest], labels[rest], trusted=known[rest])
        self.wrong_probability_[rest] = judge.wrong_probability_
        self.suggested_[rest] = judge.suggested_
        self.suggestion_probability_[rest] = judge.suggestion_probability_
        self.evidence_, self.learner_weights_ = judge.evidence_, judge.learner_weights_
        self._listed, self.review_indices_ = rest[judge.flagged_indices_], rest[judge.review_indices_]

    def _join(self, labels: Labels) -> None:
        """Join the verdicts into scores, one list, and words."""
        for group in self.groups_:
            self.wrong_probability_[group.rows] = self.suggestion_probability_[group.rows] = group.probability
            if group.looks_like is not None:
                self.suggested_[group.rows] = group.looks_like
        self.score_ = self.suspicion_ = self.wrong_probability_.copy()
        both = np.concatenate([np.flatnonzero(self.group_ >= 0), self.voted_indices_, self._listed])
        # Equal scores keep the order of the rows.
        self.flagged_indices_ = both[np.lexsort((both, -self.score_[both]))]
        self.expected_innocents_ = float((1 - self.score_[self.flagged_indices_]).sum())
        self.reasons_ = [self._reason(row, labels[row]) for row in self.flagged_indices_]
        self.note_ = evidence_in_words(self.evidence_)
        if len(self.voted_indices_):
            count = len(self.voted_indices_)
            self.note_ = f"{count} rows are outvoted by the rows nearest to them; of the others, {self.note_}"

    def _reason(self, row: int, label: object) -> str:
        if self.group_[row] >= 0:
            return group_in_words(self.groups_[self.group_[row]])
        if row in self._vote:
            return str(self._vote[row])
        return f"labelled {label}, looks like {self.suggested_[row]} ({100 * self.suggestion_probability_[row]:.0f} %)"


def _checked(seen: Matrix, n: int) -> Matrix:
    features = canonical_form(as_matrix(seen))
    if features.shape[0] != n:
        raise InvalidData(f"seen: expected a row for each of {n}, got {features.shape[0]}")
    return features


def group_in_words(group: RowGroup) -> str:
    """State in a sentence why the rows of a group are listed.

    Examples
    --------
    >>> group_in_words(RowGroup("shared values", np.arange(36), "b", "a", (2, 5), (1.0, 0.0), (1.0, 0.5), 1e-9, 0.99))
    'one of 36 rows labelled b that share values of 2 columns and look like a without them'
    >>> group_in_words(RowGroup("near-copies", np.arange(9), "b", "a", (), (), (), 1e-9, 0.99))
    'one of 9 rows labelled b (near-copies) that look like a'
    >>> group_in_words(RowGroup("source", np.arange(9), "b", "a", (), (), (), 1e-9, 0.8, "N"))
    'one of 9 rows labelled b (source N) that look like a'
    """
    rows = f"one of {len(group.rows)} rows labelled {group.label}"
    if group.kind == "shared values":
        rows += f" that share values of {len(group.columns)} columns"
        return rows if group.looks_like is None else f"{rows} and look like {group.looks_like} without them"
    rows += f" ({group.kind} {group.source})" if group.source else f" ({group.kind})"
    return rows if group.looks_like is None else f"{rows} that look like {group.looks_like}"


def evidence_in_words(evidence: NoiseEvidence) -> str:
    """State the evidence for wrong labels in a sentence.

    Examples
    --------
    >>> evidence_in_words(NoiseEvidence(0.09, (0.06, 0.12), 2.5, True, (0.05, 0.04)))
    'the data prefer 9 % wrong labels to none, 12 to 1 (95 % interval 6 to 12 %)'
    >>> evidence_in_words(NoiseEvidence(0.0, (0.0, 0.225), -0.5, False, (0.0, 0.0)))
    'the data cannot tell overlap of the classes from wrong labels: 0 to 22 % wrong labels would fit them'
    >>> evidence_in_words(NoiseEvidence(0.0, (0.0, 0.004), -3.5, True, (0.0, 0.0)))
    'the data prefer no wrong labels, 33 to 1 (95 % interval 0 to 0.4 %)'
    """
    low, high = (_percentage(end) for end in evidence.interval)
    odds = np.exp(min(abs(evidence.log_ratio), np.log(2 * _CERTAIN)))
    said = f"{odds:,.0f} to 1" if odds <= _CERTAIN else f"more than {_CERTAIN:,.0f} to 1"
    interval = f"(95 % interval {low} to {high} %)"
    if evidence.log_ratio > DECIDED:
        return f"the data prefer {_percentage(evidence.rate)} % wrong labels to none, {said} {interval}"
    if evidence.log_ratio < -EXCLUDED:
        return f"the data prefer no wrong labels, {said} {interval}"
    if evidence.supported:
        return f"{low} to {high} % wrong labels explain the data about as well as none"
    return (
        f"the data cannot tell overlap of the classes from wrong labels: {low} to {high} % wrong labels would fit them"
    )


def _percentage(share: float) -> str:
    return f"{100 * share:.0f}" if share == 0 or share >= 0.01 else f"{100 * share:.1f}"
