"""Data corruption: rows that keep their labels and lose their features."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.random import Generator
from scipy.sparse import csc_array, csr_array, issparse

from toadstone.core.arrays import Array, Matrix
from toadstone.core.budget import Budget, Kind
from toadstone.core.checks import check_positive, check_within
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import InvalidArgument
from toadstone.core.feasible import Domain
from toadstone.kernels.rows import stack

# Rows are changed a few at a time, so that sparse ones are never dense all at once.
_VALUES_AT_ONCE = 1 << 22


@dataclass(frozen=True, eq=False, kw_only=True)
class NoiseInjection:
    """Gaussian noise added to every feature of rows drawn at random.

    Parameters
    ----------
    scale : float
        Standard deviation of the noise, in standard deviations of the
        feature.
    domain : Domain, optional
        Values are clipped to it, and rounded if it is of whole numbers.

    Raises
    ------
    InvalidArgument
        If `scale` is not positive.

    Examples
    --------
    >>> data = Dataset([[0.0, 5.0], [2.0, 5.0], [4.0, 5.0], [6.0, 5.0]], ["ham", "ham", "spam", "spam"])
    >>> made = NoiseInjection().poison(data, Budget(0.25, "perturb"), np.random.default_rng(0))
    >>> made.X[0, 1].item(), bool(made.X[0, 0] == data.X[made.replaces[0], 0])
    (5.0, False)
    """

    kind: ClassVar[Kind] = "perturb"

    scale: float = 1.0
    domain: Domain | None = None

    def __post_init__(self) -> None:
        check_positive(scale=self.scale)

    def poison(self, data: Dataset, budget: Budget, rng: Generator) -> Poison:
        """Add noise to rows, in place and under their own labels.

        Parameters
        ----------
        data : Dataset
        budget : Budget
            Of kind "perturb".
        rng : Generator
            Random numbers for rows and noise.

        Returns
        -------
        Poison
            As many rows as the budget allows; CSR if the data are, although
            noise on every feature leaves few zeros.

        Raises
        ------
        InvalidArgument
            If the budget is of another kind or buys no row.
        """
        rows = rng.permutation(len(data))[: budget.count_for(self.kind, len(data))]
        deviations = self.scale * _deviations(data.X)

        def add_noise(block: Array) -> Array:
            return _within(self.domain, block + deviations * rng.normal(size=block.shape))

        return Poison(_change(data.X[rows], add_noise), data.y[rows], np.asarray(rows))


@dataclass(frozen=True, eq=False, kw_only=True)
class MissingBlocks:
    """Runs of adjacent features overwritten, in rows drawn at random.

    Parameters
    ----------
    share : float
        Share of the features that each row loses, in (0, 1], rounded up.
    fill : float
        The value written over them.
    domain : Domain, optional
        Values are clipped to it, and rounded if it is of whole numbers.

    Raises
    ------
    InvalidArgument
        If `share` or `fill` is out of range.
    """

    kind: ClassVar[Kind] = "perturb"

    share: float = 0.25
    fill: float = 0.0
    domain: Domain | None = None

    def __post_init__(self) -> None:
        _check_share(self.share)
        if not np.isfinite(self.fill):
            raise InvalidArgument("fill", "a finite number", self.fill)

    def poison(self, data: Dataset, budget: Budget, rng: Generator) -> Poison:
        """Overwrite a run of features in each row, at a random place; see `NoiseInjection.poison`."""
        rows = rng.permutation(len(data))[: budget.count_for(self.kind, len(data))]
        d, length = data.n_features, math.ceil(self.share * data.n_features)

        def overwrite(block: Array) -> Array:
            starts = rng.integers(0, d - length, size=len(block), endpoint=True)
            offsets = np.arange(d)[None, :] - starts[:, None]
            return _within(self.domain, np.where((offsets >= 0) & (offsets < length), self.fill, block))

        return Poison(_change(data.X[rows], overwrite), data.y[rows], np.asarray(rows))


@dataclass(frozen=True, eq=False, kw_only=True)
class FeaturePermutation:
    """Features shuffled among rows drawn at random, each on its own.

    Parameters
    ----------
    share : float
        Share of the features that is shuffled, in (0, 1], rounded up.

    Raises
    ------
    InvalidArgument
        If `share` is out of range.
    """

    kind: ClassVar[Kind] = "perturb"

    share: float = 1.0

    def __post_init__(self) -> None:
        _check_share(self.share)

    def poison(self, data: Dataset, budget: Budget, rng: Generator) -> Poison:
        """Shuffle features among rows, in place and under their own labels.

        Parameters
        ----------
        data : Dataset
        budget : Budget
            Of kind "perturb"; a single row stays as it is.
        rng : Generator
            Random numbers for rows, features and their orders.

        Returns
        -------
        Poison
            As many rows as the budget allows.

        Raises
        ------
        InvalidArgument
            If the budget is of another kind or buys no row.
        """
        rows = rng.permutation(len(data))[: budget.count_for(self.kind, len(data))]
        # By columns, so that sparse rows stay sparse: shuffling a column permutes its row indices.
        table = csc_array(data.X[rows])
        table.eliminate_zeros()
        chosen = rng.permutation(data.n_features)[: math.ceil(self.share * data.n_features)]
        for column in np.sort(chosen):
            there = slice(table.indptr[column], table.indptr[column + 1])
            table.indices[there] = rng.permutation(len(rows))[table.indices[there]]
        table.has_sorted_indices = False
        shuffled = csr_array(table) if issparse(data.X) else table.toarray()
        return Poison(shuffled, data.y[rows], np.asarray(rows))


def _check_share(share: float) -> None:
    check_within("(0, 1]", share=share)


def _deviations(X: Matrix) -> Array:
    """Return the standard deviation of each column, shape (d,)."""
    if not issparse(X):
        return np.asarray(X.std(axis=0))
    means = np.asarray(X.mean(axis=0)).ravel()
    squares = np.asarray(X.multiply(X).mean(axis=0)).ravel()
    return np.asarray(np.sqrt(np.maximum(squares - means**2, 0.0)))


def _change(rows: Matrix, change: Callable[[Array], Array]) -> Matrix:
    """Change rows in dense blocks, one after another; the result is sparse if the rows are."""
    height = max(1, _VALUES_AT_ONCE // rows.shape[1])
    blocks = [rows[start : start + height] for start in range(0, rows.shape[0], height)]
    if not issparse(rows):
        return stack([change(block) for block in blocks])
    return stack([csr_array(change(block.toarray())) for block in blocks])


def _within(domain: Domain | None, rows: Array) -> Array:
    if domain is None:
        return rows
    inside = np.clip(rows, domain.lower, domain.upper)
    return np.asarray(np.rint(inside) if domain.integer else inside)
