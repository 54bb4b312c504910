"""The attacker's budget: a share of the data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

from toadstone.core.checks import check_within
from toadstone.core.errors import InvalidArgument

Kind: TypeAlias = Literal["add", "flip", "perturb"]


@dataclass(frozen=True)
class Budget:
    """The share of rows an attacker may add, flip or perturb.

    Parameters
    ----------
    fraction : float
        Poisoned rows for each clean row, in [0, 0.5).
    kind : {"add", "flip", "perturb"}
        Allowed change: add rows, or give clean rows other labels or other
        features.

    Raises
    ------
    InvalidArgument
        If `fraction` is out of range.

    Examples
    --------
    >>> Budget(0.03).count(4137)
    124
    """

    fraction: float
    kind: Kind = "add"

    def __post_init__(self) -> None:
        check_within("[0, 0.5)", fraction=self.fraction)

    def count(self, n_clean: int) -> int:
        """Return the largest whole number of rows within the fraction.

        A fraction is a ceiling, so that a bound for it covers every attack
        within it; decimal fractions that are exact on paper stay exact.
        """
        # 0.29 * 100 is 28.999999999999996 in binary: without room for rounding, a row would be lost.
        return math.floor(self.fraction * n_clean * (1 + 1e-12))

    def count_for(self, kind: Kind, n_clean: int) -> int:
        """Return `count` for an attack that spends budgets of one kind only.

        Raises
        ------
        InvalidArgument
            If the budget is of another kind, or buys no row.
        """
        if self.kind != kind:
            raise InvalidArgument("budget", f"one of kind {kind}", self.kind)
        if self.count(n_clean) == 0:
            raise InvalidArgument("budget", f"a fraction of {n_clean} rows that is at least one row", self.fraction)
        return self.count(n_clean)
