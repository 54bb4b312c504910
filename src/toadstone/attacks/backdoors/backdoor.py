"""Backdoors: rows with a trigger that teach a model to answer it with the attacker's label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.random import Generator

from toadstone.attacks.backdoors.trigger import Trigger
from toadstone.attacks.flips.label_changes import possible_flips
from toadstone.core.budget import Budget, Kind
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import EmptyFeasibleSet, InvalidArgument
from toadstone.core.protocols import FeasibleSet


@dataclass(frozen=True, eq=False, kw_only=True)
class BackdoorAttack:
    """Copies of clean rows with a trigger and the attacker's label.

    Rows that already have this label are never used, since they teach the
    model nothing about the trigger. No row is used twice before all have been
    used once.

    Parameters
    ----------
    trigger : Trigger
    target : object
        The label that the model should predict for rows with the trigger.
    source : object, optional
        The label of the rows that are copied; any other by default.
    feasible_set : FeasibleSet, optional
        Only rows that lie inside it with trigger and new label are used.

    References
    ----------
    .. [1] Gu, Dolan-Gavitt and Garg, "BadNets: identifying vulnerabilities in
       the machine learning model supply chain", 2017, section 4.

    Examples
    --------
    >>> from toadstone.attacks.backdoors.row_trigger import FeatureTrigger
    >>> data = Dataset([[1.0, 0.0], [2.0, 0.0], [8.0, 0.0], [9.0, 0.0]], ["ham", "ham", "spam", "spam"])
    >>> attack = BackdoorAttack(trigger=FeatureTrigger(features=(1,), values=(5.0,)), target="ham")
    >>> made = attack.poison(data, Budget(0.25), np.random.default_rng(0))
    >>> made.X.tolist(), made.y.tolist()
    ([[8.0, 5.0]], ['ham'])
    """

    kind: ClassVar[Kind] = "add"

    trigger: Trigger
    target: object
    source: object | None = None
    feasible_set: FeasibleSet | None = None

    def poison(self, data: Dataset, budget: Budget, rng: Generator) -> Poison:
        """Copy rows drawn at random, apply the trigger and relabel them.

        Parameters
        ----------
        data : Dataset
            Of two or more classes.
        budget : Budget
            Of kind "add".
        rng : Generator
            Random numbers for the rows.

        Returns
        -------
        Poison
            As many rows as the budget allows.

        Raises
        ------
        InvalidArgument
            If the budget is for no row or of another kind, a label does not
            occur in the data, or the trigger is for other columns.
        EmptyFeasibleSet
            If no row qualifies.
        """
        count = budget.count_for(self.kind, len(data))
        # Feasibility is that of the rows as they will be: with the trigger.
        triggered = data if self.feasible_set is None else Dataset(self.trigger.apply(data.X), data.y)
        possible = possible_flips(triggered, data.classes, self.feasible_set, source=self.source, target=self.target)
        rows = np.resize(rng.permutation(np.flatnonzero(possible.any(axis=1))), count)
        return Poison(self.trigger.apply(data.X[rows]), np.full(count, self.target, dtype=data.y.dtype))


@dataclass(frozen=True, eq=False, kw_only=True)
class CleanLabelBackdoor:
    """A trigger in rows that rightly have the attacker's label, so that no label is wrong.

    Parameters
    ----------
    trigger : Trigger
    target : object
        The label that the model should predict for rows with the trigger.
    feasible_set : FeasibleSet, optional
        Only rows that lie inside it with the trigger are used.

    References
    ----------
    .. [1] Barni, Kallas and Tondi, "A new backdoor attack in CNNs by training
       set corruption without label poisoning", ICIP 2019.
    """

    kind: ClassVar[Kind] = "perturb"

    trigger: Trigger
    target: object
    feasible_set: FeasibleSet | None = None

    def poison(self, data: Dataset, budget: Budget, rng: Generator) -> Poison:
        """Apply the trigger to rows of the target class drawn at random, in place.

        Parameters
        ----------
        data : Dataset
        budget : Budget
            Of kind "perturb".
        rng : Generator
            Random numbers for the rows.

        Returns
        -------
        Poison
            As many rows as the budget allows, or all that qualify if they
            are fewer.

        Raises
        ------
        InvalidArgument, EmptyFeasibleSet
            As for `BackdoorAttack`.
        """
        count = budget.count_for(self.kind, len(data))
        if self.target not in data.classes.tolist():
            raise InvalidArgument("target", f"one of {', '.join(map(str, data.classes))}", self.target)
        rows = rng.permutation(np.flatnonzero(data.y == self.target))
        if self.feasible_set is not None:
            rows = rows[self.feasible_set.contains(self.trigger.apply(data.X[rows]), data.y[rows])]
        if not len(rows):
            raise EmptyFeasibleSet(f"no row of class {self.target} lies in the feasible set with the trigger")
        rows = rows[:count]
        return Poison(self.trigger.apply(data.X[rows]), data.y[rows], rows)
