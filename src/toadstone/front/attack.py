"""Attack: find the strongest attack of a method, and judge it against every defence."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from toadstone.core.dataset import Poison
from toadstone.datasets.readers.request import Reading
from toadstone.datasets.readers.rows import write_rows_as_arrays
from toadstone.front.inputs import Data, Given, names_of, open_data, request_of, workers_of
from toadstone.front.results import Result
from toadstone.front.run import current_run, front_door
from toadstone.front.targets import TargetAttackResult, TargetReading, refuse_options, with_target
from toadstone.front.targets import run_attack as attack_targets
from toadstone.pipeline.attack import Attacked, AttackPlan
from toadstone.pipeline.attack import attack as run_attack
from toadstone.pipeline.regression.attack import TargetAttackPlan
from toadstone.records.attack import AttackRecord
from toadstone.report.files.poison_rows import save_rows
from toadstone.report.text.attack_text import attack_lines


class AttackResult(Result):
    """Poison rows and the errors that they leave behind every defence; its record is an `AttackRecord`."""

    record: AttackRecord

    def __init__(self, given: Given, attacked: Attacked) -> None:
        super().__init__(given, attacked.record)
        self.poison: Poison = attacked.poison

    def lines(self, width: int | None = None) -> list[str]:
        """Say the errors by defence, and how the attack was selected."""
        return attack_lines(self.record, width)

    def columns(self) -> tuple[None, Mapping[str, Sequence[Any]]]:
        """Give a row for each defence."""
        names = (
            "sanitizer",
            "test_error",
            "low",
            "high",
            "poison_rows",
            "poison_removed",
            "clean_rows",
            "clean_removed",
        )
        return None, {name: [getattr(cell, name) for cell in self.record.evaluations] for name in names}

    def plot(self) -> Any:
        """Draw the test error behind each defence."""
        from toadstone.report.drawings.plots import plot_defences

        return plot_defences(self.record)

    def save(self, path: str | os.PathLike[str], *, force: bool = False) -> Path:
        """Write the poison rows to a new ``.npz`` archive, which `audit` takes as `poison`.

        Parameters
        ----------
        path : path-like
        force : bool
            Replace an older archive.

        Raises
        ------
        InvalidArgument
            If the file exists, or cannot be written.
        """
        return save_rows(self.poison, path, force=force)

    def write(self, folder: Path) -> None:
        """Write poison.npz."""
        write_rows_as_arrays(self.poison.X, self.poison.y, folder / "poison.npz")


@front_door
def attack(
    data: Data,
    *,
    method: str | None = None,
    fraction: float = 0.03,
    seed: int = 0,
    select_on: str = "validation",
    target: Sequence[int] = (),
    filters: str | Sequence[str] = ("l2", "slab"),
    quantile: float = 0.9,
    learner: str | None = None,
    ridge: float | None = None,
    domain: str = "auto",
    remove: float = 0.05,
    workers: int | None = None,
    **reading: Unpack[Reading],
) -> AttackResult | TargetAttackResult:
    """Find the strongest attack of a method, and judge it against every defence.

    The attacker knows the training rows and the defender's model, and adds
    rows that pass the filters it expects. Each defence then fits on clean rows
    and poison, removes the most suspicious rows of each class, and retrains.

    Parameters
    ----------
    data : path, name, data frame, (X, y), Dataset or Split
        A file, a name that ``toadstone datasets`` lists, a pandas, polars or
        pyarrow data frame, a pair of arrays, or what `load` and `read` return.
    method : str, optional
        An attack of the catalogue that adds rows to raise the test error,
        kkt-influence by default; for a numeric target one on ridge
        regression, ridge-poisoning by default.
    fraction : float
        Poison rows for each clean row, in [0, 0.5).
    seed : int
        Seed of all that is random, from 0.
    select_on : {"validation", "train", "test"}
        Rows on which candidates are compared: training rows held out, all
        training rows, or the test rows, as in the papers, whose attacker
        knows their labels.
    target : sequence of int
        Test rows to have misclassified, instead of as many as possible; for
        kkt and influence.
    filters : str or sequence of str
        Filters that the attacker expects, of l2, slab and loss.
    quantile : float
        Share of each class's clean rows that passes each of them, in [0.5, 1).
    learner : {"linear", "crammer-singer", "online"}, optional
        The defender's; linear for two classes and crammer-singer for more by
        default.
    ridge : float, optional
        The defender's penalty; the published one of a named data set, or else
        by cross-validation.
    domain : {"auto", "real", "box", "integer"}
        Values that poison may have.
    remove : float
        Share of each class that a defence removes, in (0, 0.5).
    workers : int, optional
        Processes, one for each available core by default; results do not depend on it.
    **reading
        Options of how data are read, those of `toadstone.read`: label, text
        and more.

    Returns
    -------
    AttackResult
        For a numeric target, a `TargetAttackResult`.

    Raises
    ------
    InvalidInput
        If the data or an option cannot be used.

    Examples
    --------
    >>> import toadstone
    >>> result = toadstone.attack("breast-cancer", method="label-flip", ridge=0.3, workers=1)
    >>> len(result.poison) == result.record.poison_rows
    True
    """
    run, numeric = current_run("attack"), with_target(data, None, reading)
    if numeric is not None:
        refuse_options(target=target or None, learner=learner)
        ridge_plan = TargetAttackPlan(
            method=method or "ridge-poisoning", fraction=fraction, ridge=0.01 if ridge is None else ridge
        )
        return attack_targets(TargetReading(data, numeric, seed, run), ridge_plan)
    request = request_of(reading, seed)
    plan = AttackPlan(
        method=method or "kkt-influence",
        fraction=fraction,
        select_on=select_on,
        target=tuple(target),
        filters=names_of(filters) or (),
        quantile=quantile,
        learner=learner,
        ridge=ridge,
        domain=domain,
        contamination=remove,
        seed=seed,
        workers=workers_of(workers),
        command=run.command,
    )
    given = open_data(data, request, domain=domain)
    found = run_attack(
        given.split, replace(plan, source=given.source), on_stage=run.watch.announce, on_step=run.watch.step
    )
    return AttackResult(given, found)
