"""Thresholds of the user's, and the exit code when they are not kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bezoar.console import complain

if TYPE_CHECKING:
    from bezoar.core.certificate import Certificate
    from bezoar.core.record import Bound
    from bezoar.pipeline.gate import Verdict

GATE_FAILED = 1


def gate_bound(point: Bound | Certificate, fraction: float, limit: float | None, *, conclusive: bool) -> int:
    """Exit code for a certified bound; says why where it is not 0."""
    from bezoar.pipeline.gate import judge_bound
    from bezoar.report.formats import format_bound

    if limit is None:
        return 0
    verdict = judge_bound(point.bound, point.attack_value, limit, conclusive=conclusive)
    found = (
        f"the certified bound at fraction {fraction:.10g} is {format_bound(point.bound, digits=6)}, above {limit:.12g}"
    )
    return _exit_code(verdict, found, "the search stopped early, so the truth may be lower")


def gate_error(test_error: float, limit: float | None, *, conclusive: bool) -> int:
    """Exit code for the test error that the best defence leaves; says why where it is not 0."""
    from bezoar.pipeline.gate import judge_error

    if limit is None:
        return 0
    verdict = judge_error(test_error, limit, conclusive=conclusive)
    found = f"the best defence leaves a test error of {test_error:.10g} under attack, against a limit of {limit:.12g}"
    return _exit_code(verdict, found, "the search for the attack stopped early, so a stronger one may exist")


def _exit_code(verdict: Verdict, found: str, doubt: str) -> int:
    from bezoar.pipeline.gate import Verdict

    if verdict is Verdict.KEPT:
        return 0
    if verdict is Verdict.EXCEEDED:
        complain(f"gate failed: {found}")
    else:
        complain(f"gate undecided, which fails: {found}; {doubt}")
    return GATE_FAILED
