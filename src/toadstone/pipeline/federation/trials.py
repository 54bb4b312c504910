"""One attack of malicious clients against one rule: train, test, count."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any

from toadstone.core.errors import InvalidInput
from toadstone.federated.simulation.federation import run_federation
from toadstone.federated.simulation.results import FederationRun, FederationSetting
from toadstone.pipeline.federation.choices import ChosenAttack, ChosenRule
from toadstone.pipeline.federation.part import FederatedPart
from toadstone.pipeline.federation.plan import FederationPlan
from toadstone.pipeline.harness.threads import one_thread
from toadstone.records.audit import NO_ATTACK
from toadstone.records.federated import FederatedTrial


def run_federated_unit(
    part: FederatedPart, plan: FederationPlan, attack: ChosenAttack | None, rule: ChosenRule, malicious: int
) -> tuple[FederatedTrial, ...]:
    """Train with one number of malicious clients, by one attack or none, behind one rule.

    Parameters
    ----------
    part : FederatedPart
    plan : FederationPlan
    attack : ChosenAttack, optional
    rule : ChosenRule
    malicious : int

    Returns
    -------
    tuple of FederatedTrial
        One; skipped where attack or rule are not for these clients.
    """
    begin = time.perf_counter()
    name = NO_ATTACK if attack is None else attack.info.name
    blank = FederatedTrial(malicious, name, rule.info.name, part.seed)
    setting = FederationSetting(
        rounds=plan.rounds,
        momentum=plan.momentum,
        evaluate_every=plan.evaluate_every,
        seed=part.seed,
        # Without an attack the same count says how often the trigger calls up the class by itself.
        trigger=part.trigger if attack is None else None,
        root=None if part.root is None or not rule.info.needs_root else (part.root.X, part.root.y),
    )
    try:
        with one_thread():
            run = run_federation(
                plan.training.model(part.rows.n_features, part.classes, part.image),
                part.clients,
                (part.test.X, part.test.y),
                rule=rule.rule,
                malicious=malicious,
                attack=None if attack is None else _made(attack, part),
                setting=setting,
            )
    except InvalidInput as error:
        # What one rule cannot use is no reason to go without the others.
        return (replace(blank, skipped=str(error).splitlines()[0]),)
    return (replace(_measured(blank, run), seconds=time.perf_counter() - begin),)


def _made(attack: ChosenAttack, part: FederatedPart) -> Any:
    return attack.kind(trigger=part.trigger) if attack.info.goal == "trigger" else attack.kind()


def _measured(blank: FederatedTrial, run: FederationRun) -> FederatedTrial:
    hits, rows = (None, None) if run.success is None else run.success
    return replace(
        blank,
        accuracy=run.accuracy,
        worst=run.worst,
        area=min(run.area, 1.0),
        success_hits=hits,
        success_rows=rows,
        refused=run.refused,
        malicious_filtered=run.malicious_filtered,
        honest_filtered=run.honest_filtered,
        unchanged_rounds=run.unchanged_rounds,
        heterogeneity=_finite(run.heterogeneity),
        kappa=_finite(run.kappa),
    )


def _finite(number: float) -> float | None:
    """Return a number that JSON can hold."""
    return number if math.isfinite(number) else None
