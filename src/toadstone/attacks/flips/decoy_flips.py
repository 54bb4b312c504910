"""Label flips that lead to a decoy: the rows that it misclassifies by most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from toadstone.attacks.flips.label_changes import check_budget, possible_flips, spend
from toadstone.core.arrays import Array, Mask
from toadstone.core.budget import Budget
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import InvalidArgument
from toadstone.core.protocols import FeasibleSet


@dataclass(frozen=True, eq=False, kw_only=True)
class DecoyFlips:
    """The clean rows that a decoy model misclassifies by the largest margin, given the label that it predicts.

    A flip takes away the loss that pulls a model off the decoy, and more of it
    the farther the row lies on the wrong side.

    Parameters
    ----------
    theta : ndarray of shape (d + 1,)
        The decoy's weights, then its bias.
    feasible_set : FeasibleSet, optional
        Only rows that lie inside it under their new label are used.

    Examples
    --------
    >>> data = Dataset([[-2.0], [-1.0], [1.0], [2.0]], ["ham", "ham", "spam", "spam"])
    >>> decoy = DecoyFlips(theta=np.array([1.0, 1.5]))
    >>> decoy.poison(data, Budget(0.25, "flip"), np.random.default_rng(0)).X.tolist()
    [[-1.0]]
    """

    theta: Array
    feasible_set: FeasibleSet | None = None

    def poison(self, data: Dataset, budget: Budget, rng: Generator) -> Poison:
        """Rank the rows and flip as many as the budget allows.

        Parameters
        ----------
        data : Dataset
            Of two classes.
        budget : Budget
            Of kind "add" or "flip".
        rng : Generator
            Not used.

        Returns
        -------
        Poison

        Raises
        ------
        InvalidArgument
            If the decoy has other features, or the budget is for no row.
        EmptyFeasibleSet
            If no row may be given the other label.
        """
        check_budget(budget, len(data))
        if self.theta.shape != (data.n_features + 1,):
            raise InvalidArgument("theta", f"{data.n_features + 1} numbers", self.theta.shape)
        possible: Mask = np.asarray(possible_flips(data, data.classes, self.feasible_set).any(axis=1))
        margins = data.signs * np.asarray(data.X @ self.theta[:-1] + self.theta[-1])
        rows = np.argsort(margins, kind="stable")
        rows = rows[possible[rows]]
        return spend(data, budget, rows, np.where(data.y[rows] == data.classes[0], data.classes[1], data.classes[0]))
