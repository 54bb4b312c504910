"""Targets moved to the ends of their range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.random import Generator
from scipy.sparse import issparse

from toadstone.core.budget import Budget
from toadstone.core.checks import check_positive
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import InvalidArgument
from toadstone.kernels.regression.target_shift import most_harmful_targets

Choice = Literal["random", "influential"]


@dataclass(frozen=True, eq=False, kw_only=True)
class TargetEnds:
    """Clean rows whose targets are moved to the far end of the range of all targets.

    A budget of kind "flip" changes targets in place, one of kind "add" adds
    copies of the rows. Rows are drawn at random, or chosen one after another
    so that the clean error of ridge regression grows most.

    Parameters
    ----------
    rows : {"random", "influential"}
    ridge : float
        Penalty of the defender's model, for influential rows.

    Raises
    ------
    InvalidArgument
        If `rows` is another word, or `ridge` is not positive.

    Examples
    --------
    >>> data = Dataset([[0.0], [1.0], [2.0], [3.0]], [0.0, 10.0, 20.0, 30.0])
    >>> made = TargetEnds().poison(data, Budget(0.25, "flip"), np.random.default_rng(0))
    >>> made.y[0] in (0.0, 30.0), made.replaces.size
    (True, 1)
    """

    rows: Choice = "random"
    ridge: float = 0.01

    def __post_init__(self) -> None:
        if self.rows not in get_args(Choice):
            raise InvalidArgument("rows", "random or influential", self.rows)
        check_positive(ridge=self.ridge)

    def poison(self, data: Dataset, budget: Budget, rng: Generator) -> Poison:
        """Choose rows and move their targets.

        Parameters
        ----------
        data : Dataset
            With numbers as labels, not all equal.
        budget : Budget
            Of kind "add" or "flip".
        rng : Generator
            Draws the rows, where they are random.

        Returns
        -------
        Poison
            As many rows as the budget allows.

        Raises
        ------
        InvalidArgument
            If the budget is for no row or of another kind.
        """
        if budget.kind == "perturb":
            raise InvalidArgument("budget", "one of kind add or flip", budget.kind)
        count = budget.count_for(budget.kind, len(data))
        y = np.asarray(data.y, dtype=np.float64)
        low, high = float(y.min()), float(y.max())
        if self.rows == "random":
            chosen = rng.permutation(len(y))[:count]
            ends = np.where(y[chosen] > (low + high) / 2, low, high)
        else:
            X = data.X.toarray() if issparse(data.X) else data.X
            chosen, ends = most_harmful_targets(X, y, self.ridge, (low, high), count)
        return Poison(data.X[chosen], ends, chosen if budget.kind == "flip" else None)
