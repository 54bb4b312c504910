"""Trials of defences that look for triggers in a trained network: STRIP and Neural Cleanse."""

from __future__ import annotations

import time
from dataclasses import replace

import torch
from torch import Tensor

from toadstone.deep.defences.neural_cleanse import NeuralCleanse, scan_for_backdoors
from toadstone.deep.defences.strip import strip
from toadstone.deep.trials.cases import NO_DEFENCE, Case, seeded
from toadstone.deep.trials.run_trial import NetworkDefence, run_trial
from toadstone.records.trials import Trial


def strip_trial(case: Case, name: str, *, trusted: Tensor, judged: int, false_alarm_rate: float) -> Trial:
    """Count the inputs that STRIP flags with and without the trigger.

    Parameters
    ----------
    case : Case
    name : str
        Name of the defence in the record.
    trusted : Tensor of shape (m, C, H, W)
        Clean images outside the test set.
    judged : int
        Number of inputs of each kind: the first test images, and the first
        images of the attacker's goal.
    false_alarm_rate : float
        As for `toadstone.deep.defences.strip.strip`.

    Returns
    -------
    Trial
        Dropped rows count inputs, not training images; there is no goal.
    """
    begin = time.perf_counter()
    clean = case.test[0][:judged]
    stamped = clean[:0] if case.goal is None else case.goal.images[:judged]
    inputs = torch.cat([clean, stamped])
    flagged = strip(
        case.undefended, inputs, clean=trusted, generator=seeded(case.seed), false_alarm_rate=false_alarm_rate
    ).flagged
    return _found(
        case,
        name,
        poison=(int(flagged[len(clean) :].sum()), len(stamped)),
        clean=(int(flagged[: len(clean)].sum()), len(clean)),
        begin=begin,
    )


def inversion_trial(case: Case, name: str, *, trusted: Tensor, search: NeuralCleanse) -> Trial:
    """Count the labels that Neural Cleanse suspects, the attacker's and others.

    Parameters
    ----------
    case : Case
    name : str
    trusted : Tensor of shape (m, C, H, W)
    search : NeuralCleanse

    Returns
    -------
    Trial
        Dropped rows count labels; there is no goal.
    """
    begin = time.perf_counter()
    scan = scan_for_backdoors(case.undefended, trusted, generator=seeded(case.seed), search=search)
    target = set(torch.as_tensor(case.goal.label).view(-1).tolist()) if case.goal is not None else set()
    found = target & set(scan.suspects)
    others = len(scan.inversions) - len(target)
    wrong = len(scan.suspects) - len(found)
    return _found(case, name, poison=(len(found), len(target)), clean=(wrong, others), begin=begin)


def _found(case: Case, name: str, *, poison: tuple[int, int], clean: tuple[int, int], begin: float) -> Trial:
    """Return the trial of the undefended network with inputs or labels counted as dropped rows."""
    plain = run_trial(case, NetworkDefence(NO_DEFENCE))
    return replace(
        plain,
        defence=name,
        flagged_poison=poison[0],
        poison_rows=poison[1],
        flagged_clean=clean[0],
        clean_rows=clean[1],
        goal_rows=None,
        goal_reached=None,
        seconds=time.perf_counter() - begin,
    )
