"""Calls into another library: dense rows go in, scores that are numbers come out, and nothing is printed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO

import numpy as np
from scipy.sparse import issparse

from toadstone.core.arrays import Array, Matrix
from toadstone.core.errors import InvalidData

MOST_ENTRIES = 2**26
"""Entries, zeros counted, up to which sparse rows are filled out: 512 MiB."""


def dense_rows(X: Matrix, library: str) -> Array:
    """Return the rows as a dense array, for a library that takes no other.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    library : str
        Its name, for the message.

    Raises
    ------
    InvalidData
        If sparse rows have more than `MOST_ENTRIES` entries.
    """
    if not issparse(X):
        return np.asarray(X)
    n, d = X.shape
    if n * d > MOST_ENTRIES:
        raise InvalidData(
            f"rows: expected at most {MOST_ENTRIES:,} entries, for {library} takes dense rows only, "
            f"got {n:,} rows of {d:,} columns"
        )
    return np.asarray(X.toarray())


def finite_scores(scores: Array, method: str) -> Array:
    """Return the scores as numbers, shape (n,).

    Raises
    ------
    InvalidData
        If any of them is infinite or not a number.

    Examples
    --------
    >>> finite_scores(np.array([1, 2]), "PyOD's ECOD")
    array([1., 2.])
    """
    found = np.asarray(scores, dtype=np.float64).ravel()
    wrong = np.count_nonzero(~np.isfinite(found))
    if wrong:
        raise InvalidData(f"{method}: expected finite scores, got {wrong} of {len(found)} that are not")
    return found


@contextmanager
def quietly(method: str) -> Iterator[None]:
    """Keep what a library prints and warns of from the page, and pass on that it refuses rows.

    Raises
    ------
    InvalidData
        For a ValueError of the library, with the first line of its message.
    """
    with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        # Of constant columns and the like; what they lead to is seen in the scores.
        warnings.simplefilter("ignore")
        try:
            yield
        except ValueError as refused:
            said = (str(refused).splitlines() or [""])[0].rstrip(".")
            raise InvalidData(f"{method} refuses the rows: {said}") from refused
