"""The verdict on the rows of a data set, with trusted rows beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from toadstone.core.arrays import IntArray, Matrix
from toadstone.core.dataset import Dataset
from toadstone.datasets.preparation.encoding import TableValues
from toadstone.datasets.split import Split
from toadstone.detectors.verdict.verdict import Verdict
from toadstone.pipeline.layers.with_trusted import beside


def fit_verdict(
    data: Dataset,
    *,
    seed: int,
    trusted: Dataset | None = None,
    column_of: IntArray | None = None,
    represented: Matrix | None = None,
    estimators: Sequence[Any] = (),
) -> Verdict:
    """Judge the rows of a data set.

    Parameters
    ----------
    data : Dataset
    seed : int
    trusted : Dataset, optional
        Rows known to be clean. They stand after the others, so that places
        of the verdict below ``len(data)`` are those of `data`.
    column_of : ndarray of int of shape (d,), optional
        Column of the source that each feature comes from.
    represented : ndarray or CSR of shape (n, k), optional
        What to look at instead of the features of `data`; trusted rows, which
        have no such representation, then stay away.
    estimators : sequence of classifiers
        Learners to add to the stack.
    """
    verdict = Verdict(estimators=tuple(estimators), random_state=seed)
    if represented is not None:
        return verdict.fit(represented, data.y)
    X, y, known = beside(data.X, data.y, trusted)
    return verdict.fit(X, y, trusted=known, column_of=column_of)


def column_of(split: Split) -> IntArray | None:
    """Return the number of the column that each feature comes from, where the source is a table; a word has its own."""
    if not isinstance(split.raw, TableValues):
        return None
    whole = {column.name for column in split.columns if column.kind == "text"}
    numbers: dict[object, int] = {}
    return np.array(
        [
            numbers.setdefault((name, feature if name in whole else -1), len(numbers))
            for feature, name in enumerate(split.raw.sources)
        ],
        dtype=np.int64,
    )
