"""Audit: certify, attack, defend and rank rows, in one record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from toadstone.core.certificate import Certificate
from toadstone.core.dataset import Poison
from toadstone.datasets.readers.request import Reading
from toadstone.front.inputs import Data, Given, names_of, open_data, poisons_of, request_of, workers_of
from toadstone.front.results import Result
from toadstone.front.run import current_run, front_door
from toadstone.front.saddle.options import models_of
from toadstone.pipeline.audit import Audit
from toadstone.pipeline.audit import audit as run_audit
from toadstone.pipeline.audit_plan import DEFENCES, AuditPlan, count_steps, refuse_taken_names
from toadstone.pipeline.harness.clock import Deadline
from toadstone.pipeline.harness.own_model import load_model, name_of
from toadstone.records.audit import AuditRecord
from toadstone.report.text.audit_text import audit_lines


class AuditResult(Result):
    """Certified bound, attacks, defences and suspicious rows; its record is an `AuditRecord`."""

    record: AuditRecord

    def __init__(self, given: Given, audit: Audit) -> None:
        super().__init__(given, audit.record, unfinished=audit.unfinished)
        self._audit = audit

    @property
    def certificate(self) -> Certificate | None:
        """The certificate at the audited fraction; None for three and more classes."""
        return self._audit.certificate

    @property
    def poison(self) -> Poison | None:
        """The rows of the certificate's own attack; None where the fraction buys no row or there is no certificate."""
        return self._audit.poison

    def lines(self, width: int | None = None) -> list[str]:
        """Say how bad poisoning can get, which defence holds, and which rows look wrong."""
        return audit_lines(self.record, width)

    def columns(self) -> tuple[Sequence[int], Mapping[str, Sequence[Any]]]:
        """Give the suspicious rows, the most suspicious first."""
        rows = self.record.suspects
        return [row.position for row in rows], {
            "label": [row.label for row in rows],
            "suspicion": [row.suspicion for row in rows],
            "removed_by": [", ".join(row.removed_by) for row in rows],
            "preview": [row.preview for row in rows],
        }

    def plot(self) -> Any:
        """Draw the certified bound and the loss that an attack reaches over the fraction.

        Raises
        ------
        InvalidArgument
            If there is no certificate.
        """
        from toadstone.report.drawings.plots import plot_curve

        return plot_curve(self.record.curve, audited=self.record.threat.fraction)

    def write(self, folder: Path) -> None:
        """Write report.html, record.json, certificate.json with its arrays, suspects.csv and poison.npz."""
        from toadstone.report.files.folders import write_audit

        write_audit(self.record, self.certificate, self.poison, folder)


@front_door
def audit(
    data: Data,
    *,
    fraction: float = 0.03,
    seed: int = 0,
    quantile: float = 0.95,
    norm_squared: float | None = None,
    ridge: float | None = None,
    domain: str = "auto",
    loss: str = "hinge",
    tolerance: float | None = None,
    remove: float = 0.05,
    poison: Mapping[str, Poison] | Sequence[str | Path] | str | Path = (),
    attacks: str | Sequence[str] | None = None,
    defences: str | Sequence[str] = DEFENCES,
    model: Any = None,
    workers: int | None = None,
    max_seconds: float | None = None,
    **reading: Unpack[Reading],
) -> AuditResult:
    """Certify, attack, defend, and rank suspicious rows.

    Parameters
    ----------
    data : path, name, data frame, (X, y), Dataset or Split
        A file, a name that ``toadstone datasets`` lists, a pandas, polars or
        pyarrow data frame, a pair of arrays, or what `load` and `read` return.
    fraction : float
        Poison rows for each clean row, in [0, 0.5).
    seed : int
        Seed of all that is random, from 0.
    quantile : float
        Share of each class's clean rows that passes the certificate's
        filters, in [0.5, 1).
    norm_squared : float, optional
        Models: those whose weights and bias have a squared norm of at most this.
    ridge : float, optional
        Models: those trained with a penalty of ridge/2 times the squared norm;
        chosen by cross-validation by default.
    domain : {"auto", "real", "box", "integer"}
        Values that poison may have: any, within each feature's range, or
        counts; "auto" looks at the data.
    loss : {"hinge", "smooth_hinge", "squared_hinge", "logistic"}
        Loss that the defender minimizes.
    tolerance : float, optional
        Relative gap between bound and attack at which to stop, in (0, 1);
        1e-5 by default, 1e-3 for data of more than two million entries.
    remove : float
        Share of each class that an evaluated defence removes, in (0, 0.5).
    poison : mapping from str to Poison, or paths
        Attacks to evaluate besides our own, within fraction and domain.
    attacks : str or sequence of str, optional
        Attacks to try besides the certificate's own, aimed at the training
        rows; empty for none. By default label-flip, kkt and kkt-influence, or
        label-flip and min-max where there are more than two classes.
    defences : str or sequence of str
        Sanitizers and the verdict, to try beside no defence at all.
    model : str, estimator or callable, optional
        What is trained and reported: ``"module:factory"``, an estimator, or a
        function that returns one. It gets the prepared features, in which
        attacks make their rows. Attacks aim at a linear model, and the
        certificate is for one.
    workers : int, optional
        Processes, one for each available core by default; results do not depend on it.
    max_seconds : float, optional
        Begin nothing new after so many seconds: attacks that have not been
        tried are left out, and `unfinished` of the result says so.
    **reading
        Options of how data are read, those of `toadstone.read`: label, text
        and more.

    Returns
    -------
    AuditResult

    Raises
    ------
    InvalidInput
        If the data or an option cannot be used, or one of `poison` breaks the
        budget or the domain.

    Examples
    --------
    >>> import toadstone
    >>> result = toadstone.audit("breast-cancer", fraction=0.01, ridge=0.3, attacks=())
    >>> result.record.headline.attack_value <= result.record.headline.bound
    True
    """
    deadline = Deadline(max_seconds)
    run, request = current_run("audit"), request_of(reading, seed)
    plan = AuditPlan(
        fraction=fraction,
        quantile=quantile,
        hypothesis=models_of(norm_squared, ridge),
        domain=domain,
        loss=loss,
        contamination=remove,
        tolerance=tolerance,
        attacks=names_of(attacks),
        defences=names_of(defences) or (),
        model=None if model is None else load_model(model),
        model_name="" if model is None else name_of(model),
        seed=seed,
        workers=workers_of(workers),
        command=run.command,
    )
    poisons = poisons_of(poison)
    refuse_taken_names(poisons, plan)
    given = open_data(data, request, domain=domain)
    run.watch.expect(count_steps(plan, len(given.split.train.classes), len(poisons)))
    plan = replace(plan, source=given.source)
    found = run_audit(
        given.split,
        plan,
        poisons=poisons,
        deadline=deadline,
        on_stage=run.watch.announce,
        on_step=run.watch.step,
    )
    return AuditResult(given, found)
