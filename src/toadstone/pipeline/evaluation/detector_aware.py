"""Attacks that know the deployed defence, and the defence as their attacker runs it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from toadstone.attacks.evading import EvadingAttack
from toadstone.attacks.influence.multi_defence import KKTInfluenceAttack
from toadstone.core.arrays import Array, IntArray, Labels, Matrix
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import InvalidArgument
from toadstone.kernels.rows import stack
from toadstone.pipeline.evaluation.attacks import chance
from toadstone.pipeline.evaluation.defences import DefenderData, kept_rows, make_filter
from toadstone.pipeline.evaluation.poisoned_rows import PoisonedRows
from toadstone.pipeline.evaluation.seed_split import SeedSplit, shared_rows
from toadstone.pipeline.harness.judge import Defence
from toadstone.pipeline.harness.poison_check import check_poison
from toadstone.records.evaluation import DefenceInfo


def beside_trusted(X: Matrix, y: Labels, trusted: Dataset | None) -> DefenderData:
    """Return rows with the defender's trusted ones after them.

    A trusted row of which a copy is among the others is trusted no longer:
    the defender cannot tell them apart.

    Parameters
    ----------
    X, y : ndarray or CSR of shape (n, d), ndarray of shape (n,)
    trusted : Dataset, optional
    """
    if trusted is None:
        return DefenderData(X, y, np.empty(0, dtype=np.int64))
    own = np.setdiff1d(np.arange(len(trusted)), shared_rows(trusted.X, X))
    return DefenderData(stack([X, trusted.X]), np.concatenate([y, trusted.y.astype(y.dtype)]), len(y) + own)


@dataclass(eq=False)
class DetectorWithTrusted:
    """A detector or sanitizer that looks at rows with the defender's trusted ones beside them.

    Parameters
    ----------
    detector : object
        Not fitted.
    trusted : Dataset, optional
        Rows of the defender; the attacker sees them and cannot change them.
    needed : bool
        Whether the detector needs to know which rows are trusted.

    Attributes
    ----------
    suspicion_ : ndarray of shape (n,)
        Of the rows given.
    """

    detector: Any
    trusted: Dataset | None
    needed: bool

    def fit(self, X: Matrix, y: Labels) -> DetectorWithTrusted:
        """Score all rows, as the defender would receive them."""
        seen = beside_trusted(X, y, self.trusted)
        known = {"trusted": seen.trusted} if self.needed else {}
        self.suspicion_: Array = self.detector.fit(seen.X, seen.y, **known).suspicion_[: len(y)]
        return self


@dataclass(frozen=True, eq=False)
class DeployedFilter:
    """Filter that keeps the rows which a deployed defence keeps.

    Parameters
    ----------
    info : DefenceInfo
    defence : Defence
    trusted : Dataset, optional
        Rows of the defender beside them.
    """

    info: DefenceInfo
    defence: Defence
    trusted: Dataset | None

    def __call__(self, X: Matrix, y: Labels) -> IntArray:
        """Return the numbers of the rows kept, ascending."""
        seen = beside_trusted(X, y, self.trusted)
        kept = kept_rows(self.info, seen, self.defence, trusted=self.trusted is not None)
        return kept[kept < len(y)]


def adaptive_poison(part: SeedSplit, poisoned: PoisonedRows, info: DefenceInfo, defence: Defence) -> Poison:
    """Make the poison of an attacker who knows which defence is deployed.

    The KKT attack moved by influence follows the rows that this defence
    keeps. Of any other attack's rows those are used that the detector finds
    least suspicious.

    Raises
    ------
    ToadstoneError
        Whatever the attack or the detector refuses, and if the poison breaks
        its contract.
    """
    if poisoned.configured is None:
        raise InvalidArgument("attack", "one that is configured", poisoned.attack)
    attack = poisoned.configured.attack
    if isinstance(attack, KKTInfluenceAttack):
        attack = replace(attack, filters=(DeployedFilter(info, defence, part.trusted),))
    else:
        detector = DetectorWithTrusted(make_filter(info, defence), part.trusted, info.needs_trusted)
        attack = EvadingAttack(attack=attack, detector=detector)
    poison = attack.poison(part.clean, poisoned.budget, chance(poisoned.attack, part.seed, "poison"))
    check_poison(poison, part.clean, poisoned.budget, poisoned.domain)
    return poison
