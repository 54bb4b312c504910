"""Log odds of another class as suspicion, with one threshold for all classes."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from toadstone.core.arrays import Array, IntArray, Labels, Mask, Matrix
from toadstone.detectors.labels.second_opinion import SecondOpinion, second_opinion
from toadstone.kernels.statistics.class_probabilities import contradictions, probabilities, rivalries
from toadstone.kernels.statistics.label_noise import contradiction_threshold
from toadstone.kernels.statistics.thresholds import careful_share, trusted_threshold


class PooledOdds:
    """Log odds of another class against a row's own, with one threshold for all classes.

    Odds mean the same in every class. A rare class may be half poison, and its
    own scores would then not show what is normal. `thresholds_` are therefore
    all equal. They are never negative: a row that the model puts in its own
    class is not flagged. The threshold of a label that occurs once is
    infinite, for no model can learn that label without the row.

    What right labels would score comes from the model and a random forest
    together (`second_opinion`): a model that cannot represent the classes
    contradicts right labels with confidence, and cannot tell. A detector calls
    `_compare` before its own thresholds are wanted.
    """

    needs_labels: ClassVar[bool] = True

    classes_: Labels
    false_alarm_rate: float
    model_: Any
    suspicion_: Array
    _misfit: str
    _opinion: SecondOpinion
    _rivalries: Array

    def _suspicion(self, X: Matrix, code: int) -> Array:
        table = probabilities(self.model_, X, np.arange(len(self.classes_)))
        return contradictions(table, np.full(len(table), code))

    def _compare(self, X: Matrix, codes: IntArray, unseen: Array, judging: Array, rows: IntArray) -> None:
        """Form a second opinion on some rows, from the model's probabilities out of sample and those that it judges by.

        Both tables have shape (m, n_classes), a row for each of `rows`.
        """
        self._opinion = second_opinion(X, codes, unseen, rows)
        self._misfit, self._rivalries = self._opinion.misfit, rivalries(judging)

    def _own_thresholds(self, classes: list[Mask]) -> Array:
        return self._pooled(classes, self.suspicion_)

    def _accounts_for(self, X: Matrix, code: int, beyond: Mask) -> bool:
        return self._opinion.noise.at_least > self.false_alarm_rate

    def _trusted_threshold(self, members: Mask, trusted: Mask) -> float:
        known = int(np.count_nonzero(trusted))
        if not known or np.count_nonzero(members) < 2:
            return float(np.inf)
        # A quantile of few trusted rows is uncertain: the careful share leaves room for that. The largest of them is
        # as far out as they reach, however small that share.
        share = min(self.false_alarm_rate, max(careful_share(known, self.false_alarm_rate), 1 / (known + 1)))
        return max(0.0, trusted_threshold(self.suspicion_[trusted], share))

    def _pooled(self, classes: list[Mask], log_odds: Array) -> Array:
        common = contradiction_threshold(log_odds, self.false_alarm_rate, self._opinion.noise, self._rivalries)
        return np.array([common if np.count_nonzero(members) > 1 else np.inf for members in classes])
