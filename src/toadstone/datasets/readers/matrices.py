"""Conversion of matrices and images to splits, where no test rows are published."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from toadstone.core.arrays import Labels, Matrix
from toadstone.core.row_names import RowNames
from toadstone.datasets.preparation.features import ArrayValues, Features, RowScaling, assemble, fit_rows
from toadstone.datasets.readers.aside import held_out_rows, rows_to_judge
from toadstone.datasets.readers.request import Request
from toadstone.datasets.split import Split


def split_matrix(
    X: Matrix, y: Labels, request: Request, *, name: str, source: str, labels: str, rows: RowNames
) -> tuple[Split, RowScaling]:
    """Set rows aside, hold out a test set, and prepare the others as the training rows call for.

    Parameters
    ----------
    X : ndarray or CSR
        Rows, or images of bytes of shape (n, height, width, ...).
    y : ndarray of shape (n,)
    request : Request
    name : str
        Of the split.
    source, labels : str
        Source of the rows and of their labels, for messages.
    rows : RowNames

    Returns
    -------
    split : Split
    scaling : RowScaling

    Raises
    ------
    InvalidArgument, InvalidData
        As `toadstone.datasets.read`.
    """
    kept, aside = rows_to_judge(np.arange(len(y)), y, labels, request)
    parts = held_out_rows(y[kept], request)
    train, test = (kept[part] for part in parts)
    scaling = fit_rows(X[train], request.scale, source)
    features = Features(scaling.apply(X[train]), scaling.apply(X[test]), scaling.preparation, domain=scaling.domain)
    split = assemble(name, features, (y[train], y[test]), (train, test), request.test_origin)
    return replace(split, row_names=rows, raw=ArrayValues(X), aside=aside, target=request.target), scaling
