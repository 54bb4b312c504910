"""The attacker's budget: a share of the data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

from toadstone.core.checks import check_within
from toadstone.core.errors import InvalidArgument

Kind: TypeAlias = Literal["add", "flip", "replace", "perturb"]


@dataclass(frozen=True)
class Budget:
    """The share of rows an attacker may add, flip, replace or perturb.

    Parameters
    ----------
    fraction : float
        Poisoned rows for each clean row, in [0, 0.5).
    kind : {"add", "flip", "replace", "perturb"}
        Allowed change: add rows, give clean rows other labels, put others in
        their place, or give them other features.
    by_class : tuple of two float, optional
        Shares, of all clean rows, for the lower and for the higher label; the
        fraction is their sum.

    Raises
    ------
    InvalidArgument
        If `fraction` is out of range, or not the sum of the shares.

    Examples
    --------
    >>> Budget(0.03).count(4137)
    124
    >>> Budget.of_classes(0.01, 0.02).counts(4137)
    (41, 82)
    """

    fraction: float
    kind: Kind = "add"
    by_class: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        check_within("[0, 0.5)", fraction=self.fraction)
        if self.by_class is not None and (sum(self.by_class) != self.fraction or min(self.by_class) < 0):
            raise InvalidArgument("fraction", f"the sum of shares from 0, {self.by_class}", self.fraction)

    @classmethod
    def of_classes(cls, lower: float, higher: float, kind: Kind = "add") -> Budget:
        """Return a budget with a share of its own for each of two labels."""
        return cls(lower + higher, kind, (lower, higher))

    def count(self, n_clean: int) -> int:
        """Return the largest whole number of rows within the fraction.

        A fraction is a ceiling, so that a bound for it covers every attack
        within it; decimal fractions that are exact on paper stay exact.
        """
        counts = self.counts(n_clean)
        return _whole(self.fraction, n_clean) if counts is None else sum(counts)

    def counts(self, n_clean: int) -> tuple[int, int] | None:
        """Return the largest whole numbers of rows of each label; None without limits for each."""
        if self.by_class is None:
            return None
        return _whole(self.by_class[0], n_clean), _whole(self.by_class[1], n_clean)

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


def _whole(fraction: float, n_clean: int) -> int:
    # 0.29 * 100 is 28.999999999999996 in binary: without room for rounding, a row would be lost.
    return math.floor(fraction * n_clean * (1 + 1e-12))
