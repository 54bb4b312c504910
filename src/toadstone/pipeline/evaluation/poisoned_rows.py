"""An attack on the rows of one seed: aimed, made, and checked by somebody who did not make it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from toadstone.core.budget import Budget
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import BudgetExceeded, InvalidData, ToadstoneError
from toadstone.core.feasible import Domain
from toadstone.pipeline.evaluation.attack_choices import AttackerView, ConfiguredAttack
from toadstone.pipeline.evaluation.attack_success import success_rate
from toadstone.pipeline.evaluation.attacks import AttackSpec, chance
from toadstone.pipeline.evaluation.seed_split import SeedSplit
from toadstone.pipeline.harness.poison_check import check_poison
from toadstone.records.audit import NO_ATTACK


@dataclass(frozen=True, eq=False)
class PoisonedRows:
    """An attack that is ready to be defended against.

    Parameters
    ----------
    attack : str
    budget : Budget
    domain : Domain
    aimed : ConfiguredAttack, optional
        None for no attack.
    poison : Poison, optional
        None for no attack, and for one that is made anew against each
        detector.
    knows_detector : bool
        Whether it is.
    goal_clean : float, optional
        How much of its goal the model of the clean rows reaches.
    skipped : str
        Why it cannot be made.
    """

    attack: str
    budget: Budget
    domain: Domain
    configured: ConfiguredAttack | None = None
    poison: Poison | None = None
    knows_detector: bool = False
    goal_clean: float | None = None
    skipped: str = ""


def no_attack(view: AttackerView) -> PoisonedRows:
    """The clean rows as they are."""
    return PoisonedRows(NO_ATTACK, Budget(view.fraction), view.domain)


def stage(part: SeedSplit, spec: AttackSpec, view: AttackerView, clean_model: Any) -> PoisonedRows:
    """Aim an attack at the rows of a seed, and make its poison unless it waits for the detector.

    Parameters
    ----------
    part : SeedSplit
    spec : AttackSpec
    view : AttackerView
    clean_model : object
        Trained on the clean rows and the trusted ones.

    Returns
    -------
    PoisonedRows
        Skipped where the attack is not for these rows.

    Raises
    ------
    BudgetExceeded
        If the poison breaks its contract.
    """
    budget = Budget(view.fraction, spec.budget)
    told, poison = spec.knows_detector, None
    try:
        configured = spec.aim(part.clean, view, chance(spec.name, part.seed, "aim"))
        if not told:
            poison = configured.attack.poison(part.clean, budget, chance(spec.name, part.seed, "poison"))
            check_poison(poison, part.clean, budget, view.domain)
    except BudgetExceeded:
        raise
    except (ToadstoneError, ValueError) as error:
        return PoisonedRows(spec.name, budget, view.domain, knows_detector=told, skipped=str(error).splitlines()[0])
    found = goal_reached(clean_model, configured, part.test)
    share = None if found is None or not found[1] else found[0] / found[1]
    return PoisonedRows(spec.name, budget, view.domain, configured, poison, told, share)


def goal_reached(model: Any, configured: ConfiguredAttack, test: Dataset) -> tuple[int, int] | None:
    """Count test rows for which a model does what the attacker wants, and those that could show it.

    Returns
    -------
    (int, int) or None
        None where mere errors are wanted.
    """
    if configured.trigger is not None:
        try:
            rate = success_rate(model, test, configured.trigger, target=configured.target)
        except InvalidData:
            # Every row of another class is misclassified without the trigger.
            return 0, 0
        return rate.count, rate.total
    if configured.part is not None:
        inside = np.flatnonzero(configured.part.contains(test.X))
        wrong = model.predict(test.X[inside]) != test.y[inside] if len(inside) else inside
        return int(np.count_nonzero(wrong)), len(inside)
    return None
