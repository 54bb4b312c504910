"""The rows of one seed of an evaluation: attackable ones, trusted ones and test rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toadstone.core.arrays import IntArray, Mask, Matrix
from toadstone.core.dataset import Dataset, Trusted
from toadstone.core.errors import InvalidArgument
from toadstone.datasets.split import Split, stratified_rows
from toadstone.kernels.statistics.row_digests import contents, first_equal


@dataclass(frozen=True, eq=False)
class SeedSplit:
    """Rows that the trials of one seed share.

    Parameters
    ----------
    seed : int
    clean : Dataset
        Training rows that the attacker can reach, before any attack.
    trusted : Dataset, optional
        Rows out of the attacker's reach, none of which is among `clean`.
    test : Dataset
    """

    seed: int
    clean: Dataset
    trusted: Dataset | None
    test: Dataset


def draw_part(split: Split, *, seed: int, rows: int, test: Dataset, share: float, trusted: Trusted | None) -> SeedSplit:
    """Draw the rows of one seed.

    Parameters
    ----------
    split : Split
    seed : int
    rows : int
        About so many training rows are drawn, from each class in its share;
        all of them where there are no more.
    test : Dataset
    share : float
        Share of them that is trusted, where no trusted rows are given. Rows
        of equal features are trusted together or not at all: otherwise an
        attacker could reach copies of trusted rows.
    trusted : Trusted, optional

    Returns
    -------
    SeedSplit

    Raises
    ------
    InvalidData
        If a class has too few rows.
    """
    train = split.train if len(split.train) <= rows else split.train.take(draw_train(split.train, rows, seed))
    if trusted is not None or share == 0:
        return SeedSplit(seed, train, None if trusted is None else trusted.data, test)
    held = hold_out_contents(train, share=share, seed=seed)
    return SeedSplit(seed, train.take(np.flatnonzero(~held)), train.take(np.flatnonzero(held)), test)


def draw_train(train: Dataset, rows: int, seed: int) -> IntArray:
    """Return the places of about so many rows, drawn from each class in its share; all where there are no more."""
    if len(train) <= rows:
        return np.arange(len(train))
    return stratified_rows(train.y, share=rows / len(train), random_state=seed)[1]


def draw_test(test: Dataset, rows: int, seed: int) -> Dataset:
    """Draw at most some number of test rows at random, in their order."""
    if len(test) <= rows:
        return test
    return test.take(np.sort(np.random.default_rng(seed).permutation(len(test))[:rows]))


def hold_out_contents(data: Dataset, *, share: float, seed: int) -> Mask:
    """Choose rows of each class to hold out, all copies of a row together.

    Parameters
    ----------
    data : Dataset
    share : float
        Of the different rows of each class, in (0, 1).
    seed : int

    Returns
    -------
    ndarray of bool of shape (n,)

    Examples
    --------
    >>> data = Dataset([[1.0], [2.0], [1.0], [3.0], [4.0]], ["ham", "ham", "ham", "spam", "spam"])
    >>> held = hold_out_contents(data, share=0.5, seed=0)
    >>> bool(held[0] == held[2]), int(held[[0, 1]].sum())
    (True, 1)
    """
    first: dict[bytes, int] = {}
    groups = np.array([first.setdefault(content, row) for row, content in enumerate(contents(data.X))])
    distinct = np.unique(groups)
    _, held = stratified_rows(data.y[distinct], share=share, random_state=seed)
    return np.isin(groups, distinct[held])


def shared_rows(X: Matrix, others: Matrix) -> IntArray:
    """Return the rows of a matrix that occur among those of another, too."""
    return np.flatnonzero(first_equal(X, others) >= 0)


def refuse_shared(trusted: Dataset, train: Dataset) -> None:
    """Refuse trusted rows that the attacker could reach, or of other columns or labels.

    Raises
    ------
    InvalidArgument
        If there are such rows.
    """
    if trusted.n_features != train.n_features:
        raise InvalidArgument("trusted", f"rows of {train.n_features} columns", trusted.n_features)
    unknown = np.setdiff1d(trusted.y, train.classes)
    if unknown.size:
        raise InvalidArgument("trusted", f"rows labelled {', '.join(map(str, train.classes))}", unknown[0])
    shared = shared_rows(trusted.X, train.X)
    if shared.size:
        expected = "rows that are not among the untrusted ones"
        got = f"{shared.size} of {len(trusted)} that are (the first is its row {shared[0] + 1})"
        raise InvalidArgument("trusted", expected, f"{got}; leave them out of either")
