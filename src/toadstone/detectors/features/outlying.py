"""Detectors of rows far from the rest of their class, and what explains that many are."""

from __future__ import annotations

import numpy as np

from toadstone.core.arrays import Array, IntArray, Mask, Matrix
from toadstone.detectors.features.foreign_groups import is_far, is_foreign, is_scattered
from toadstone.kernels.statistics.thresholds import beyond_gap
from toadstone.sanitizers.labelled import memberships


class Outlying:
    """Flags more rows than the false-alarm rate only where no natural cluster explains them.

    Rows beyond the threshold that lie apart from each other are no cluster,
    and a group with a trigger belongs to another class (`is_foreign`).
    Scattered rows beyond a gap in the scores have no part in the threshold,
    which more than a tenth of a class would otherwise raise beyond itself.
    """

    suspicion_: Array
    _codes: IntArray

    def _set_apart(self, X: Matrix) -> Mask:
        apart = np.zeros(len(self._codes), dtype=bool)
        for members in map(np.flatnonzero, memberships(self._codes)):
            beyond = beyond_gap(self.suspicion_[members])
            if beyond.any() and is_far(X[members], beyond) and is_scattered(X[members], beyond):
                apart[members[beyond]] = True
        return apart

    def _accounts_for(self, X: Matrix, code: int, beyond: Mask) -> bool:
        members = self._codes == code
        return is_scattered(X[members], beyond[members]) or is_foreign(X, members, beyond & members)
