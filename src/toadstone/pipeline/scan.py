"""Run detectors over a data set, and rank the rows that they flag."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from toadstone.catalogue import names, resolve
from toadstone.core.checks import check_within
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidInput
from toadstone.core.row_names import RowNames
from toadstone.datasets.split import RawValues, Split
from toadstone.kernels.statistics.contradictions import contradicting_rows
from toadstone.pipeline.harness.clock import UNLIMITED, Clock, Deadline
from toadstone.pipeline.harness.contradictions import list_contradictions
from toadstone.pipeline.harness.data_summary import digests_of_rows, summarize
from toadstone.pipeline.harness.header import make_header
from toadstone.pipeline.harness.row_account import ids_of, set_aside, source_of
from toadstone.pipeline.harness.suspects import preview, rank_rows, stored_values
from toadstone.pipeline.layers.validation import check_trusted
from toadstone.pipeline.layers.with_trusted import beside, thresholds_in_words
from toadstone.records.header import DataSummary, Source
from toadstone.records.scan import DetectorReport, FlaggedRow, ScanRecord

_LONGEST = 10_000
NEEDS_TRUSTED = "it needs rows that are known to be clean (--trusted)"


@dataclass(frozen=True)
class ScanPlan:
    """Options of a scan.

    Parameters
    ----------
    detectors : tuple of str
        Names of the catalogue; all by default.
    false_alarm_rate : float, optional
        Share of clean rows that each may flag, in (0, 0.1]; its own default
        otherwise.
    seed : int
    source : Source, optional
        Origin of the rows; the name of the split by default.
    command : str
    """

    detectors: tuple[str, ...] = ()
    false_alarm_rate: float | None = None
    seed: int = 0
    source: Source | None = None
    command: str = ""

    def __post_init__(self) -> None:
        for name in self.detectors:
            resolve("detector", name)
        if self.false_alarm_rate is not None:
            check_within("(0, 0.1]", false_alarm_rate=self.false_alarm_rate)

    @property
    def names(self) -> tuple[str, ...]:
        """The detectors to run, in the order of the catalogue."""
        return self.detectors or names("detector")


def scan(
    split: Split,
    plan: ScanPlan,
    *,
    trusted: Dataset | None = None,
    deadline: Deadline = UNLIMITED,
    on_stage: Callable[[str], None] = lambda stage: None,
    on_step: Callable[[], None] | None = None,
) -> ScanRecord:
    """Run detectors over all rows of a source, and rank what they flag.

    Rows held out at random are put back; a published test set is not used. A
    detector gets rows and labels alone: no poison rate, no target of an
    attacker, no test label.

    Parameters
    ----------
    split : Split
    plan : ScanPlan
    trusted : Dataset, optional
        Rows known to be clean, none of them in `split`. Detectors see
        them beside the others and take their thresholds from them; they are
        neither flagged nor counted. Some detectors need them.
    deadline : Deadline
        Detectors that have not begun by then are skipped.
    on_stage : callable
        Called with the name of each stage as it begins.
    on_step : callable, optional
        Called after each detector.

    Returns
    -------
    ScanRecord
        A detector that refuses these data, or lacks trusted rows, is listed
        with the reason why it was skipped.

    Raises
    ------
    InvalidArgument
        If trusted rows are among the others, or have another label.
    """
    train, clock = split.whole(), Clock(on_stage)
    if trusted is not None:
        check_trusted(train.X, train.y, trusted.X, trusted.y, names=split.row_names, ids=ids_of(train))
    reports: dict[str, DetectorReport] = {}
    fitted: dict[str, Any] = {}
    with clock.stage("detectors"):
        for name in plan.names:
            detector = make_detector(name, false_alarm_rate=plan.false_alarm_rate, seed=plan.seed)
            late = deadline.passed
            reports[name] = _skipped(deadline.reason) if late else _run(detector, train, trusted)
            if not reports[name].skipped:
                fitted[name] = detector
            if on_step is not None:
                on_step()
    with clock.stage("ranking"):
        flagged, rows = rank_flagged(train, fitted, names=split.row_names, raw=split.raw)
        equal = (group.rows for group in contradicting_rows(train.X, train.y))
        contradicting, contradictions = list_contradictions(equal, train, split.row_names)
    return ScanRecord(
        header=make_header("scan", command=plan.command, seed=plan.seed, digests=digests_of_rows(train, trusted)),
        source=source_of(split, plan.source),
        data=_summary(split, train),
        flagged_rows=flagged,
        rows=rows,
        detectors=reports,
        trusted_rows=0 if trusted is None else len(trusted),
        set_aside=set_aside(split),
        contradicting=contradicting,
        contradictions=contradictions,
        timings=clock.seconds,
    )


def late_detectors(record: ScanRecord, deadline: Deadline) -> str:
    """Say which detectors had no time to run; empty where all had."""
    late = [name for name, report in record.detectors.items() if deadline.explains(report.skipped)]
    if not late:
        return ""
    return deadline.unfinished(f"{len(late)} of {len(record.detectors)} detectors did not run ({', '.join(late)})")


def _skipped(reason: str, seconds: float = 0.0) -> DetectorReport:
    return DetectorReport(0, 0.0, 0.0, 0.0, seconds, skipped=reason)


def _summary(split: Split, looked_at: Dataset) -> DataSummary:
    if looked_at is split.train:
        return summarize(split, split.domain or "real")
    summary = summarize(replace(split, train=looked_at), split.domain or "real")
    classes = tuple(replace(count, test=0) for count in summary.classes)
    return replace(summary, n_test=0, classes=classes, test_origin="none: a scan looks at all rows")


def make_detector(name: str, *, false_alarm_rate: float | None = None, seed: int = 0) -> Any:
    """Make an unfitted detector of the catalogue.

    Parameters
    ----------
    name : str
    false_alarm_rate : float, optional
    seed : int
    """
    found = resolve("detector", name)
    known = found().get_params()
    wanted = {"random_state": seed} | ({} if false_alarm_rate is None else {"false_alarm_rate": false_alarm_rate})
    return found(**{option: value for option, value in wanted.items() if option in known})


def rank_flagged(
    train: Dataset,
    fitted: Mapping[str, Any],
    *,
    names: RowNames | None = None,
    raw: RawValues | None = None,
    longest: int = _LONGEST,
) -> tuple[int, tuple[FlaggedRow, ...]]:
    """Rank the rows that any detector flags, those that most of them flag first.

    Parameters
    ----------
    train : Dataset
    fitted : mapping from name to a fitted detector
        Fitted to these rows, or to these and trusted ones after them.
    names : RowNames, optional
        Of the rows in their source; by default they are counted from 1.
    raw : RawValues, optional
        Values for previews; the prepared ones by default.
    longest : int
        Rows to list at most.

    Returns
    -------
    count : int
        Of all flagged rows.
    rows : tuple of FlaggedRow
    """
    n = len(train)
    sizes = np.array([np.count_nonzero(train.y == label) for label in train.classes])
    size = sizes[np.searchsorted(train.classes, train.y)]
    ranks = {name: rank_rows(detector.suspicion_[:n], train.y) for name, detector in fitted.items()}
    reasons: list[dict[str, str]] = [{} for _ in range(n)]
    for name, detector in fitted.items():
        for row, reason in zip(detector.flagged_indices_, detector.reasons_, strict=True):
            reasons[row][name] = reason
    votes = np.array([len(found) for found in reasons])
    suspicion = np.mean([1 - (rank - 1) / size for rank in ranks.values()], axis=0) if ranks else np.zeros(n)
    flagged = np.flatnonzero(votes)
    chosen = flagged[np.lexsort((-suspicion[flagged], -votes[flagged]))][:longest]
    ids, named = ids_of(train), names or RowNames()
    listed = tuple(
        FlaggedRow(
            row=named[int(ids[row])],
            position=int(ids[row]),
            label=str(train.y[row]),
            suspicion=float(suspicion[row]),
            ranks={name: int(rank[row]) for name, rank in ranks.items()},
            reasons=reasons[row],
            fingerprint=fingerprint(train, int(row)),
            preview=preview(train, int(row), raw),
        )
        for row in chosen
    )
    return len(flagged), listed


def fingerprint(data: Dataset, row: int) -> str:
    """Hash a row's features and label, the same for dense and sparse rows."""
    stored, values = stored_values(data.X, row)
    digest = hashlib.sha256(str(data.y[row]).encode())
    digest.update(stored.astype("<i8").tobytes() + (values + 0.0).astype("<f8").tobytes())
    return digest.hexdigest()


def _run(detector: Any, train: Dataset, trusted: Dataset | None) -> DetectorReport:
    begin = time.perf_counter()
    if detector.needs_trusted and trusted is None:
        return _skipped(NEEDS_TRUSTED)
    X, y, known = beside(train.X, train.y, trusted)
    try:
        detector.fit(X, y, **({} if known is None else {"trusted": known}))
    except InvalidInput as error:
        # Data that one detector cannot use are no reason to go without the others; a crash is one.
        return _skipped(str(error).splitlines()[0], time.perf_counter() - begin)
    flagged = len(detector.flagged_indices_)
    return DetectorReport(
        flagged=flagged,
        flagged_share=flagged / len(train),
        false_alarm_rate=float(detector.false_alarm_rate_),
        smallest_detectable_share=float(detector.smallest_detectable_share_),
        seconds=time.perf_counter() - begin,
        thresholds=thresholds_in_words(detector.calibrated_classes_),
    )


def exceeded(record: ScanRecord) -> Sequence[str]:
    """Name the detectors that flag more than their false-alarm rate and chance explain."""
    return tuple(name for name, report in record.detectors.items() if report.exceeded)
