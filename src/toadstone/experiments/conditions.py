"""What an experiment is given, and what it gives back."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from toadstone.core.checks import check_count, check_seed
from toadstone.core.errors import InvalidArgument
from toadstone.records.reproduction import Comparison, Panel

Scale = Literal["cpu", "full"]


@dataclass(frozen=True)
class Conditions:
    """What a run may choose.

    Parameters
    ----------
    seed : int
        Of all that is random.
    workers : int
        Processes; results do not depend on it.
    scale : {"cpu", "full"}
        What experiments on networks do: what two cores can do in minutes, or
        the paper's sizes on a graphics card. Others have one scale.
    work : Path, optional
        Folder where experiments on networks keep finished trials and
        checkpoints, so that the same run goes on where it stopped.
    minutes : float
        Experiments on networks begin no trial after so many, and report those
        that are finished.
    on_stage : callable
        Called with the name of each stage as it begins.
    on_step : callable
        Called after each step within a stage.

    Raises
    ------
    InvalidArgument
        If a number is out of its range, or the scale another word.
    """

    seed: int = 0
    workers: int = 1
    scale: Scale = "cpu"
    work: Path | None = None
    minutes: float = math.inf
    on_stage: Callable[[str], None] = lambda stage: None
    on_step: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        check_seed(self.seed)
        check_count(workers=self.workers)
        if self.scale not in get_args(Scale):
            raise InvalidArgument("scale", "cpu or full", self.scale)
        if not self.minutes > 0:
            raise InvalidArgument("minutes", "a positive number", self.minutes)


@dataclass(frozen=True)
class Measured:
    """What an experiment found.

    Parameters
    ----------
    setting : mapping from str to str
        Data, defender and attacker in words.
    comparisons : tuple of Comparison
    panels : tuple of Panel
    data : mapping from str to str
        SHA-256 of the training rows of each data set used.
    notes : tuple of str
    """

    setting: Mapping[str, str]
    comparisons: tuple[Comparison, ...]
    panels: tuple[Panel, ...]
    data: Mapping[str, str]
    notes: tuple[str, ...] = ()
