"""Detectors of rows far from the rest of their class, and what explains that many are."""

from __future__ import annotations

from toadstone.core.arrays import IntArray, Mask, Matrix
from toadstone.detectors.features.foreign_groups import is_foreign, is_scattered


class Outlying:
    """Flags more rows than the false-alarm rate only where no natural cluster explains them.

    Rows beyond the threshold that lie apart from each other are no cluster,
    and a group with a trigger belongs to another class (`is_foreign`).
    """

    _codes: IntArray

    def _accounts_for(self, X: Matrix, code: int, beyond: Mask) -> bool:
        members = self._codes == code
        return is_scattered(X[members], beyond[members]) or is_foreign(X, members, beyond & members)
