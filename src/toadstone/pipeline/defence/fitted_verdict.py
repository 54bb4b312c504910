"""The verdict on the rows of a data set, with trusted rows beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from toadstone.core.arrays import IntArray, Matrix
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument
from toadstone.datasets.split import Split
from toadstone.detectors.verdict.verdict import Verdict
from toadstone.pipeline.defence.seen_features import SeenFeatures
from toadstone.pipeline.harness.row_account import ids_of
from toadstone.pipeline.layers.with_trusted import beside
from toadstone.pipeline.scanning.circumstances import Circumstances
from toadstone.pipeline.scanning.source_values import SourceValues, source_values


def fit_verdict(
    source: SourceValues,
    *,
    seed: int,
    trusted: Dataset | None = None,
    estimators: Sequence[Any] = (),
    circumstances: Circumstances | None = None,
    seen: SeenFeatures | None = None,
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
    seen : SeenFeatures, optional
        Features in which labels are judged.
    """
    X, y, known = beside(source.data.X, source.data.y, trusted)
    given = (circumstances or Circumstances()).lengthened(0 if trusted is None else len(trusted))
    verdict = Verdict(estimators=tuple(estimators), random_state=seed)
    features = None if seen is None else seen.beside
    return verdict.fit(X, y, trusted=known, column_of=source.column_of, seen=features, **given)


def looked_at(split: Split, data: Dataset, represented: Matrix | None, time: str | None) -> SourceValues:
    """Return what a verdict looks at: the prepared rows of a source, or a representation of them.

    Parameters
    ----------
    split : Split
    data : Dataset
        The rows to be judged.
    represented : ndarray or CSR, optional
        One row for each row of the source; its columns have numbers and no
        names.
    time : str, optional
        Column of the source that says when.

    Raises
    ------
    InvalidArgument
        If the representation has another number of rows.
    """
    if represented is None:
        return source_values(split, data, time)
    k = int(represented.shape[1])
    rows = Dataset(represented[_places(data, split, represented)], data.y, None, data.row_ids)
    return SourceValues(rows, split.row_names, None, np.arange(k), np.zeros(k, dtype=bool))


def _places(data: Dataset, split: Split, represented: Matrix) -> IntArray:
    """Return the row of a representation that stands for each judged row: that of its position in the source."""
    n, ids = represented.shape[0], ids_of(data)
    if n == len(data) + len(split.aside) and (not len(ids) or ids.max() < n):
        return ids
    if n == len(data):
        return np.arange(n)
    expected = f"a representation with {len(data) + len(split.aside)} rows, one for each row of the data"
    raise InvalidArgument("represent", expected, f"{n}")
