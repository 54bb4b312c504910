"""Exit codes of the thresholds that a user sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toadstone.console import complain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toadstone.core.certificate import ModelCertificate
    from toadstone.pipeline.gate import GateOutcome
    from toadstone.records.audit import Bound, Evaluation
    from toadstone.records.defence import DefenceRecord
    from toadstone.records.federated import FederatedRecord
    from toadstone.records.guarantees.cost import CostRecord
    from toadstone.records.guarantees.pointwise import PointwiseSummary
    from toadstone.records.networks.inspection import InspectionRecord
    from toadstone.records.regression import RegressionDefenceRecord
    from toadstone.records.scan import ScanRecord

GATE_FAILED = 1
_MISSED = "poison may have been missed"


def gate_bound(point: Bound | ModelCertificate, fraction: float, limit: float | None, *, conclusive: bool) -> int:
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


def gate_certified(summaries: Sequence[PointwiseSummary], limit: float | None) -> int:
    """Exit code for the certified accuracy of single predictions; says why if it is not 0."""
    from toadstone.core.pointwise import whole_units
    from toadstone.pipeline.gate import GateOutcome
    from toadstone.report.certificates.unit_words import share_of_units

    if limit is None:
        return 0
    (summary,) = summaries
    (key, share), *_ = summary.certified_accuracy.items()
    found = (
        f"{share:.6g} of the test rows are right whatever an attacker does with "
        f"{share_of_units(summary, key, whole_units(float(key), summary.n_units))}, below {limit:.12g}"
    )
    return _exit_code(GateOutcome.KEPT if share >= limit else GateOutcome.EXCEEDED, found, "")


def gate_certificate(point: Bound | None, limit: float | None) -> int:
    """Exit code for the bound of an audit, undecided where it has no certificate; says why if it is not 0."""
    from toadstone.pipeline.gate import GateOutcome

    if limit is None:
        return 0
    if point is None:
        return _exit_code(GateOutcome.UNDECIDED, "no bound was certified", "an audit certifies two classes")
    return gate_bound(point, point.fraction, limit, conclusive=point.conclusive)


def gate_error(cell: Evaluation, limit: float | None, *, conclusive: bool) -> int:
    """Exit code for the test error that the best defence leaves; says why if it is not 0."""
    from toadstone.pipeline.gate import judge_error

    if limit is None:
        return 0
    verdict = judge_error((cell.low, cell.high), limit, conclusive=conclusive)
    found = (
        f"the best defence leaves a test error of {cell.test_error:.10g} under attack "
        f"(95 % interval {cell.low:.4g} to {cell.high:.4g}), against a limit of {limit:.12g}"
    )
    doubt = "more test rows would tell"
    if cell.high <= limit:
        doubt = "the search for the attack stopped early, so a stronger one may exist"
    return _exit_code(verdict, found, doubt)


def gate_cost(record: CostRecord, limit: int | None) -> int:
    """Exit code for the rows that an attacker needs; says why if it is not 0."""
    from toadstone.pipeline.gate import judge_cost

    if limit is None:
        return 0
    certified, attack = record.certified_rows, record.attack_rows
    suffice = "no attack was found" if attack is None else f"{attack:,} rows suffice"
    proved = f"{certified:,} rows are certified"
    return _exit_code(judge_cost(certified, attack, limit), f"{suffice}, against a limit of {limit:,}", proved)


def gate_suspected(record: InspectionRecord, *, wanted: bool) -> int:
    """Exit code for suspected labels of a network; says why if it is not 0."""
    from toadstone.pipeline.gate import GateOutcome
    from toadstone.report.text.formats import listed

    if not wanted:
        return 0
    if record.undecided:
        return _exit_code(GateOutcome.UNDECIDED, "no label was judged", record.undecided)
    found = f"the network answers {listed(record.labels)} to an unusually small trigger" if record.suspects else ""
    return _exit_code(GateOutcome.EXCEEDED if record.suspects else GateOutcome.KEPT, found, "")


def gate_lost(record: FederatedRecord, limit: float | None) -> int:
    """Exit code for the points of accuracy that the best rule loses to its worst attack; says why if it is not 0."""
    from toadstone.pipeline.gate import GateOutcome, judge_share

    if limit is None:
        return 0
    codes = [0]
    for malicious in record.malicious:
        clients, best = f"{malicious} of {record.clients} clients malicious", record.best_rule(malicious)
        if best is None or best.lost is None:
            found = f"with {clients} no rule was run under every attack in every seed"
            codes.append(_exit_code(GateOutcome.UNDECIDED, found, "the reasons are in the output"))
            continue
        where = "without an attack" if best.attack == record.no_attack else f"under {best.attack}"
        found = (
            f"with {clients} the best rule, {best.rule}, loses {100 * best.lost.mean:.4g} points {where}, "
            f"above {limit:.12g}"
        )
        codes.append(_exit_code(judge_share(100 * best.lost.mean, limit), found, ""))
    return max(codes)


def gate_unfinished(unfinished: str, *limits: object) -> int:
    """Exit code for a run that ended before its time was enough: no threshold passes on it; says why if it is not 0."""
    from toadstone.pipeline.gate import GateOutcome

    if not unfinished or not any(limit is not None and limit is not False for limit in limits):
        return 0
    return _exit_code(GateOutcome.UNDECIDED, unfinished, "no threshold passes on a part of a run")


def not_run(record: ScanRecord, *, named: bool) -> str:
    """Name a detector that should have judged and did not, with the reason; empty where all did.

    Detectors that need trusted rows are expected to run only where the user
    named them. One that abstains has looked, and leaves the decision to the
    others; where all abstain, nobody decides.
    """
    from toadstone.pipeline.scan import NEEDS_TRUSTED

    for name, report in record.detectors.items():
        if report.skipped and not report.abstains and (named or report.skipped != NEEDS_TRUSTED):
            return f"{name} did not run: {report.skipped}"
    if any(report.false_alarm_rate for report in record.detectors.values()):
        return ""
    ran = any(not report.skipped for report in record.detectors.values())
    return "no detector has a threshold" if ran else "no detector judged"


def gate_flagged(record: ScanRecord, limit: float | None, *, named: bool) -> int:
    """Exit code for the largest share that a detector flags; says why if it is not 0."""
    from toadstone.pipeline.gate import GateOutcome, judge_share

    if limit is None:
        return 0
    most = max((report.flagged_share for report in record.detectors.values()), default=0.0)
    found = f"a detector flags {most:.4g} of the rows, above {limit:.12g}"
    outcome, missing = judge_share(most, limit), not_run(record, named=named)
    if outcome is GateOutcome.KEPT and missing:
        return _exit_code(GateOutcome.UNDECIDED, missing, _MISSED)
    return _exit_code(outcome, found, "")


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
    found = f"{n:,} group{'' if n == 1 else 's'} of rows do{'es' if n == 1 else ''} not agree with the label"
    return _exit_code(judge_count(n, 0), found, "")


def _no_verdict(record: ScanRecord) -> str:
    if record.verdict is None:
        return "--detectors names no verdict"
    return f"there is no verdict: {record.verdict.skipped}"


def gate_exceeded(record: ScanRecord, *, named: bool) -> int:
    """Exit code for detectors that flag more than their false-alarm rate and chance explain; says why if not 0."""
    from toadstone.pipeline.gate import GateOutcome
    from toadstone.pipeline.scan import exceeded

    beyond, missing = exceeded(record), not_run(record, named=named)
    if missing and not beyond:
        return _exit_code(GateOutcome.UNDECIDED, missing, _MISSED)
    shares = ", ".join(f"{name} {record.detectors[name].flagged_share:.4g}" for name in beyond)
    found = f"more rows are flagged than clean data account for: {shares}"
    return _exit_code(GateOutcome.EXCEEDED if beyond else GateOutcome.KEPT, found, "")


def gate_spared(record: DefenceRecord | RegressionDefenceRecord) -> int:
    """Exit code for listed rows that stay because no more may be removed; says why if it is not 0."""
    from toadstone.pipeline.gate import judge_count

    n, share = record.spared, record.max_removed or 0.0
    stays = "1 listed row stays" if n == 1 else f"{n:,} listed rows stay"
    return _exit_code(judge_count(n, 0), f"{stays}, because --max-removed allows {share:.12g} of the rows", "")


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
