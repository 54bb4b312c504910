"""Every attack of malicious clients against every rule, over several seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from joblib import delayed

from toadstone.core.errors import InvalidInput
from toadstone.pipeline.federation.cells import federated_cells
from toadstone.pipeline.federation.client_vote import certify_client_vote
from toadstone.pipeline.federation.part import FederatedPart
from toadstone.pipeline.federation.plan import FederationSetup
from toadstone.pipeline.federation.trials import run_federated_unit
from toadstone.pipeline.harness.clock import UNLIMITED, Clock, Deadline
from toadstone.pipeline.harness.data_summary import digests, summarize
from toadstone.pipeline.harness.header import make_header
from toadstone.pipeline.harness.row_account import source_of
from toadstone.pipeline.trials.journal import Journal, run_missing
from toadstone.records.audit import NO_ATTACK
from toadstone.records.federated import MEAN, CertifiedClients, ClientAttackInfo, FederatedRecord, FederatedTrial

# Seed, malicious clients, attack and rule.
Unit = tuple[int, int, str, str]


def run_federation_matrix(
    setup: FederationSetup,
    *,
    journal: Journal[FederatedTrial] | None = None,
    workers: int = 1,
    deadline: Deadline = UNLIMITED,
    on_stage: Callable[[str], None] = lambda stage: None,
    on_unit: Callable[[], None] = lambda: None,
) -> FederatedRecord:
    """Run all trials of a simulation, but for those that its journal has.

    Test labels are used to report accuracies and for nothing else. Each trial
    depends on its seed, number of malicious clients, attack and rule alone.

    Parameters
    ----------
    setup : FederationSetup
    journal : Journal, optional
        Where finished trials are read from and written to.
    workers : int
        Processes; results do not depend on it.
    deadline : Deadline
        Trials that have not begun by then are skipped, and left out of the
        journal, so that a later run makes them.
    on_stage : callable
        Called with the name of each stage as it begins.
    on_unit : callable
        Called after each trial.

    Returns
    -------
    FederatedRecord

    Raises
    ------
    InvalidArgument
        If the deadline passes before the mean without an attack is trained.
    """
    clock = Clock(on_stage)
    parts = {seed: setup.part(seed) for seed in setup.plan.every_seed}
    with clock.stage("trials"):
        done = run_missing(
            setup.planned,
            lambda missing: _tasks(setup, parts, missing, deadline),
            key=_key,
            journal=journal,
            workers=workers,
            data=parts[setup.plan.seed].rows,
            on_unit=on_unit,
        )
    if not any(key[2:] == (NO_ATTACK, MEAN) for key in done):
        deadline.demand("enough for the mean without an attack, which all others are compared with")
    _refuse_diverged(done)
    certified: tuple[CertifiedClients, ...] = ()
    if setup.plan.vote_groups and not deadline.passed:
        with clock.stage("vote of client groups"):
            certified = certify_client_vote(parts[setup.plan.seed], setup.plan)
    ordered = tuple(
        done.get(unit) or replace(blank, skipped=deadline.reason)
        for unit, blanks in setup.planned.items()
        for blank in blanks
    )
    return _record(setup, parts, ordered, certified, clock.seconds)


def _refuse_diverged(done: Mapping[Unit, FederatedTrial]) -> None:
    """Refuse to compare anything with honest clients who cannot train."""
    clean = [trial for key, trial in done.items() if key[2:] == (NO_ATTACK, MEAN)]
    if clean and not any(trial.accuracy for trial in clean):
        raise InvalidInput(
            f"`rate`: honest clients cannot train at this rate, for what they send is no longer finite; give a smaller "
            f"one ({clean[0].skipped})"
        )


def _key(trial: FederatedTrial) -> Unit:
    return trial.seed, trial.malicious, trial.attack, trial.rule


def _tasks(
    setup: FederationSetup, parts: dict[int, FederatedPart], missing: set[Unit], deadline: Deadline
) -> Iterator[Any]:
    """Yield the missing trials; processes take a few at a time, so that those to come can be left out."""
    attacks = {attack.info.name: attack for attack in setup.attacks}
    rules = {rule.info.name: rule for rule in setup.rules}
    for unit in setup.planned:
        if deadline.passed:
            return
        if unit in missing:
            seed, malicious, attack, rule = unit
            yield delayed(run_federated_unit)(parts[seed], setup.plan, attacks.get(attack), rules[rule], malicious)


def _record(
    setup: FederationSetup,
    parts: dict[int, FederatedPart],
    trials: tuple[FederatedTrial, ...],
    certified: tuple[CertifiedClients, ...],
    seconds: dict[str, float],
) -> FederatedRecord:
    plan, part = setup.plan, parts[setup.plan.seed]
    sizes = [len(rows) for one in parts.values() for rows in one.dealt]
    root_rows = 0 if part.root is None else len(part.root)
    every = plan.evaluate_every
    return FederatedRecord(
        header=make_header("federation", command=plan.command, seed=plan.seed, digests=digests(setup.data)),
        source=source_of(setup.data, plan.source),
        data=summarize(setup.data, setup.domain),
        clients=plan.clients,
        malicious=plan.malicious,
        split=plan.split,
        split_words=setup.dealing.words,
        smallest_client=min(sizes),
        largest_client=max(sizes),
        seeds=plan.every_seed,
        rounds=plan.rounds,
        rounds_at=tuple(dict.fromkeys((*range(0, plan.rounds, every), plan.rounds))),
        momentum=plan.momentum,
        model=plan.training.words,
        parameters=_parameters(setup, part),
        rows=len(part.rows),
        root_rows=root_rows,
        root_origin=_root_origin(root_rows),
        test_rows=len(part.test),
        majority=float(np.unique(part.test.y, return_counts=True)[1].max()) / len(part.test),
        attacks=(
            ClientAttackInfo(NO_ATTACK, "all clients are honest", "none", "none"),
            *(attack.info for attack in setup.attacks),
        ),
        rules=tuple(rule.info for rule in setup.rules),
        cells=federated_cells(trials),
        trials=trials,
        vote_groups=plan.vote_groups,
        certified=certified,
        warnings=tuple(_cautions(setup)),
        timings=seconds,
    )


def _parameters(setup: FederationSetup, part: FederatedPart) -> int:
    model = setup.plan.training.model(part.rows.n_features, part.classes, part.image)
    return len(model.initial(np.random.default_rng(setup.plan.seed)))


def _root_origin(rows: int) -> str:
    if not rows:
        return "The server has no rows of its own: no rule here needs any."
    return (
        f"The server has {rows} rows of its own for the rules that need some: drawn from the training rows of each "
        "class in its share, and given to no client. A real server would have to collect them itself."
    )


def _cautions(setup: FederationSetup) -> Iterator[str]:
    if setup.plan.vote_groups:
        yield (
            "The certificate of the vote is for the first seed, for each test row by itself, and for identities that a "
            "client cannot choose."
        )
    if setup.plan.seeds == 1:
        yield "There is a single seed: nothing tells how much of a figure is chance."
    if setup.dealing.sources is not None and len(set(setup.dealing.sources.tolist())) < setup.plan.clients:
        yield (
            "Clients of one source are alike: honest clients differ less here than clients of distinct sources would."
        )
