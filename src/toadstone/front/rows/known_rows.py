"""Trusted rows beside the data of a caller: their labels are known there, and none of them is among the data."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np

from toadstone.core.dataset import Dataset
from toadstone.core.row_names import RowNames
from toadstone.datasets.split import Split
from toadstone.kernels.statistics.row_digests import first_equal
from toadstone.pipeline.harness.row_account import ids_of
from toadstone.pipeline.layers.validation import check_trusted


def without_shared(split: Split, trusted: Dataset, names: RowNames) -> tuple[Dataset, RowNames]:
    """Leave out trusted rows that equal rows of the data, with a warning, unless they are half or more.

    Few columns repeat themselves, so that some rows may be equal by chance.

    Parameters
    ----------
    split : Split
    trusted : Dataset
        Prepared as the data are.
    names : RowNames
        Of the trusted rows in their own source.

    Returns
    -------
    trusted : Dataset
    names : RowNames
        Of those that are left.
    """
    data = split.whole()
    if trusted.X.shape[1] != data.X.shape[1]:
        return trusted, names
    places = first_equal(trusted.X, data.X)
    shared = np.flatnonzero(places >= 0)
    if not 0 < 2 * len(shared) < len(trusted):
        return trusted, names
    same = split.row_names.full(int(ids_of(data)[places[shared[0]]]))
    warnings.warn(
        f"{len(shared)} of {len(trusted)} trusted rows equal rows of the data and are left out "
        f"(the first is {names.full(int(shared[0]))}, which equals {same})",
        stacklevel=4,
    )
    left = np.flatnonzero(places < 0)
    return trusted.take(left), replace(names, names=[names[row] for row in left.tolist()])


def check_known(split: Split, trusted: Dataset, names: RowNames) -> None:
    """Refuse trusted rows that equal rows of the data, or have a label that the data lack.

    Raises
    ------
    InvalidArgument
        If there is one.
    """
    data = split.whole()
    if trusted.X.shape[1] == data.X.shape[1]:
        # Targets are no labels, and may have any value.
        y, known = (np.zeros(len(data)), np.zeros(len(trusted))) if split.target else (data.y, trusted.y)
        check_trusted(data.X, y, trusted.X, known, names=split.row_names, ids=ids_of(data), own_names=names)
