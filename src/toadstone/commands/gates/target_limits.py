"""Exit codes of the thresholds of a scan and a defence of numeric targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toadstone.commands.gates.limits import GATE_FAILED
from toadstone.console import complain
from toadstone.core.errors import InvalidArgument

if TYPE_CHECKING:
    from toadstone.records.regression import RegressionDefenceRecord, RegressionScanRecord


def gate_targets(record: RegressionScanRecord, most: str | None, limit: float | None, *, evidence: bool) -> int:
    """Exit code for the number or share of listed rows, or for evidence of wrong targets; says why if it is not 0."""
    from toadstone.pipeline.gate import rows_allowed

    listed = record.flagged_rows if record.evidence.supported else 0
    allowed = rows_allowed("fail_if_rows_above", most, record.data.rows)
    share = listed / record.data.rows
    if allowed is not None and listed > allowed:
        return _failed(f"{listed:,} targets look wrong, above {most}")
    if limit is not None and share > limit:
        return _failed(f"{share:.6g} of the targets look wrong, above {limit:.12g}")
    if evidence and record.evidence.supported:
        return _failed("the data prefer wrong targets to none")
    return 0


def gate_targets_removed(record: RegressionDefenceRecord, limit: float | None, drop: float | None) -> int:
    """Exit code for the share of removed rows; says why if it is not 0.

    Raises
    ------
    InvalidArgument
        If a limit on accuracy is given.
    """
    if drop is not None:
        raise InvalidArgument(
            "fail_if_accuracy_drops_above", "nothing for a numeric target, which has no accuracy", drop
        )
    share = len(record.removals) / record.rows
    if limit is not None and share > limit:
        return _failed(f"{share:.6g} of the rows were removed, above {limit:.12g}")
    return 0


def _failed(what: str) -> int:
    complain(f"gate failed: {what}")
    return GATE_FAILED
