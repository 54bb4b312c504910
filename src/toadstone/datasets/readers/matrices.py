"""Conversion of matrices and images to splits, where no test rows are published."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from toadstone.core.arrays import Labels, Matrix
from toadstone.core.row_names import RowNames
from toadstone.datasets.preparation.features import ArrayValues, Features, RowScaling, assemble, fit_rows
from toadstone.datasets.readers.aside import held_out_rows, rows_to_judge
from toadstone.datasets.readers.request import Request
from toadstone.datasets.split import Split, Unscaled


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
    scaling, unscaled = fit_rows_as_asked(X[train], request, source)
    features = Features(scaling.apply(X[train]), scaling.apply(X[test]), scaling.preparation, domain=scaling.domain)
    split = assemble(name, features, (y[train], y[test]), (train, test), request.test_origin)
    described = replace(split, row_names=rows, raw=ArrayValues(X), aside=aside, target=request.target)
    return replace(described, unscaled=unscaled), scaling


def fit_rows_as_asked(train: Matrix, request: Request, what: str) -> tuple[RowScaling, Unscaled | None]:
    """Fit the preparation of a matrix, or leave its scale open where each row is to be encoded by itself.

    Raises
    ------
    InvalidArgument
        As `fit_rows`.
    """
    if not request.row_by_row or request.scale != "standard":
        return fit_rows(train, request.scale, what), None
    return fit_rows(train, "none", what), Unscaled(int(np.prod(train.shape[1:])), request.scale)
