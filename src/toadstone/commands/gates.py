"""Exit codes of the thresholds that a user sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toadstone.console import complain

if TYPE_CHECKING:
    from toadstone.core.certificate import Certificate
    from toadstone.pipeline.gate import GateOutcome
    from toadstone.records.audit import Bound
    from toadstone.records.defence import DefenceRecord
    from toadstone.records.scan import ScanRecord

GATE_FAILED = 1
_MISSED = "poison may have been missed"


def gate_bound(point: Bound | Certificate, fraction: float, limit: float | None, *, conclusive: bool) -> int:
    """Exit code for a certified bound; says why if it is not 0."""
    from toadstone.pipeline.gate import judge_bound
    from toadstone.report.text.formats import format_bound

    if limit is None:
        return 0
    verdict = judge_bound(point.bound, point.attack_value, limit, conclusive=conclusive)
    found = (
        f"the certified bound at fraction {fraction:.10g} is {format_bound(point.bound, digits=6)}, above {limit:.12g}"
    )
    return _exit_code(verdict, found, "the search stopped early, so the truth may be lower")


def gate_certificate(point: Bound | None, limit: float | None) -> int:
    """Exit code for the bound of an audit, undecided where it has no certificate; says why if it is not 0."""
    from toadstone.pipeline.gate import GateOutcome

    if limit is None:
        return 0
    if point is None:
        return _exit_code(GateOutcome.UNDECIDED, "no bound was certified", "certificates are for two classes")
    return gate_bound(point, point.fraction, limit, conclusive=point.conclusive)


def gate_error(test_error: float, limit: float | None, *, conclusive: bool) -> int:
    """Exit code for the test error that the best defence leaves; says why if it is not 0."""
    from toadstone.pipeline.gate import judge_error

    if limit is None:
        return 0
    verdict = judge_error(test_error, limit, conclusive=conclusive)
    found = f"the best defence leaves a test error of {test_error:.10g} under attack, against a limit of {limit:.12g}"
    return _exit_code(verdict, found, "the search for the attack stopped early, so a stronger one may exist")


def gate_unfinished(unfinished: str, *limits: object) -> int:
    """Exit code for a run that ended before its time was enough: no threshold passes on it; says why if it is not 0."""
    from toadstone.pipeline.gate import GateOutcome

    if not unfinished or not any(limit is not None and limit is not False for limit in limits):
        return 0
    return _exit_code(GateOutcome.UNDECIDED, unfinished, "more time would tell")


def gate_flagged(record: ScanRecord, limit: float | None) -> int:
    """Exit code for the largest share that a detector flags; undecided where none decides; says why if it is not 0."""
    from toadstone.pipeline.gate import GateOutcome, judge_share

    if limit is None:
        return 0
    nobody = _no_detector(record)
    if nobody:
        return _exit_code(GateOutcome.UNDECIDED, nobody, _MISSED)
    most = max(report.flagged_share for report in record.detectors.values())
    return _exit_code(judge_share(most, limit), f"a detector flags {most:.4g} of the rows, above {limit:.12g}", "")


def gate_rows(record: ScanRecord, limit: str | None) -> int:
    """Exit code for the number of rows that look wrong; says why if it is not 0."""
    from toadstone.pipeline.gate import GateOutcome, judge_count, rows_allowed

    allowed = rows_allowed("fail_if_rows_above", limit, record.data.n_train)
    if allowed is None:
        return 0
    if not record.decided:
        return _exit_code(GateOutcome.UNDECIDED, _no_verdict(record), _MISSED)
    found = f"{record.listed_rows:,} of {record.data.n_train:,} rows look wrong, above {allowed:,}"
    return _exit_code(judge_count(record.listed_rows, allowed), found, "")


def gate_groups(record: ScanRecord, *, wanted: bool) -> int:
    """Exit code for groups of rows that do not look like their label; says why if it is not 0."""
    from toadstone.pipeline.gate import GateOutcome, judge_count

    if not wanted:
        return 0
    if not record.decided:
        return _exit_code(GateOutcome.UNDECIDED, _no_verdict(record), _MISSED)
    n = record.group_count
    found = f"{n:,} group{'' if n == 1 else 's'} of rows do{'es' if n == 1 else ''} not look like the label"
    return _exit_code(judge_count(n, 0), found, "")


def _no_verdict(record: ScanRecord) -> str:
    if record.verdict is None:
        return "--detectors names no verdict"
    return f"there is no verdict: {record.verdict.skipped}"


def gate_exceeded(record: ScanRecord) -> int:
    """Exit code for detectors that flag more than their false-alarm rate and chance explain; says why if not 0.

    Detectors that refuse the data, abstain, or lack trusted rows leave the
    decision to the others; undecided where there are none. That the time was
    over before a detector ran is for `gate_unfinished` to say.
    """
    from toadstone.pipeline.gate import GateOutcome
    from toadstone.pipeline.scan import exceeded

    nobody = _no_detector(record)
    if nobody:
        return _exit_code(GateOutcome.UNDECIDED, nobody, _MISSED)
    beyond = exceeded(record)
    shares = ", ".join(f"{name} {record.detectors[name].flagged_share:.4g}" for name in beyond)
    found = f"more rows are flagged than clean data account for: {shares}"
    return _exit_code(GateOutcome.EXCEEDED if beyond else GateOutcome.KEPT, found, "")


def _no_detector(record: ScanRecord) -> str:
    """Say that no detector decides, with the reason of the first; empty where one does."""
    if any(report.false_alarm_rate for report in record.detectors.values()):
        return ""
    skipped = [f"{name}: {report.skipped}" for name, report in record.detectors.items() if report.skipped]
    if len(skipped) < len(record.detectors):
        return "no detector has a threshold"
    return f"no detector ran ({skipped[0]})" if skipped else "no detector ran"


def gate_removed(record: DefenceRecord, limit: float | None) -> int:
    """Exit code for the share of the rows that a defence removed; says why if it is not 0."""
    from toadstone.pipeline.gate import judge_share

    if limit is None:
        return 0
    share = record.removed / record.rows
    return _exit_code(judge_share(share, limit), f"{share:.4g} of the rows were removed, above {limit:.12g}", "")


def gate_drop(record: DefenceRecord, limit: float | None) -> int:
    """Exit code for the accuracy that a defence costs on rows that can be trusted; says why if it is not 0."""
    from toadstone.pipeline.gate import judge_drop

    if limit is None:
        return 0
    change = record.independent
    verdict = judge_drop(change, limit)
    if change is None:
        found, doubt = "no rows to judge the accuracy on", "give --trusted, for rows under attack can hide a drop"
        return _exit_code(verdict, found, doubt)
    where = "trusted rows" if record.trusted_rows else "test rows"
    found = (
        f"on {change.rows} {where} the accuracy drops by {change.drop:.4g} "
        f"(95 % interval {change.drop_low:.4g} to {change.drop_high:.4g}), against a limit of {limit:.12g}"
    )
    return _exit_code(verdict, found, "more trusted rows would tell")


def _exit_code(verdict: GateOutcome, found: str, doubt: str) -> int:
    from toadstone.pipeline.gate import GateOutcome

    if verdict is GateOutcome.KEPT:
        return 0
    if verdict is GateOutcome.EXCEEDED:
        complain(f"gate failed: {found}")
    else:
        complain(f"gate undecided, which fails: {found}; {doubt}")
    return GATE_FAILED
