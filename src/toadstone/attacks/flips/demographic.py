"""Demographic poisoning: rows of one group are given another label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from toadstone.attacks.flips.label_changes import check_budget, possible_flips, spend
from toadstone.core.arrays import Mask, Matrix
from toadstone.core.budget import Budget
from toadstone.core.checks import check_count
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import InvalidArgument
from toadstone.core.protocols import FeasibleSet


@dataclass(frozen=True, kw_only=True)
class Group:
    """A group of rows: those whose value of one feature lies within bounds.

    Parameters
    ----------
    feature : int
        A column; for a one-hot encoded category, its own.
    lowest, highest : float
        Bounds, both included.

    Raises
    ------
    InvalidArgument
        If `highest` is below `lowest`, or the column is negative.
    """

    feature: int
    lowest: float = -np.inf
    highest: float = np.inf

    def __post_init__(self) -> None:
        check_count(0, feature=self.feature)
        if not self.lowest <= self.highest:
            raise InvalidArgument("highest", f"a number from {self.lowest}", self.highest)

    def contains(self, X: Matrix) -> Mask:
        """Return a mask of the rows that belong to the group.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)

        Returns
        -------
        ndarray of bool of shape (n,)

        Raises
        ------
        InvalidArgument
            If there is no such column.
        """
        if self.feature >= X.shape[1]:
            raise InvalidArgument("feature", f"a column below {X.shape[1]}", self.feature)
        column = X[:, [self.feature]]
        values = column if isinstance(column, np.ndarray) else column.toarray()
        return np.asarray((values[:, 0] >= self.lowest) & (values[:, 0] <= self.highest))


@dataclass(frozen=True, eq=False, kw_only=True)
class DemographicAttack:
    """Rows of a group given another label, so that the model treats the group worse.

    A budget of kind "add" adds relabelled copies, one of kind "flip" relabels
    rows in place. The damage to the group is measured by
    `toadstone.pipeline.evaluation.group_damage.group_damage`.

    Parameters
    ----------
    group : Group
    source : object
        The label that the group should lose, such as that of a repaid loan.
    target : object, optional
        The label that it gets; by default another one at random.
    feasible_set : FeasibleSet, optional
        Only rows that lie inside it under their new label are used.

    References
    ----------
    .. [1] Solans, Biggio and Castillo, "Poisoning attacks on algorithmic
       fairness", ECML PKDD 2020.
    .. [2] Mehrabi, Naveed, Morstatter and Galstyan, "Exacerbating algorithmic
       bias through fairness attacks", AAAI 2021.

    Examples
    --------
    >>> data = Dataset([[0.0, 1.0], [1.0, 1.0], [0.0, 2.0], [1.0, 3.0]], ["no", "yes", "yes", "no"])
    >>> attack = DemographicAttack(group=Group(feature=0, lowest=0.5), source="yes")
    >>> made = attack.poison(data, Budget(0.25), np.random.default_rng(0))
    >>> made.X.tolist(), made.y.tolist()
    ([[1.0, 1.0]], ['no'])
    """

    group: Group
    source: object
    target: object | None = None
    feasible_set: FeasibleSet | None = None

    def poison(self, data: Dataset, budget: Budget, rng: Generator) -> Poison:
        """Draw rows of the group and relabel them.

        Parameters
        ----------
        data : Dataset
            Of two or more classes.
        budget : Budget
            Of kind "add" or "flip".
        rng : Generator
            Random numbers for the rows, and for the labels if there is a choice.

        Returns
        -------
        Poison
            As many rows as the budget allows; fewer flips if fewer rows
            qualify.

        Raises
        ------
        InvalidArgument
            If the budget is for no row or of another kind, no row belongs to
            the group, or a label does not occur in the data.
        EmptyFeasibleSet
            If no row qualifies.
        """
        check_budget(budget, len(data))
        members = np.flatnonzero(self.group.contains(data.X))
        if not members.size:
            raise InvalidArgument("group", "one that some rows belong to", self.group)
        inside = data.take(members)
        possible = possible_flips(inside, data.classes, self.feasible_set, source=self.source, target=self.target)
        chosen = rng.permutation(np.flatnonzero(possible.any(axis=1)))
        codes = np.where(possible, rng.random(possible.shape), -1.0).argmax(axis=1)[chosen]
        return spend(data, budget, members[chosen], data.classes[codes])
