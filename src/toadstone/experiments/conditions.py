"""Options and results of an experiment."""

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
    """Options of a run.

    Parameters
    ----------
    seed : int
        Seed of all random choices.
    workers : int
        Number of processes; results do not depend on it.
    scale : {"cpu", "full"}
        Size of experiments on networks: minutes on two cores, or the paper's
        sizes on a graphics card. Other experiments have one size only.
    work : Path, optional
        Folder for finished trials and checkpoints of experiments on networks,
        from which an interrupted run is continued.
    minutes : float
        Time limit of experiments on networks: no trial starts later, and the
        finished trials are reported.
    targets : int, optional
        Number of targets of experiments on targeted attacks; theirs by default.
    on_stage : callable
        Called with the name of each stage at its start.
    on_step : callable
        Called after each step within a stage.

    Raises
    ------
    InvalidArgument
        If an option is out of range.
    """

    seed: int = 0
    workers: int = 1
    scale: Scale = "cpu"
    work: Path | None = None
    minutes: float = math.inf
    targets: int | None = None
    on_stage: Callable[[str], None] = lambda stage: None
    on_step: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        check_seed(self.seed)
        check_count(workers=self.workers)
        if self.targets is not None:
            check_count(targets=self.targets)
        if self.scale not in get_args(Scale):
            raise InvalidArgument("scale", "cpu or full", self.scale)
        if not self.minutes > 0:
            raise InvalidArgument("minutes", "a positive number", self.minutes)


@dataclass(frozen=True)
class Measured:
    """Results of an experiment.

    Parameters
    ----------
    setting : mapping from str to str
        Data, defender and attacker, in words.
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
