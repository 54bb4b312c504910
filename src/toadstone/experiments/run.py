"""Run an experiment and record its results."""

from __future__ import annotations

import time

from toadstone.core.errors import InvalidArgument, InvalidData, missing_extra
from toadstone.experiments.catalogue import Experiment
from toadstone.experiments.conditions import Conditions
from toadstone.pipeline.harness.header import make_header
from toadstone.records.reproduction import Reproduction


def reproduce(experiment: Experiment, conditions: Conditions, *, command: str = "") -> Reproduction:
    """Run an experiment.

    Parameters
    ----------
    experiment : Experiment
    conditions : Conditions
    command : str
        Command line, for the record.

    Returns
    -------
    Reproduction

    Raises
    ------
    InvalidArgument
        If a scale, a folder for trials or a time limit is given for an
        experiment without networks, or targets for one without a choice.
    InvalidData
        If a data set or PyTorch is missing.
    """
    _check(experiment, conditions)
    begin = time.perf_counter()
    try:
        measured = experiment.load()(conditions)
    except ModuleNotFoundError as missing:
        if missing.name != "torch":
            raise
        raise InvalidData(f"{experiment.name} {missing_extra('deep', 'PyTorch')}") from None
    packages = ("torch",) if experiment.images else ()
    return Reproduction(
        header=make_header(
            "reproduction", command=command, seed=conditions.seed, digests=measured.data, packages=packages
        ),
        name=experiment.name,
        title=experiment.title,
        source=experiment.source,
        setting=measured.setting,
        comparisons=measured.comparisons,
        panels=measured.panels,
        notes=measured.notes,
        seconds=time.perf_counter() - begin,
    )


def _check(experiment: Experiment, conditions: Conditions) -> None:
    """Check that no option is given that would be ignored."""
    defaults = Conditions()
    for name in ("scale", "work", "minutes"):
        if not experiment.images and getattr(conditions, name) != getattr(defaults, name):
            raise InvalidArgument(name, "an experiment on networks", experiment.name)
    if conditions.targets is not None and not experiment.targets:
        raise InvalidArgument("targets", "an experiment with a number of targets to choose", experiment.name)
