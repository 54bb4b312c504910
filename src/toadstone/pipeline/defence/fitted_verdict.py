"""The verdict on the rows of a data set, with trusted rows beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from toadstone.core.arrays import Array, Labels, Matrix
from toadstone.core.dataset import Dataset
from toadstone.core.row_names import RowNames
from toadstone.detectors.verdict.verdict import Verdict
from toadstone.pipeline.layers.with_trusted import beside
from toadstone.pipeline.scanning.source_values import SourceValues


@dataclass(frozen=True, eq=False)
class Circumstances:
    """Source and time of each row, where they are known.

    Parameters
    ----------
    sources : ndarray of object of shape (n,), optional
        Names; None where that is not said.
    times : ndarray of shape (n,), optional
        Not a number where they are missing.
    """

    sources: Labels | None = None
    times: Array | None = None

    def lengthened(self, n_trusted: int) -> dict[str, Any]:
        """Return both with blanks for trusted rows, whose source and time are not known."""
        given: dict[str, Any] = {}
        if self.sources is not None:
            given["sources"] = np.concatenate([self.sources, np.full(n_trusted, None, dtype=object)])
        if self.times is not None:
            given["times"] = np.concatenate([self.times, np.full(n_trusted, np.nan)])
        return given


def fit_verdict(
    source: SourceValues,
    *,
    seed: int,
    trusted: Dataset | None = None,
    estimators: Sequence[Any] = (),
    circumstances: Circumstances | None = None,
) -> Verdict:
    """Judge the rows of a data set.

    Parameters
    ----------
    source : SourceValues
        The rows, and which of their features are one column.
    seed : int
    trusted : Dataset, optional
        Rows known to be clean. They stand after the others, so that places
        of the verdict below the number of these are theirs.
    estimators : sequence of classifiers
        Learners to add to the stack.
    circumstances : Circumstances, optional
        Of the rows of `source`.
    """
    X, y, known = beside(source.data.X, source.data.y, trusted)
    given = (circumstances or Circumstances()).lengthened(0 if trusted is None else len(trusted))
    verdict = Verdict(estimators=tuple(estimators), random_state=seed)
    return verdict.fit(X, y, trusted=known, column_of=source.column_of, **given)


def as_source(data: Dataset, represented: Matrix, names: RowNames) -> SourceValues:
    """Let a representation stand for the rows of a data set; its columns have numbers and no names."""
    k = int(represented.shape[1])
    rows = Dataset(represented, data.y, None, data.row_ids)
    return SourceValues(rows, names, None, np.arange(k), np.zeros(k, dtype=bool))
