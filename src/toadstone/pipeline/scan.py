"""Scan a data set: the verdict on its rows, facts about the table, and detectors as evidence."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from toadstone.catalogue import names, resolve
from toadstone.core.arrays import Matrix
from toadstone.core.checks import check_within
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument, InvalidInput
from toadstone.datasets.split import Split
from toadstone.kernels.statistics.contradictions import contradicting_rows
from toadstone.pipeline.defence.fitted_verdict import fit_verdict, looked_at
from toadstone.pipeline.defence.seen_features import SeenFeatures, notes_on
from toadstone.pipeline.harness.clock import UNLIMITED, Clock, Deadline
from toadstone.pipeline.harness.contradictions import list_contradictions
from toadstone.pipeline.harness.data_summary import digests_of_rows, summarize
from toadstone.pipeline.harness.header import make_header
from toadstone.pipeline.harness.row_account import ids_of, set_aside, source_of
from toadstone.pipeline.layers.validation import check_trusted
from toadstone.pipeline.layers.with_trusted import beside, thresholds_in_words
from toadstone.pipeline.scanning.circumstances import Circumstances, circumstances_of
from toadstone.pipeline.scanning.facts import facts
from toadstone.pipeline.scanning.groups import LONGEST_LIST, group_findings
from toadstone.pipeline.scanning.listing import Listing
from toadstone.pipeline.scanning.source_values import SourceValues, source_values
from toadstone.records.header import DataSummary, Source
from toadstone.records.row_scores import RowScores
from toadstone.records.rows import Contradiction
from toadstone.records.scan import DetectorReport, Evidence, Finding, ScanRecord, VerdictReport

NEEDS_TRUSTED = "it needs rows that are known to be clean (--trusted)"
VERDICT, NONE = "verdict", "none"
_CHECKS = "checks"
_ROWS_OF_A_DETECTOR = 100


@dataclass(frozen=True)
class ScanPlan:
    """Options of a scan.

    Parameters
    ----------
    detectors : tuple of str
        Names of the catalogue, and "verdict"; the verdict and all detectors
        by default. "none" alone is the verdict without a detector.
    false_alarm_rate : float, optional
        Share of clean rows that each detector may flag, in (0, 0.1]; its own
        default otherwise.
    seed : int
    group, time : str, optional
        Columns of the source that say who a row is from, and when.
    represented : ndarray or CSR, optional
        Rows to look at instead of the features, one for each row of the
        source.
    seen : SeenFeatures, optional
        Features of a network, in which labels are judged and detectors look;
        groups are looked for in the rows themselves.
    source : Source, optional
        Origin of the rows; the name of the split by default.
    command : str
    """

    detectors: tuple[str, ...] = ()
    false_alarm_rate: float | None = None
    seed: int = 0
    group: str | None = None
    time: str | None = None
    represented: Matrix | None = None
    seen: SeenFeatures | None = None
    source: Source | None = None
    command: str = ""

    def __post_init__(self) -> None:
        if NONE in self.detectors and len(self.detectors) > 1:
            raise InvalidArgument("detectors", "names, or none by itself", ",".join(self.detectors))
        for name in self.detectors:
            if name not in (VERDICT, NONE):
                resolve("detector", name)
        if self.false_alarm_rate is not None:
            check_within("(0, 0.1]", false_alarm_rate=self.false_alarm_rate)

    @property
    def names(self) -> tuple[str, ...]:
        """The detectors to run, in the order of the catalogue."""
        return tuple(name for name in self.detectors or names("detector") if name not in (VERDICT, NONE))

    @property
    def decides(self) -> bool:
        """True if there is to be a verdict."""
        return not self.detectors or VERDICT in self.detectors or NONE in self.detectors

    @property
    def steps(self) -> int:
        """Steps of progress."""
        return len(self.names) + self.decides


def scan(
    split: Split,
    plan: ScanPlan,
    *,
    trusted: Dataset | None = None,
    test: Dataset | None = None,
    deadline: Deadline = UNLIMITED,
    on_stage: Callable[[str], None] = lambda stage: None,
    on_step: Callable[[], None] = lambda: None,
) -> tuple[ScanRecord, RowScores]:
    """Judge all rows of a source, and run detectors over them as further evidence.

    Rows held out at random are put back; a published test set is searched for
    rows that are among the others, and not used otherwise. Verdict and
    detectors get rows and labels alone: no poison rate, no target of an
    attacker, no test label.

    Parameters
    ----------
    split : Split
    plan : ScanPlan
    trusted : Dataset, optional
        Rows known to be clean, none of them in `split`. They take part in the
        verdict, and detectors take their thresholds from them; they are
        neither flagged nor counted. Some detectors need them.
    test : Dataset, optional
        Rows that models are tested on; those that the source publishes by default.
    deadline : Deadline
        What has not begun by then is skipped.
    on_stage : callable
        Called with the name of each stage as it begins.
    on_step : callable
        Called after the verdict and after each detector.

    Returns
    -------
    record : ScanRecord
        What refuses these data, or lacks trusted rows, is listed with the
        reason why it was skipped.
    scores : RowScores
        Of all rows.

    Raises
    ------
    InvalidArgument
        If trusted rows are among the others, or have another label, or a
        column that the plan names does not exist.
    """
    train, clock = split.whole(), Clock(on_stage)
    if trusted is not None:
        check_trusted(train.X, train.y, trusted.X, trusted.y, names=split.row_names, ids=ids_of(train))
    source = looked_at(split, train, plan.represented, plan.time)
    report, verdict, circumstances = None, None, Circumstances()
    if plan.decides:
        with clock.stage("verdict"):
            circumstances = circumstances_of(split, source.data, plan.group, plan.time)
            report, verdict = _judge(source, plan, circumstances, trusted, deadline)
        on_step()
    seen: tuple[Finding, ...] = ()
    if not deadline.passed:
        with clock.stage(_CHECKS):
            seen = _facts(split, train, plan, test, verdict)
    with clock.stage("detectors"):
        reports, fitted = _detect(*_for_detectors(plan, source.data, trusted), plan, deadline, on_step)
    with clock.stage("listing"):
        listing = Listing(source, verdict, fitted)
        listed = _listed(listing, seen)
        contradicting, contradictions = _contradictions(train, split)
        scores = listing.scores()
    record = ScanRecord(
        header=make_header("scan", command=plan.command, seed=plan.seed, digests=digests_of_rows(train, trusted)),
        source=source_of(split, plan.source),
        data=_summary(replace(split, notes=(*split.notes, *circumstances.notes, *notes_on(plan.seen))), train),
        verdict=report,
        **listed,
        detectors={
            name: found if found.skipped else replace(found, rows=listing.first_of(name, _ROWS_OF_A_DETECTOR))
            for name, found in reports.items()
        },
        flagged_by_any=sum(map(bool, listing.flagged_by)),
        union_false_alarm_rate=min(1.0, sum(found.false_alarm_rate for found in reports.values())),
        trusted_rows=0 if trusted is None else len(trusted),
        set_aside=set_aside(split),
        contradicting=contradicting,
        contradictions=contradictions,
        timings=clock.seconds,
    )
    return record, scores


def late_parts(record: ScanRecord, deadline: Deadline) -> str:
    """Say which parts of a scan had no time to run; empty where all had."""
    late = [name for name, report in record.detectors.items() if deadline.explains(report.skipped)]
    parts = ["the verdict"] if record.verdict is not None and deadline.explains(record.verdict.skipped) else []
    parts += [] if _CHECKS in record.timings else ["the checks of the table"]
    parts += [f"{len(late)} of {len(record.detectors)} detectors"] if late else []
    if not parts:
        return ""
    said = f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
    named = f" ({', '.join(late)})" if late else ""
    fewer = " (--detectors none is the verdict alone)" if late else ""
    return deadline.unfinished(f"{said} did not run{named}", f"give more seconds, or fewer rows or detectors{fewer}")


def exceeded(record: ScanRecord) -> Sequence[str]:
    """Name the detectors that flag more than their false-alarm rate and chance explain."""
    return tuple(name for name, report in record.detectors.items() if report.exceeded)


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


def _judge(
    source: SourceValues, plan: ScanPlan, circumstances: Circumstances, trusted: Dataset | None, deadline: Deadline
) -> tuple[VerdictReport, Any | None]:
    begin = time.perf_counter()
    if deadline.passed:
        return VerdictReport(0.0, skipped=deadline.reason), None
    try:
        verdict = fit_verdict(source, seed=plan.seed, trusted=trusted, circumstances=circumstances, seen=plan.seen)
    except InvalidInput as error:
        # Data that no verdict can be had on are no reason to go without the detectors; a crash is one.
        return VerdictReport(time.perf_counter() - begin, skipped=str(error).splitlines()[0]), None
    return VerdictReport(time.perf_counter() - begin, note=verdict.note_), verdict


def _for_detectors(plan: ScanPlan, data: Dataset, trusted: Dataset | None) -> tuple[Dataset, Dataset | None]:
    """Return rows and trusted rows as detectors look at them: with the features of a network, if there is one."""
    return (data, trusted) if plan.seen is None else (plan.seen.of(data), plan.seen.of_trusted(trusted))


def _facts(
    split: Split, train: Dataset, plan: ScanPlan, test: Dataset | None, verdict: Any | None
) -> tuple[Finding, ...]:
    """Check the table, whatever stands for its rows elsewhere."""
    published = split.test if test is None and train is split.train else test
    grouped = None if verdict is None else np.asarray(verdict.group_[: len(train)]) >= 0
    return facts(source_values(split, train, plan.time), published, grouped)


def _contradictions(train: Dataset, split: Split) -> tuple[int, tuple[Contradiction, ...]]:
    equal = (group.rows for group in contradicting_rows(train.X, train.y))
    return list_contradictions(equal, train, split.row_names)


def _detect(
    train: Dataset, trusted: Dataset | None, plan: ScanPlan, deadline: Deadline, on_step: Callable[[], None]
) -> tuple[dict[str, DetectorReport], dict[str, Any]]:
    reports: dict[str, DetectorReport] = {}
    fitted: dict[str, Any] = {}
    for name in plan.names:
        detector = make_detector(name, false_alarm_rate=plan.false_alarm_rate, seed=plan.seed)
        late = deadline.passed
        reports[name] = _skipped(deadline.reason) if late else _run(detector, train, trusted)
        if not reports[name].skipped:
            fitted[name] = detector
        on_step()
    return reports, fitted


def _listed(listing: Listing, seen: tuple[Finding, ...]) -> dict[str, Any]:
    """Fields of the record that the verdict fills, or leaves empty."""
    verdict = listing.verdict
    groups = () if verdict is None else verdict.groups_
    contradictory = [one for one in seen if one.is_group]
    review_rows, review = listing.review()
    return {
        "listed_rows": len(listing.listed),
        "rows": listing.rows(),
        "expected_innocents": None if verdict is None else float(verdict.expected_innocents_),
        "evidence": None if verdict is None else _evidence(verdict.evidence_),
        "findings": (
            *group_findings(groups[:LONGEST_LIST], listing.source),
            *contradictory[:LONGEST_LIST],
            *(one for one in seen if not one.is_group),
        ),
        "group_count": len(groups) + len(contradictory),
        "grouped_rows": 0 if verdict is None else int(np.count_nonzero(verdict.group_[listing.listed] >= 0)),
        "review": review,
        "review_rows": review_rows,
        "worth_checking": listing.worth_checking(),
    }


def _evidence(found: Any) -> Evidence:
    low, high = found.interval
    return Evidence(float(found.rate), float(low), float(high), float(found.log_ratio), bool(found.supported))


def _skipped(reason: str, seconds: float = 0.0) -> DetectorReport:
    return DetectorReport(0, 0.0, 0.0, 0.0, seconds, skipped=reason)


def _summary(split: Split, looked_at: Dataset) -> DataSummary:
    if looked_at is split.train:
        return summarize(split, split.domain or "real")
    summary = summarize(replace(split, train=looked_at), split.domain or "real")
    classes = tuple(replace(count, test=0) for count in summary.classes)
    return replace(summary, n_test=0, classes=classes, test_origin="none: a scan looks at all rows")


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
    if detector.abstains_:
        return replace(_skipped(detector.abstains_, time.perf_counter() - begin), abstains=True)
    flagged = len(detector.flagged_indices_)
    return DetectorReport(
        flagged=flagged,
        flagged_share=flagged / len(train),
        false_alarm_rate=float(detector.false_alarm_rate_),
        smallest_detectable_share=float(detector.smallest_detectable_share_),
        seconds=time.perf_counter() - begin,
        thresholds=thresholds_in_words(detector.calibrated_classes_),
    )
