"""Trials of what looks for a trigger in a finished network, and leaves its training images alone."""

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
    """Whether STRIP tells inputs with the trigger from those without.

    Parameters
    ----------
    case : Case
    name : str
        Of the defence, for the record.
    trusted : Tensor of shape (m, C, H, W)
        Clean images that nobody tests with.
    judged : int
        Inputs of each kind: the first test images, and the first that the
        attacker has a goal for.
    false_alarm_rate : float
        Share of clean inputs that may be flagged.

    Returns
    -------
    Trial
        What was dropped counts inputs, not training images; there is no goal.
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
    """Whether the search for the smallest patch suspects the attacker's label and no other.

    Parameters
    ----------
    case : Case
    name : str
    trusted : Tensor of shape (m, C, H, W)
    search : NeuralCleanse

    Returns
    -------
    Trial
        What was dropped counts labels; there is no goal.
    """
    begin = time.perf_counter()
    scan = scan_for_backdoors(case.undefended, trusted, generator=seeded(case.seed), search=search)
    meant = {case.goal.label} if case.goal is not None else set()
    found = meant & set(scan.suspects)
    others = len(scan.inversions) - len(meant)
    wrong = len(scan.suspects) - len(found)
    return _found(case, name, poison=(len(found), len(meant)), clean=(wrong, others), begin=begin)


def _found(case: Case, name: str, *, poison: tuple[int, int], clean: tuple[int, int], begin: float) -> Trial:
    """The trial of the undefended network, with other things counted as dropped."""
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
