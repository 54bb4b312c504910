"""Losses of accuracy in words: percentage points, intervals, and what counts as held."""

from __future__ import annotations

import math

from toadstone.records.federated import FederatedCell, FederatedRecord
from toadstone.records.trials import Estimate
from toadstone.report.text.formats import format_interval

HELD = 0.03
"""Largest loss of accuracy, on average over the seeds, of a rule that is said to have held."""

_NOISE = 1e-9
"""Losses that differ by less are the same: a difference of accuracies has rounding errors."""


def held(cell: FederatedCell | None) -> bool:
    """Return True if the worst cell of a rule lost little enough for the rule to have held."""
    return cell is not None and cell.lost is not None and cell.lost.mean <= HELD


def points(loss: float) -> str:
    """Write a loss of accuracy in percentage points, rounded up so that it claims no less.

    Examples
    --------
    >>> points(0.01201), points(-0.004), points(0.62)
    ('1.3', '-0.4', '62.0')
    """
    return f"{math.ceil(round(1000 * loss, 9)) / 10 + 0.0:.1f}"


def change(loss: float) -> str:
    """Write a loss as the change of the accuracy in percentage points, with its sign and rounded as `points`.

    Examples
    --------
    >>> change(0.01201), change(-0.004), change(0.0)
    ('-1.3', '+0.4', '+0.0')
    """
    return f"{-float(points(loss)) + 0.0:+.1f}"


def points_between(estimate: Estimate) -> str:
    """Write the 95 % interval of a loss in percentage points, rounded outwards; empty for a single seed.

    Examples
    --------
    >>> points_between(Estimate(0.01, -0.0018, 0.0249, 3))
    '-0.2 to 2.5 points'
    """
    # Seeds that all agree give an interval of no width, which would claim too much.
    if estimate.low is None or estimate.high is None or estimate.high - estimate.low < _NOISE:
        return ""
    return f"{-float(points(-estimate.low)) + 0.0:.1f} to {points(estimate.high)} points"


def spread_of(estimate: Estimate | None) -> str:
    """Write an interval of accuracies in words; empty for a single seed."""
    if estimate is None or estimate.low is None or estimate.high is None or estimate.low == estimate.high:
        return ""
    return format_interval(estimate.low, estimate.high)


def attack_words(record: FederatedRecord, cell: FederatedCell) -> str:
    """Say what made a cell lose accuracy; some rules need no attack for it."""
    return "even without an attack" if cell.attack == record.no_attack else f"under {cell.attack}"


def over_seeds(record: FederatedRecord) -> str:
    """Say what a figure is a mean over."""
    return "in one seed" if len(record.seeds) == 1 else f"on average over {len(record.seeds)} seeds"


def tied_rules(record: FederatedRecord, best: FederatedCell) -> list[str]:
    """Name the best rule, and before or after it the rules whose worst attack costs exactly as much."""
    names = []
    for info in record.rules:
        worst = record.worst_cell(info.name, best.malicious)
        if worst is not None and worst.lost is not None and best.lost is not None:
            names += [info.name] * (abs(worst.lost.mean - best.lost.mean) < _NOISE)
    return names
