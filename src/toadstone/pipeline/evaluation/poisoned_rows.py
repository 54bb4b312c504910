"""An attack on the rows of one seed: configured, made and checked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import Generator

from toadstone.attacks.evading import EvadingAttack
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
    configured : ConfiguredAttack, optional
        None for no attack.
    poison : Poison, optional
        None for no attack, and for one that is made anew against each
        detector.
    knows_detector : bool
        True where it is made anew against each detector.
    goal_clean : float, optional
        Share of its goal that the model of the clean rows reaches.
    skipped : str
        The reason why it cannot be made.
    """

    attack: str
    budget: Budget
    domain: Domain
    configured: ConfiguredAttack | None = None
    poison: Poison | None = None
    knows_detector: bool = False
    goal_clean: float | None = None
    skipped: str = ""


@dataclass(frozen=True, eq=False)
class MadeOnce:
    """An attack whose rows were made before."""

    made: Poison

    def poison(self, data: Dataset, budget: Budget, rng: Generator) -> Poison:
        """Return them, whatever the budget."""
        return self.made


def no_attack(view: AttackerView) -> PoisonedRows:
    """Return the clean rows as they are."""
    return PoisonedRows(NO_ATTACK, Budget(view.fraction), view.domain)


def make_poison(part: SeedSplit, spec: AttackSpec, view: AttackerView, clean_model: Any) -> PoisonedRows:
    """Configure an attack for the rows of a seed, and make its poison unless that needs the detector.

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
    knows, poison = spec.knows_detector, None
    try:
        configured = spec.configure(part.clean, view, chance(spec.name, part.seed, "aim"))
        rng = chance(spec.name, part.seed, "poison")
        if not knows:
            poison = configured.attack.poison(part.clean, budget, rng)
            check_poison(poison, part.clean, budget, view.domain)
        elif not spec.plans_for_defence:
            # The rows to choose from are the same for every detector.
            candidates = configured.attack.poison(part.clean, _candidate_budget(budget), rng)
            configured = replace(configured, attack=MadeOnce(candidates))
    except BudgetExceeded:
        raise
    except ToadstoneError as error:
        return PoisonedRows(spec.name, budget, view.domain, knows_detector=knows, skipped=str(error).splitlines()[0])
    found = goal_reached(clean_model, configured, part.test)
    share = None if found is None or not found[1] else found[0] / found[1]
    return PoisonedRows(spec.name, budget, view.domain, configured, poison, knows, share)


def _candidate_budget(budget: Budget) -> Budget:
    """Return the budget that an evading attack asks another attack for."""
    return Budget(min(EvadingAttack.candidates * budget.fraction, float(np.nextafter(0.5, 0))), budget.kind)


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
    if configured.group is not None:
        inside = np.flatnonzero(configured.group.contains(test.X))
        wrong = model.predict(test.X[inside]) != test.y[inside] if len(inside) else inside
        return int(np.count_nonzero(wrong)), len(inside)
    return None
