"""Trials of networks on disk, so that an experiment can go on where it stopped and none is discarded."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from toadstone.core.version import __version__
from toadstone.experiments.conditions import Conditions
from toadstone.pipeline.evaluation.journal import Journal
from toadstone.records.trials import Trial


@dataclass(frozen=True)
class Planned:
    """A trial to be run.

    Parameters
    ----------
    attack, defence : str
    seed : int
    make : callable
        Runs it; not called where the journal has it.
    """

    attack: str
    defence: str
    seed: int
    make: Callable[[], Trial]


class TrialLog:
    """The journal of an experiment, and the folder that it is in.

    Parameters
    ----------
    journal : Journal
    folder : Path
        For checkpoints and crafted poisons.
    conditions : Conditions

    Attributes
    ----------
    cut_short : bool
        Whether trials were left out because time was up.
    """

    def __init__(self, journal: Journal, folder: Path, conditions: Conditions) -> None:
        self.folder = folder
        self.cut_short = False
        self._journal = journal
        self._on_step = conditions.on_step
        self._end = time.monotonic() + 60 * conditions.minutes

    def run(self, planned: Iterable[Planned]) -> tuple[Trial, ...]:
        """All planned trials: those of the journal, and new ones, each written down at once, until time is up."""
        known = {(trial.attack, trial.defence, trial.seed): trial for trial in self._journal.trials}
        trials = []
        for one in planned:
            name = one.attack, one.defence, one.seed
            if name not in known:
                if time.monotonic() > self._end:
                    self.cut_short = True
                    break
                known[name] = one.make()
                self._journal.add([known[name]])
                self._on_step()
            trials.append(known[name])
        return tuple(trials)

    def notes(self, trials: Sequence[Trial]) -> tuple[str, ...]:
        """What a reader should know where trials were left out."""
        if not self.cut_short:
            return ()
        return (f"Stopped when time was up, after {len(trials)} trials; later ones are not in the table.",)


@contextmanager
def logged(name: str, plan: object, conditions: Conditions) -> Iterator[TrialLog]:
    """The log of an experiment, in the folder of the conditions or in a temporary one.

    Parameters
    ----------
    name : str
        Of the experiment.
    plan : object
        Whose representation says all that the trials depend on.
    conditions : Conditions

    Raises
    ------
    InvalidArgument
        If the folder holds another experiment, or cannot be written.
    """
    told = sha256(repr((name, plan, conditions.seed, __version__)).encode()).hexdigest()
    with tempfile.TemporaryDirectory(prefix="toadstone-") as aside:
        folder = conditions.work if conditions.work is not None else Path(aside)
        with Journal(folder, told, option="work") as journal:
            yield TrialLog(journal, folder, conditions)
