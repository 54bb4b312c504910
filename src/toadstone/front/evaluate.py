"""Evaluate: attacks against detectors, sanitizers and robust learners, over several seeds."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from toadstone.core.claims import claimed
from toadstone.core.dataset import Trusted
from toadstone.datasets.readers.request import Reading
from toadstone.front.inputs import Data, names_of, open_data, request_of, workers_of
from toadstone.front.run import current_run, front_door
from toadstone.front.trial_folder import TrialsResult, journal_of
from toadstone.pipeline.evaluation.plan import EvaluationPlan, prepare
from toadstone.pipeline.evaluation.run import run_evaluation
from toadstone.pipeline.harness.clock import Deadline
from toadstone.pipeline.trials.journal import late_trials
from toadstone.records.evaluation import EvaluationRecord
from toadstone.records.trials import Trial
from toadstone.report.text.evaluation_text import attack_glance, evaluation_lines


class EvaluationResult(TrialsResult):
    """Matrix of attacks and defences; its record is an `EvaluationRecord`."""

    record: EvaluationRecord

    def lines(self, width: int | None = None) -> list[str]:
        """Say which attacks are caught, which are missed, and what each defence costs."""
        return evaluation_lines(self.record, width)

    def columns(self) -> tuple[None, Mapping[str, Sequence[Any]]]:
        """Give a row for each attack, defence and kind of thresholds, with means over seeds."""
        cells = self.record.cells
        names = ("caught", "false_alarms", "auroc", "test_error", "error_rise", "success", "accuracy_cost")
        means = {
            name: [None if (found := getattr(cell, name)) is None else found.mean for cell in cells] for name in names
        }
        return None, {
            "attack": [cell.attack for cell in cells],
            "defence": [cell.defence for cell in cells],
            "thresholds": [cell.thresholds for cell in cells],
            "verdict": [cell.verdict for cell in cells],
            **means,
            "skipped": [cell.skipped for cell in cells],
        }

    def glance(self) -> Mapping[str, Sequence[Any]]:
        """Give a row for each attack: its effect undefended and behind the best defence, and what catches it."""
        return attack_glance(self.record)

    def plot(self) -> Any:
        """Draw the matrix of attacks and defences."""
        from toadstone.report.drawings.plots import plot_matrix

        return plot_matrix(self.record)

    def write(self, folder: Path) -> None:
        """Write report.html, record.json and matrix.csv."""
        from toadstone.report.files.folders import write_evaluation

        write_evaluation(self.record, folder)


@front_door
def evaluate(
    data: Data,
    *,
    attacks: str | Sequence[str] | None = None,
    defences: str | Sequence[str] | None = None,
    seed: int = 0,
    image: tuple[int, int, int] | None = None,
    fraction: float = 0.05,
    seeds: int = 3,
    rows: int = 2000,
    test_rows: int = 2000,
    trusted_share: float = 0.1,
    trusted: Data | None = None,
    false_alarm_rate: float | None = None,
    workers: int | None = None,
    out: str | os.PathLike[str] | None = None,
    force: bool = False,
    max_seconds: float | None = None,
    **reading: Unpack[Reading],
) -> EvaluationResult:
    """Poison the data by every attack that suits them, and measure every defence.

    The data are taken as clean. For each seed, rows are drawn and some of them
    held out as trusted, out of the attacker's reach; each attack poisons the
    others, each defence gets the result, and a model is trained on what it
    keeps.

    Parameters
    ----------
    data : path, name, data frame, (X, y), Dataset or Split
        A file, a name that ``toadstone datasets`` lists, a pandas, polars or
        pyarrow data frame, a pair of arrays, or what `load` and `read` return.
    attacks, defences : str or sequence of str, optional
        Names or whole kinds; all that suit the data by default.
    seed : int
        Seed of all that is random, from 0.
    image : tuple of int, optional
        Height, width and channels of rows that are images; needed only where
        the file does not show them, as an archive of shape (n, height, width,
        channels) or (n, channels, height, width) does.
    fraction : float
        Poison rows for each clean row, in (0, 0.5).
    seeds : int
        How many; means carry intervals over them.
    rows, test_rows : int
        At most so many training rows of a seed, and test rows.
    trusted_share : float
        Of the training rows, in [0, 1), where `trusted` is not given.
    trusted : path, data frame, (X, y) or Dataset, optional
        Rows known to be clean, none of them in `data`.
    false_alarm_rate : float, optional
        Share of clean rows that each detector may flag, in (0, 0.1].
    workers : int, optional
        Processes, one for each available core by default; results do not depend on it.
    out : path, optional
        Folder of finished trials: the same call goes on from them.
    max_seconds : float, optional
        Begin nothing new after so many seconds: trials that have not begun are
        skipped, and `unfinished` of the result says so; with `out`, the same
        call goes on from the finished ones.
    force : bool
        Begin anew in that folder, and give up an older evaluation in it.
    **reading
        Options of how data are read, those of `toadstone.read`: label, text
        and more.

    Returns
    -------
    EvaluationResult

    Raises
    ------
    InvalidInput
        If the data or an option cannot be used.

    Examples
    --------
    >>> import toadstone
    >>> result = toadstone.evaluate(
    ...     "breast-cancer", attacks="random-flip", defences="label-errors", seeds=1, workers=1
    ... )
    >>> result.record.cell("random-flip", "label-errors", "own").verdict
    'caught'
    """
    deadline = Deadline(max_seconds)
    run, request = current_run("evaluate"), request_of(reading, seed)
    plan = EvaluationPlan(
        fraction=fraction,
        seed=seed,
        seeds=seeds,
        rows=rows,
        test_rows=test_rows,
        trusted_share=trusted_share,
        attacks=names_of(attacks),
        defences=names_of(defences),
        image=image,
        false_alarm_rate=false_alarm_rate,
        command=run.command,
    )
    processes = workers_of(workers)
    folder = None if out is None else Path(out)
    with nullcontext() if folder is None else claimed(folder):
        given = open_data(data, request)
        rows_known_clean = given.trusted_beside_held_out(trusted)
        run.watch.announce("choosing the ridge")
        because = None if rows_known_clean is None else Trusted(rows_known_clean, because=_because(trusted))
        setup = prepare(given.split, replace(plan, source=given.source), trusted=because)
        run.watch.announce("trials")
        run.watch.expect(len(setup.planned))
        with journal_of(folder, setup.digest, trial=Trial, run="evaluation", force=force) as journal:
            record = run_evaluation(
                setup, journal=journal, workers=processes, deadline=deadline, on_unit=run.watch.step
            )
    return EvaluationResult(given, record, folder, unfinished=late_trials(record.trials, deadline))


def _because(trusted: Data) -> str:
    if isinstance(trusted, Trusted):
        return trusted.because
    where = Path(trusted).name if isinstance(trusted, str | os.PathLike) else "trusted"
    return f"those of {where}, which the user declares clean"
