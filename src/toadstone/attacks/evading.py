"""The evading attack: of more poison than is needed, that which the deployed detector finds least suspicious."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
from numpy.random import Generator

from toadstone.core.arrays import Array, IntArray, Labels, Matrix
from toadstone.core.budget import Budget, Kind
from toadstone.core.checks import check_count
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import InvalidArgument
from toadstone.core.protocols import Attack
from toadstone.kernels.rows import stack

_LARGEST = float(np.nextafter(0.5, 0))


class FittedDetector(Protocol):
    """Something that is fitted to labelled rows and then says how suspicious each is."""

    suspicion_: Array

    def fit(self, X: Matrix, y: Labels) -> Any:
        """Look at all rows."""


@dataclass(frozen=True, eq=False, kw_only=True)
class EvadingAttack:
    """Another attack's poison, chosen by an attacker who knows the detector.

    The other attack makes several times the rows that the budget pays for.
    The attacker runs the detector that the defender will run, each time on
    all rows as the defender would receive them, with no more poison among
    them than is paid for. How suspicious a row is says its place among the
    clean rows of its label. The least suspicious rows are chosen, looked at
    together, and chosen again by what that showed; of the choices looked at,
    the one with the lowest mean place is used. The attacker is not told the
    detector's threshold.

    Parameters
    ----------
    attack : Attack
        Makes the rows to choose from.
    detector : FittedDetector
        Not fitted; copies of it are. It learns nothing from the attacker.
    rounds : int
        How often a choice is looked at, at most.
    candidates : float
        How many times the budget the attack is asked for, at least 1; a
        budget is never larger than half of the rows, and an attack that runs
        out of rows gives fewer.

    Raises
    ------
    InvalidArgument
        If an option is out of range.

    References
    ----------
    .. [1] Tramèr, Carlini, Brendel and Madry, "On adaptive attacks to
       adversarial example defenses", NeurIPS 2020, on why a defence is
       judged by attackers who know it.

    Examples
    --------
    >>> from toadstone.attacks.flips.label_flip import RandomLabelFlip
    >>> class Farness:
    ...     def fit(self, X, y):
    ...         self.suspicion_ = np.abs(X[:, 0])
    >>> data = Dataset(np.arange(-4.0, 4.0)[:, None], ["ham", "spam"] * 4)
    >>> attack = EvadingAttack(attack=RandomLabelFlip(), detector=Farness())
    >>> attack.poison(data, Budget(0.125), np.random.default_rng(0)).X
    array([[0.]])
    """

    attack: Attack
    detector: FittedDetector
    rounds: int = 3
    candidates: float = 4.0

    def __post_init__(self) -> None:
        check_count(rounds=self.rounds)
        if not 1 <= self.candidates < np.inf:
            raise InvalidArgument("candidates", "a number from 1", self.candidates)

    @property
    def kind(self) -> Kind:
        """The kind of budget that the other attack spends, where it has one."""
        return cast(Any, self.attack).kind  # type: ignore[no-any-return]

    def poison(self, data: Dataset, budget: Budget, rng: Generator) -> Poison:
        """As many rows as the budget allows.

        Parameters
        ----------
        data : Dataset
        budget : Budget
            Of a kind that the other attack spends.
        rng : Generator
            Of the other attack.

        Returns
        -------
        Poison
            Rows in the order in which they were made; all of them where there
            are no more than the budget pays for.

        Raises
        ------
        ToadstoneError
            Whatever the other attack or the detector refuses.
        """
        count = budget.count(len(data))
        larger = Budget(min(self.candidates * budget.fraction, _LARGEST), budget.kind)
        pool = self.attack.poison(data, budget if count == 0 else larger, rng)
        if len(pool) <= count:
            return pool
        return _subset(pool, self._choose(data, pool, count))

    def _choose(self, data: Dataset, pool: Poison, count: int) -> IntArray:
        places, suspicions = np.empty(len(pool)), np.empty(len(pool))
        groups = -(-len(pool) // count)
        for first in range(groups):
            group = np.arange(first, len(pool), groups)
            places[group], suspicions[group] = self._look(data, pool, group)
        best, lowest = np.arange(count), np.inf
        for _ in range(self.rounds):
            chosen = np.sort(np.lexsort((suspicions, places))[:count])
            places[chosen], suspicions[chosen] = self._look(data, pool, chosen)
            if places[chosen].mean() < lowest:
                best, lowest = chosen, places[chosen].mean()
        return best

    def _look(self, data: Dataset, pool: Poison, chosen: IntArray) -> tuple[Array, Array]:
        """The place of the chosen rows among the clean rows of their label, and their suspicion."""
        poison, detector = _subset(pool, chosen), copy.deepcopy(self.detector)
        clean = np.setdiff1d(np.arange(len(data)), _displaced(poison))
        labels = poison.y.astype(data.y.dtype)
        detector.fit(stack([data.X[clean], poison.X]), np.concatenate([data.y[clean], labels]))
        usual, found = detector.suspicion_[: len(clean)], detector.suspicion_[len(clean) :]
        places = np.empty(len(poison))
        for label in np.unique(labels):
            rows, own = np.flatnonzero(labels == label), np.sort(usual[data.y[clean] == label])
            below = np.searchsorted(own, found[rows], side="left") + np.searchsorted(own, found[rows], side="right")
            places[rows] = below / (2 * max(len(own), 1))
        return places, found


def _displaced(poison: Poison) -> IntArray:
    return np.empty(0, dtype=np.int64) if poison.replaces is None else poison.replaces


def _subset(poison: Poison, rows: IntArray) -> Poison:
    displaced = _displaced(poison)
    return Poison(poison.X[rows], poison.y[rows], displaced[rows] if len(displaced) else displaced)
