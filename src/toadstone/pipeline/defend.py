"""Remove, relabel or weigh the rows that the verdict lists, and measure the cost on rows that it did not choose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from toadstone.core.arrays import Matrix
from toadstone.core.checks import check_within
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument
from toadstone.datasets.split import Split
from toadstone.pipeline.defence.fitted_verdict import fit_verdict, looked_at
from toadstone.pipeline.defence.judged_rows import JudgedRows
from toadstone.pipeline.defence.measure import OwnModel, measure
from toadstone.pipeline.defence.seen_features import SeenFeatures, notes_on
from toadstone.pipeline.defence.treatment import Action, Treatment, treat
from toadstone.pipeline.harness.clock import UNLIMITED, Clock, Deadline
from toadstone.pipeline.harness.data_summary import digests_of_rows, summarize
from toadstone.pipeline.harness.defender import settle_defence
from toadstone.pipeline.harness.header import make_header
from toadstone.pipeline.harness.own_model import weight_name
from toadstone.pipeline.harness.row_account import account_for, ids_of, set_aside, source_of
from toadstone.pipeline.layers.removals import allowed_rows
from toadstone.pipeline.layers.validation import check_trusted
from toadstone.pipeline.scanning.circumstances import circumstances_of
from toadstone.records.defence import DefenceRecord, Measurement
from toadstone.records.header import Source

ACTIONS = ("remove", "relabel", "weight")
"""What may be done with listed rows; the first by default."""

_UNMEASURED = "the accuracy was not measured"


@dataclass(frozen=True, eq=False)
class DefencePlan:
    """Options of a defence.

    Parameters
    ----------
    action : {"remove", "relabel", "weight"}
        What is done with listed rows.
    max_removed : float, optional
        Share of the rows that may be removed in all, in [0, 0.5); no limit
        by default.
    model : OwnModel, optional
        What is trained to measure the cost; a linear model by default.
    represented : ndarray or CSR, optional
        Rows to look at instead of the features, one for each row of the
        source.
    represented_by : str
        Where they are from, in words.
    seen : SeenFeatures, optional
        Features of a network, in which labels are judged; groups are looked
        for in the rows themselves.
    estimators : tuple of classifiers
        Learners to add to the verdict's stack.
    group, time : str, optional
        Columns that say who each row is from, and when.
    seed : int
    source : Source, optional
        Origin of the rows; the name of the split by default.
    command : str

    Raises
    ------
    InvalidArgument
        If the action is unknown, the share is out of range, or the model
        takes no weights and the action needs them.
    """

    action: Action = "remove"
    max_removed: float | None = None
    model: OwnModel | None = None
    represented: Matrix | None = None
    represented_by: str = ""
    seen: SeenFeatures | None = None
    estimators: tuple[Any, ...] = ()
    group: str | None = None
    time: str | None = None
    seed: int = 0
    source: Source | None = None
    command: str = ""

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise InvalidArgument("action", f"one of {', '.join(ACTIONS)}", self.action)
        if self.max_removed is not None:
            check_within("[0, 0.5)", max_removed=self.max_removed)
        if self.model is not None and self.action == "weight":
            weight_name(self.model.model)


@dataclass(frozen=True, eq=False)
class Defended:
    """Result of a defence.

    Parameters
    ----------
    record : DefenceRecord
    data : Dataset
        All rows that were judged, as they were.
    treatment : Treatment
        What became of them.
    unfinished : str
        What there was no time for, in a sentence; empty if nothing.
    """

    record: DefenceRecord
    data: Dataset
    treatment: Treatment
    unfinished: str = ""

    @property
    def kept(self) -> Dataset:
        """The kept rows, under their original ids and their new labels."""
        return Dataset(self.data.X, self.treatment.labels, self.data.feature_names, self.data.row_ids).take(
            self.treatment.kept
        )


def defend(
    split: Split,
    plan: DefencePlan,
    *,
    trusted: Dataset | None = None,
    deadline: Deadline = UNLIMITED,
    on_stage: Callable[[str], None] = lambda stage: None,
) -> Defended:
    """Judge all rows of a source, and treat those that the verdict lists.

    Rows held out at random are put back: they are no more trustworthy than
    the others. Trusted rows and a published test set report the accuracy
    without and with the defence; they decide nothing but what the verdict
    learns from trusted rows. Nothing is measured on rows that the defence
    kept.

    Parameters
    ----------
    split : Split
    plan : DefencePlan
    trusted : Dataset, optional
        Rows known to be clean, none of them in `split`.
    deadline : Deadline
        Accuracies are not measured after it.
    on_stage : callable
        Called with the name of each stage as it begins.

    Returns
    -------
    Defended

    Raises
    ------
    InvalidInput
        If trusted rows are among the others, the plan does not fit, or the
        deadline passes before there is a verdict.
    """
    data, clock = _all_rows(split, trusted), Clock(on_stage)
    source = looked_at(split, data, plan.represented, plan.time)
    known = None if plan.represented is not None else trusted
    circumstances = circumstances_of(split, data, plan.group, plan.time)
    deadline.demand("enough for the verdict")
    with clock.stage("verdict"):
        verdict = fit_verdict(
            source,
            seed=plan.seed,
            trusted=known,
            estimators=plan.estimators,
            circumstances=circumstances,
            seen=plan.seen,
        )
    most = None if plan.max_removed is None else allowed_rows(plan.max_removed, len(data))
    treatment = treat(verdict, data.y, action=plan.action, most=most)
    measured, model, unfinished = _measured(split, plan, data, treatment, trusted, deadline, clock)
    split = replace(split, notes=(*split.notes, *circumstances.notes, *notes_on(plan.seen)))
    rows = JudgedRows(split, source, verdict, treatment)
    record = _record(rows, data, plan, trusted, measured, model, clock)
    return Defended(record, data, treatment, unfinished)


def _measured(
    split: Split,
    plan: DefencePlan,
    data: Dataset,
    treatment: Treatment,
    trusted: Dataset | None,
    deadline: Deadline,
    clock: Clock,
) -> tuple[tuple[Measurement, ...], tuple[str, str], str]:
    """Measure on independent rows, if there are any and there is time; also return the model and its origin."""
    published = split.test if data is split.train else None
    if trusted is None and published is None:
        return (), ("", ""), ""
    if deadline.passed:
        return (), ("", ""), deadline.unfinished(_UNMEASURED, "give more seconds, or a model that trains faster")
    model = plan.model
    if model is None:
        with clock.stage("choosing the ridge"):
            defence, origin = settle_defence(split, learner=None, ridge=None, contamination=0.05, seed=plan.seed)
        model = OwnModel(defence.model(), defence.learner, f"ridge {defence.ridge:g}, {origin}")
    with clock.stage("testing"):
        found = measure(model, data, treatment, trusted=trusted, published=published)
    return found, (model.name, model.origin), ""


def _record(
    rows: JudgedRows,
    data: Dataset,
    plan: DefencePlan,
    trusted: Dataset | None,
    measured: tuple[Measurement, ...],
    model: tuple[str, str],
    clock: Clock,
) -> DefenceRecord:
    split, treatment = rows.split, rows.treatment
    weight = treatment.weight
    return DefenceRecord(
        header=make_header("defence", command=plan.command, seed=plan.seed, digests=digests_of_rows(data, trusted)),
        source=source_of(split, plan.source),
        data=summarize(split, split.domain or "real"),
        action=plan.action,
        max_removed=plan.max_removed,
        looked_at=plan.represented_by or "the prepared columns",
        learner=model[0],
        learner_origin=model[1],
        trusted_rows=0 if trusted is None else len(trusted),
        rows=len(data),
        kept=len(treatment.kept),
        account=account_for(split, data, treatment.kept, ids_of(data)[treatment.removed].tolist()),
        set_aside=set_aside(split),
        groups=rows.groups,
        removals=rows.removals,
        relabelled=rows.relabelled,
        weighed=0 if weight is None else int(np.count_nonzero(weight < 1)),
        weight_lost=0.0 if weight is None else float(np.sum(1 - weight)),
        stays=treatment.stays,
        expected_innocents=rows.expected_innocents,
        noise=rows.noise,
        measurements=measured,
        light=rows.light,
        spared=treatment.spared,
        timings=clock.seconds,
    )


def _all_rows(split: Split, trusted: Dataset | None) -> Dataset:
    data = split.whole()
    if trusted is not None:
        # Checked here, where the names of rows are known.
        check_trusted(data.X, data.y, trusted.X, trusted.y, names=split.row_names, ids=ids_of(data))
    return data
