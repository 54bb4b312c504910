"""Run the layers of a defence over a data set, and measure their cost in accuracy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from toadstone.catalogue import names, resolve
from toadstone.core.checks import check_within
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument
from toadstone.core.row_names import RowNames
from toadstone.datasets.split import Split
from toadstone.pipeline.harness.clock import UNLIMITED, Clock, Deadline
from toadstone.pipeline.harness.data_summary import digests_of_rows, summarize
from toadstone.pipeline.harness.defender import settle_defence
from toadstone.pipeline.harness.header import make_header
from toadstone.pipeline.harness.row_account import account_for, ids_of, set_aside, source_of
from toadstone.pipeline.layers.classifier import ResistantClassifier
from toadstone.pipeline.layers.named_steps import FILTERS
from toadstone.pipeline.layers.validation import check_trusted
from toadstone.pipeline.layers.wilson import accuracy_change
from toadstone.pipeline.scan import make_detector
from toadstone.records.defence import AccuracyChange, DefenceRecord, RemovedRow
from toadstone.records.header import Source


@dataclass(frozen=True)
class DefencePlan:
    """Options of a defence.

    Parameters
    ----------
    detectors : tuple of str
        Detectors and sanitizers of the catalogue that filter, in this order.
    max_removed : float
        Share of the rows that may be removed in all, in [0, 0.5).
    seed : int
    source : Source, optional
        Origin of the rows; the name of the split by default.
    command : str

    Raises
    ------
    UnknownName
        If there is no such detector or sanitizer.
    InvalidArgument
        If one is named twice, or the share is out of range.
    """

    detectors: tuple[str, ...] = FILTERS
    max_removed: float = 0.1
    seed: int = 0
    source: Source | None = None
    command: str = ""

    def __post_init__(self) -> None:
        for name in self.detectors:
            resolve(_kind(name), name)
        if len(set(self.detectors)) < len(self.detectors):
            raise InvalidArgument("detectors", "each name once", ",".join(self.detectors))
        check_within("[0, 0.5)", max_removed=self.max_removed)

    @property
    def filters(self) -> list[tuple[str, Any]]:
        """Unfitted filters by name."""
        return [(name, _make(name, self.seed)) for name in self.detectors]


def defend(
    split: Split,
    plan: DefencePlan,
    *,
    trusted: Dataset | None = None,
    deadline: Deadline = UNLIMITED,
    on_stage: Callable[[str], None] = lambda stage: None,
) -> tuple[DefenceRecord, Dataset]:
    """Run the layers over all rows of a source.

    Rows held out at random are put back: they are no more trustworthy than
    the others. A published test set is
    used to report the error before and after, and for nothing else.

    Parameters
    ----------
    split : Split
    plan : DefencePlan
    trusted : Dataset, optional
        Rows known to be clean, none of them in `split`: detectors
        take their thresholds from them, and models are validated on them.
    deadline : Deadline
        Filters that have not begun by then are skipped.
    on_stage : callable
        Called with the name of each stage and step as it begins.

    Returns
    -------
    record : DefenceRecord
    kept : Dataset
        The kept rows, under their original ids.

    Raises
    ------
    InvalidArgument
        If trusted rows are among the others, or the plan does not fit.
    """
    data, clock = _all_rows(split, trusted), Clock(on_stage)
    with clock.stage("choosing the ridge"):
        defence, origin = settle_defence(split, learner=None, ridge=None, contamination=0.05, seed=plan.seed)
    classifier = ResistantClassifier(
        estimator=defence.model(), filters=plan.filters, max_removed=plan.max_removed, random_state=plan.seed
    )
    trusted_rows = None if trusted is None else (trusted.X, trusted.y)
    with clock.stage("defence"):
        classifier.fit(data.X, data.y, trusted=trusted_rows, on_step=on_stage, deadline=deadline)
    published = split.test if data is split.train else None
    with clock.stage("testing"):
        tested = _test_errors(classifier, defence.model(), data, published)
    ids, kept = ids_of(data), classifier.sample_indices_
    removals = tuple(_named(removal, split.row_names, int(ids[removal.position])) for removal in classifier.removals_)
    record = DefenceRecord(
        header=make_header("defence", command=plan.command, seed=plan.seed, digests=digests_of_rows(data, trusted)),
        source=source_of(split, plan.source),
        data=summarize(split, split.domain or "real"),
        max_removed=plan.max_removed,
        learner=defence.learner,
        ridge=defence.ridge,
        ridge_origin=origin,
        measure=classifier.measure_,
        trusted_rows=0 if trusted is None else len(trusted),
        rows=len(data),
        kept=len(kept),
        account=account_for(split, data, kept, [removal.position for removal in removals]),
        set_aside=set_aside(split),
        accuracy_before=classifier.undefended_accuracy_,
        accuracy_after=classifier.defended_accuracy_,
        steps=classifier.steps_,
        removals=removals,
        log=classifier.log_,
        test_error_before=tested[0],
        test_error_after=tested[1],
        accuracy_change=classifier.accuracy_change_,
        test_change=tested[2],
        timings=clock.seconds,
    )
    return record, data.take(kept)


def _all_rows(split: Split, trusted: Dataset | None) -> Dataset:
    data = split.whole()
    if trusted is not None:
        # The classifier checks it too, but does not know the names of rows.
        check_trusted(data.X, data.y, trusted.X, trusted.y, names=split.row_names, ids=ids_of(data))
    return data


def _named(removal: RemovedRow, names: RowNames, position: int) -> RemovedRow:
    return replace(removal, row=names[position], position=position)


def late_filters(record: DefenceRecord, deadline: Deadline) -> str:
    """Say which filters had no time to run; empty where all had."""
    late = [step.name for step in record.steps if deadline.explains(step.skipped)]
    return deadline.unfinished(f"{', '.join(late)} did not run") if late else ""


def _test_errors(
    classifier: ResistantClassifier, plain: Any, data: Dataset, test: Dataset | None
) -> tuple[float | None, float | None, AccuracyChange | None]:
    if test is None:
        return None, None, None
    before = np.asarray(plain.fit(data.X, data.y).predict(test.X) == test.y)
    after = np.asarray(classifier.predict(test.X) == test.y)
    return float(np.mean(~before)), float(np.mean(~after)), accuracy_change(before, after)


def _kind(name: str) -> str:
    return "sanitizer" if name in names("sanitizer") else "detector"


def _make(name: str, seed: int) -> Any:
    return make_detector(name, seed=seed) if _kind(name) == "detector" else resolve("sanitizer", name)()
