"""Data sets that ship with scikit-learn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits

from toadstone.core.arrays import Array, Labels
from toadstone.datasets.preparation.features import Features, assemble, fit_rows
from toadstone.datasets.preparation.labels import check_classes, rows_of_classes
from toadstone.datasets.readers.request import Request
from toadstone.datasets.split import Split, Unscaled, stratified_rows


def read_digits(name: str, request: Request) -> Split:
    """Read handwritten digits of 8 x 8 pixels, divided by 16."""
    bunch = load_digits()
    rows = rows_of_classes(bunch.target, request.classes, name)
    X, y = bunch.data[rows] / 16.0, bunch.target[rows]
    check_classes(y, name)
    train, test = stratified_rows(y, share=request.test_share, random_state=request.random_state)
    names = tuple(map(str, bunch.feature_names))
    features = Features(X[train], X[test], "pixels divided by 16", names, "box")
    return assemble(name, features, (y[train], y[test]), (rows[train], rows[test]), request.test_origin)


def read_breast_cancer(name: str, request: Request) -> Split:
    """Read thirty measurements of cell nuclei, standardised."""
    bunch = load_breast_cancer()
    X: Array = bunch.data
    y: Labels = np.array(bunch.target_names, dtype=np.str_)[bunch.target]
    train, test = stratified_rows(y, share=request.test_share, random_state=request.random_state)
    scaling = fit_rows(X[train], "none" if request.row_by_row else "standard", name)
    names = tuple(map(str, bunch.feature_names))
    features = Features(scaling.apply(X[train]), scaling.apply(X[test]), scaling.preparation, names, "real")
    split = assemble(name, features, (y[train], y[test]), (train, test), request.test_origin)
    return replace(split, unscaled=Unscaled(X.shape[1], "standard") if request.row_by_row else None)
