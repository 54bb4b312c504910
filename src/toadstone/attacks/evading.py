"""The evading attack: the rows of another attack that the deployed detector finds least suspicious."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.random import Generator

from toadstone.core.arrays import Array, IntArray
from toadstone.core.budget import Budget, Kind
from toadstone.core.checks import check_count
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import InvalidArgument
from toadstone.core.protocols import Attack
from toadstone.kernels.rows import stack

# A budget has to stay below one half.
_LARGEST = float(np.nextafter(0.5, 0))


@dataclass(frozen=True, eq=False, kw_only=True)
class EvadingAttack:
    """The least suspicious rows of another attack, for an attacker who knows the detector.

    The other attack makes several times as many rows as the budget allows.
    The attacker runs the defender's detector on the clean rows together with
    a part of these candidates, no larger than the budget, and notes the rank
    of each candidate among the clean rows of its label. Then it takes the
    candidates of lowest rank, runs the detector on them together, updates
    their ranks and repeats. It uses the choice with the lowest mean rank. The
    attacker does not know the detector's threshold.

    Parameters
    ----------
    attack : Attack
        Makes the candidates.
    detector : detector or sanitizer
        The defender's, whose ``fit(X, y)`` sets ``suspicion_``, one number for
        each row. Copies of it are fitted; it stays as it is.
    rounds : int
        Number of choices to evaluate.
    candidates : float
        Number of candidates for each row of the budget, at least 1. There are
        fewer if they would exceed half of the clean rows, or if the attack
        runs out of rows.

    Raises
    ------
    InvalidArgument
        If an option is out of range.

    References
    ----------
    .. [1] Tramèr, Carlini, Brendel and Madry, "On adaptive attacks to
       adversarial example defenses", NeurIPS 2020.

    Examples
    --------
    >>> from toadstone.attacks.flips.label_flip import RandomLabelFlip
    >>> class Distance:
    ...     def fit(self, X, y):
    ...         self.suspicion_ = np.abs(X[:, 0])
    >>> data = Dataset(np.arange(-4.0, 4.0)[:, None], ["ham", "spam"] * 4)
    >>> attack = EvadingAttack(attack=RandomLabelFlip(), detector=Distance())
    >>> attack.poison(data, Budget(0.125), np.random.default_rng(0)).X
    array([[0.]])
    """

    attack: Attack
    detector: Any
    rounds: int = 3
    candidates: float = 4.0

    def __post_init__(self) -> None:
        check_count(rounds=self.rounds)
        if not 1 <= self.candidates < np.inf:
            raise InvalidArgument("candidates", "a number from 1", self.candidates)

    @property
    def kind(self) -> Kind:
        """Kind of budget of the other attack, if it has only one."""
        return cast(Any, self.attack).kind  # type: ignore[no-any-return]

    def poison(self, data: Dataset, budget: Budget, rng: Generator) -> Poison:
        """Return as many candidates as the budget allows.

        Parameters
        ----------
        data : Dataset
        budget : Budget
            Of a kind that the other attack accepts.
        rng : Generator
            Random numbers for the other attack.

        Returns
        -------
        Poison
            Rows in the order in which the other attack made them; all of them
            if they are no more than the budget.

        Raises
        ------
        ToadstoneError
            If the other attack or the detector refuses the data.
        """
        count = budget.count(len(data))
        larger = Budget(min(self.candidates * budget.fraction, _LARGEST), budget.kind)
        pool = self.attack.poison(data, budget if count == 0 else larger, rng)
        if len(pool) <= count:
            return pool
        return _subset(pool, self._choose(data, pool, count))

    def _choose(self, data: Dataset, pool: Poison, count: int) -> IntArray:
        ranks, suspicions = np.empty(len(pool)), np.empty(len(pool))
        groups = -(-len(pool) // count)
        for first in range(groups):
            group = np.arange(first, len(pool), groups)
            ranks[group], suspicions[group] = self._rank(data, pool, group)
        best, lowest = np.arange(count), np.inf
        for _ in range(self.rounds):
            chosen = np.sort(np.lexsort((suspicions, ranks))[:count])
            # Detectors judge rows together: poison that is chosen for its looks alone may stand out as a group.
            ranks[chosen], suspicions[chosen] = self._rank(data, pool, chosen)
            if ranks[chosen].mean() < lowest:
                best, lowest = chosen, ranks[chosen].mean()
        return best

    def _rank(self, data: Dataset, pool: Poison, chosen: IntArray) -> tuple[Array, Array]:
        """Return the rank in [0, 1] of the chosen rows among the clean rows of their label, and their suspicion."""
        poison, detector = _subset(pool, chosen), copy.deepcopy(self.detector)
        clean = np.setdiff1d(np.arange(len(data)), _replaced(poison))
        labels = poison.y.astype(data.y.dtype)
        detector.fit(stack([data.X[clean], poison.X]), np.concatenate([data.y[clean], labels]))
        usual, found = detector.suspicion_[: len(clean)], detector.suspicion_[len(clean) :]
        # Within a label, because detectors measure each class on a scale of its own; ties count half.
        ranks = np.empty(len(poison))
        for label in np.unique(labels):
            rows, own = np.flatnonzero(labels == label), np.sort(usual[data.y[clean] == label])
            below = np.searchsorted(own, found[rows], side="left") + np.searchsorted(own, found[rows], side="right")
            ranks[rows] = below / (2 * max(len(own), 1))
        return ranks, found


def _replaced(poison: Poison) -> IntArray:
    return np.empty(0, dtype=np.int64) if poison.replaces is None else poison.replaces


def _subset(poison: Poison, rows: IntArray) -> Poison:
    replaced = _replaced(poison)
    return Poison(poison.X[rows], poison.y[rows], replaced[rows] if len(replaced) else replaced)
