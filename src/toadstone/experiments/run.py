"""From the name of an experiment to its record."""

from __future__ import annotations

import datetime
import platform
import time
from importlib.metadata import version

import toadstone
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.experiments.catalogue import Experiment
from toadstone.experiments.conditions import Conditions
from toadstone.records.reproduction import Reproduction

_VERSIONED = ("numpy", "scipy", "scikit-learn", "numba")


def reproduce(experiment: Experiment, conditions: Conditions, *, command: str = "") -> Reproduction:
    """Run an experiment.

    Parameters
    ----------
    experiment : Experiment
    conditions : Conditions
    command : str
        What the user typed, for the record.

    Returns
    -------
    Reproduction

    Raises
    ------
    InvalidArgument
        If a scale, a folder for trials or a limit of time is named, and the
        experiment is none on networks.
    InvalidData
        If a data set that it needs is missing, or PyTorch.
    """
    _check(experiment, conditions)
    begin = time.perf_counter()
    try:
        measured = experiment.load()(conditions)
    except ModuleNotFoundError as missing:
        if missing.name != "torch":
            raise
        raise InvalidData(f"{experiment.name}: expected PyTorch; pip install 'toadstone[deep]' has it") from None
    versions = {"toadstone": toadstone.__version__, "python": platform.python_version()}
    computing = (*_VERSIONED, "torch") if experiment.images else _VERSIONED
    return Reproduction(
        name=experiment.name,
        title=experiment.title,
        source=experiment.source,
        setting=measured.setting,
        comparisons=measured.comparisons,
        panels=measured.panels,
        notes=measured.notes,
        data=measured.data,
        seconds=time.perf_counter() - begin,
        seed=conditions.seed,
        command=command,
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        versions=versions | {name: version(name) for name in computing},
    )


def _check(experiment: Experiment, conditions: Conditions) -> None:
    """Refuse options that would be ignored."""
    plain = Conditions()
    for name in ("scale", "work", "minutes"):
        if not experiment.images and getattr(conditions, name) != getattr(plain, name):
            raise InvalidArgument(name, "an experiment on networks where it is given", experiment.name)
