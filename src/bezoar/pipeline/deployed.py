"""A defence as an attacker who is told of it runs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bezoar.attacks.evading import EvadingAttack
from bezoar.core.arrays import Array, Labels, Matrix
from bezoar.core.dataset import Dataset, Poison
from bezoar.core.evaluation import DefenceInfo
from bezoar.kernels.rows import stack
from bezoar.pipeline.aims import Aimed
from bezoar.pipeline.attack_suite import chance
from bezoar.pipeline.contract import check_poison
from bezoar.pipeline.defence_suite import make_filter
from bezoar.pipeline.evaluate import Defence
from bezoar.pipeline.parts import Part, shared_rows
from bezoar.pipeline.stage import Staged


@dataclass(eq=False)
class Deployed:
    """A detector or sanitizer that looks at rows with the defender's trusted ones beside them.

    Parameters
    ----------
    detector : object
        Not fitted.
    trusted : Dataset, optional
        What the defender has; the attacker sees these rows and cannot change
        them.
    needed : bool
        Whether the detector must be told which rows are trusted.

    Attributes
    ----------
    suspicion_ : ndarray of shape (n,)
        Of the rows given.
    """

    detector: Any
    trusted: Dataset | None
    needed: bool

    def fit(self, X: Matrix, y: Labels) -> Deployed:
        """Look at all rows, as the defender would receive them."""
        if self.trusted is None:
            self.suspicion_: Array = self.detector.fit(X, y).suspicion_
            return self
        rows = stack([X, self.trusted.X])
        labels = np.concatenate([y, self.trusted.y.astype(y.dtype)])
        own = np.setdiff1d(np.arange(len(self.trusted)), shared_rows(self.trusted.X, X))
        told = {"trusted": len(y) + own} if self.needed else {}
        self.suspicion_ = self.detector.fit(rows, labels, **told).suspicion_[: len(y)]
        return self


def evading_poison(part: Part, staged: Staged, aimed: Aimed, info: DefenceInfo, defence: Defence) -> Poison:
    """The poison of an attacker who knows which detector is deployed.

    Raises
    ------
    BezoarError
        Whatever the attack or the detector refuses, and if the poison breaks
        its contract.
    """
    detector = Deployed(make_filter(info, defence), part.trusted, info.needs_trusted)
    attack = EvadingAttack(attack=aimed.attack, detector=detector)
    poison = attack.poison(part.clean, staged.budget, chance(staged.attack, part.seed, "poison"))
    check_poison(poison, part.clean, staged.budget, staged.domain)
    return poison
