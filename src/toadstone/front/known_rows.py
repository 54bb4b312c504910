"""Trusted rows beside the data of a caller: their labels are known there, and none of them is among the data."""

from __future__ import annotations

import warnings

import numpy as np

from toadstone.core.dataset import Dataset
from toadstone.core.row_names import RowNames
from toadstone.datasets.split import Split
from toadstone.kernels.statistics.row_digests import first_equal
from toadstone.pipeline.harness.row_account import ids_of
from toadstone.pipeline.layers.validation import check_trusted


def rows_apart(split: Split, trusted: Dataset, names: RowNames) -> Dataset:
    """Leave out trusted rows that equal rows of the data, with a warning, unless they are half or more.

    Few columns repeat themselves, so that some rows may be equal by chance.

    Parameters
    ----------
    split : Split
    trusted : Dataset
        Prepared as the data are.
    names : RowNames
        Of the trusted rows in their own source.

    Raises
    ------
    InvalidArgument
        If half of them or more equal rows of the data, or one has a label
        that the data lack.
    """
    data = split.whole()
    if trusted.X.shape[1] != data.X.shape[1]:
        return trusted
    places = first_equal(trusted.X, data.X)
    shared = np.flatnonzero(places >= 0)
    unknown = not split.target and not np.isin(trusted.y, data.y).all()
    if unknown or 2 * len(shared) >= len(trusted):
        labels = (trusted.y, data.y) if not split.target else (np.zeros(len(trusted)), np.zeros(len(data)))
        check_trusted(data.X, labels[1], trusted.X, labels[0], names=split.row_names, ids=ids_of(data), own_names=names)
    if not len(shared):
        return trusted
    same = split.row_names.full(int(ids_of(data)[places[shared[0]]]))
    warnings.warn(
        f"{len(shared)} of {len(trusted)} trusted rows equal rows of the data and are left out "
        f"(the first is {names.full(int(shared[0]))}, which equals {same})",
        stacklevel=4,
    )
    return trusted.take(np.flatnonzero(places < 0))
