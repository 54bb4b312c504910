"""Journal of the trials of an experiment, from which an interrupted run resumes."""

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
from toadstone.pipeline.trials.journal import Journal
from toadstone.records.trials import Trial


@dataclass(frozen=True)
class Planned:
    """A trial to run.

    Parameters
    ----------
    attack, defence : str
    seed : int
    make : callable
        Runs the trial; not called if the journal holds it.
    """

    attack: str
    defence: str
    seed: int
    make: Callable[[], Trial]


class TrialLog:
    """Journal of an experiment and its folder.

    Parameters
    ----------
    journal : Journal
    folder : Path
        Folder for checkpoints and crafted poisons.
    conditions : Conditions

    Attributes
    ----------
    seed : int
    cut_short : bool
        True if trials were left out because time was up.
    """

    def __init__(self, journal: Journal[Trial], folder: Path, conditions: Conditions) -> None:
        self.folder = folder
        self.seed = conditions.seed
        self.cut_short = False
        self._journal = journal
        self._known = {(trial.attack, trial.defence, trial.seed): trial for trial in journal.trials}
        self._on_step = conditions.on_step
        self._end = time.monotonic() + 60 * conditions.minutes

    def run(self, planned: Iterable[Planned]) -> tuple[Trial, ...]:
        """Return the planned trials: those of the journal, and new ones until time is up, each recorded at once."""
        known, trials = self._known, []
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

    def dropped(self, attack: str, defence: str, seed: int) -> int:
        """Return how many rows a defence dropped in a recorded trial.

        Raises
        ------
        KeyError
            If there is no such trial yet.
        """
        trial = self._known[attack, defence, seed]
        return (trial.flagged_poison or 0) + (trial.flagged_clean or 0)

    def notes(self, trials: Sequence[Trial]) -> tuple[str, ...]:
        """Return a note if trials were left out."""
        if not self.cut_short:
            return ()
        return (f"Stopped when time was up, after {len(trials)} trials; later ones are not in the table.",)


@contextmanager
def logged(name: str, plan: object, conditions: Conditions) -> Iterator[TrialLog]:
    """Open the log of an experiment, in the folder of the conditions or in a temporary one.

    Parameters
    ----------
    name : str
        Name of the experiment.
    plan : object
        Its representation must show everything that the trials depend on.
    conditions : Conditions

    Raises
    ------
    InvalidArgument
        If the folder holds another experiment, or cannot be written.
    """
    identity = sha256(repr((name, plan, conditions.seed, __version__)).encode()).hexdigest()
    with tempfile.TemporaryDirectory(prefix="toadstone-") as aside:
        folder = conditions.work if conditions.work is not None else Path(aside)
        with Journal(folder, identity, trial=Trial, run="evaluation", option="work") as journal:
            yield TrialLog(journal, folder, conditions)
