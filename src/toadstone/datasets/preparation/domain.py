"""Check of feature values against a domain."""

from __future__ import annotations

import numpy as np
from scipy.sparse import issparse

from toadstone.core.arrays import Matrix
from toadstone.core.errors import InvalidArgument, InvalidData

DOMAINS = ("real", "box", "integer")


def check_domain(X: Matrix, domain: str) -> None:
    """Check that features lie in a domain.

    Every finite number is real, and the box is the range of the data
    themselves. Only ``"integer"``, the domain of counts, can fail.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    domain : {"real", "box", "integer"}

    Raises
    ------
    InvalidArgument
        If the domain is unknown.
    InvalidData
        If the domain is ``"integer"`` and a value is negative or not whole.

    Examples
    --------
    >>> check_domain(np.array([[0.0, 2.5]]), "integer")
    Traceback (most recent call last):
    toadstone.core.errors.InvalidData: domain 'integer': expected counts (0, 1, 2, ...), got 2.5 in row 0, column 1
    """
    if domain not in DOMAINS:
        raise InvalidArgument("domain", f"one of {DOMAINS}", repr(domain))
    if domain != "integer":
        return
    values = X.data if issparse(X) else X.ravel()
    bad = (values < 0) | (values != np.floor(values))
    if not bad.any():
        return
    position = int(np.argmax(bad))
    if issparse(X):
        row = int(np.searchsorted(X.indptr, position, side="right")) - 1
        column = int(X.indices[position])
    else:
        row, column = divmod(position, X.shape[1])
    raise InvalidData(
        f"domain 'integer': expected counts (0, 1, 2, ...), got {values[position]:g} in row {row}, column {column}"
    )
