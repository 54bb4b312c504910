"""A defence as an attacker who is told of it runs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from toadstone.attacks.evading import EvadingAttack
from toadstone.core.arrays import Array, Labels, Matrix
from toadstone.core.dataset import Dataset, Poison
from toadstone.kernels.rows import stack
from toadstone.pipeline.evaluation.attack_choices import ConfiguredAttack
from toadstone.pipeline.evaluation.attacks import chance
from toadstone.pipeline.evaluation.defences import make_filter
from toadstone.pipeline.evaluation.poisoned_rows import PoisonedRows
from toadstone.pipeline.evaluation.seed_split import SeedSplit, shared_rows
from toadstone.pipeline.harness.judge import Defence
from toadstone.pipeline.harness.poison_check import check_poison
from toadstone.records.evaluation import DefenceInfo


@dataclass(eq=False)
class DetectorWithTrusted:
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

    def fit(self, X: Matrix, y: Labels) -> DetectorWithTrusted:
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


def evading_poison(
    part: SeedSplit, poisoned: PoisonedRows, configured: ConfiguredAttack, info: DefenceInfo, defence: Defence
) -> Poison:
    """The poison of an attacker who knows which detector is deployed.

    Raises
    ------
    ToadstoneError
        Whatever the attack or the detector refuses, and if the poison breaks
        its contract.
    """
    detector = DetectorWithTrusted(make_filter(info, defence), part.trusted, info.needs_trusted)
    attack = EvadingAttack(attack=configured.attack, detector=detector)
    poison = attack.poison(part.clean, poisoned.budget, chance(poisoned.attack, part.seed, "poison"))
    check_poison(poison, part.clean, poisoned.budget, poisoned.domain)
    return poison
