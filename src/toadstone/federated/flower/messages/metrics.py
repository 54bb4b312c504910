"""Metrics of clients, aggregated so that malicious ones cannot move a dashboard."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from flwr.app import MetricRecord

from toadstone.core.arrays import Array

OWN = frozenset({"aggregated", "clients", "groups", "refused", "missing", "filtered"})
"""Names that the strategy adds; clients cannot set them."""
SPREAD = "-spread"


def robust_metrics(
    records: Sequence[MetricRecord], malicious: int, *, leave_out: Iterable[str]
) -> tuple[MetricRecord, MetricRecord]:
    """Take the median of each metric over clients of equal weight, and how far apart they are.

    A median lies between honest values as long as they are a majority. So a
    metric is left out if fewer than ``2 malicious + 1`` clients report it, and
    malicious clients cannot introduce one.

    Parameters
    ----------
    records : sequence of MetricRecord
        Of admitted clients.
    malicious : int
        At most so many of these may be malicious.
    leave_out : iterable of str

    Returns
    -------
    medians : MetricRecord
        For each metric its median, for lists that of each entry. Values that
        are not finite do not count as reported.
    spreads : MetricRecord
        ``NAME-spread``, the median distance to it.
    """
    medians, spreads = MetricRecord(), MetricRecord()
    skipped = {*leave_out, *OWN}
    names = Counter(name for record in records for name in record)
    # A client may name a million metrics: only those of a majority are looked at.
    for name in sorted(name for name, count in names.items() if count > 2 * malicious and name not in skipped):
        values = _comparable([record[name] for record in records if name in record])
        if len(values) <= 2 * malicious:
            continue
        middle = np.median(values, axis=0)
        spread = np.median(np.abs(values - middle), axis=0)
        medians[name] = middle.tolist()
        spreads[f"{name}{SPREAD}"] = spread.tolist()
    return medians, spreads


def _comparable(values: Sequence[Any]) -> Array:
    """Return the finite values of the most frequent form: numbers, or lists of one length."""
    forms = Counter(len(value) if isinstance(value, list) else None for value in values)
    # The form of most clients; of forms as frequent, numbers, and then the shorter list, whoever comes first.
    best = min(forms, key=lambda form: (-forms[form], -1 if form is None else form))
    alike = [value for value in values if (len(value) if isinstance(value, list) else None) == best]
    return np.array([value for value in alike if _finite(value)], dtype=np.float64)


def _finite(value: Any) -> bool:
    try:
        return all(math.isfinite(entry) for entry in (value if isinstance(value, list) else [value]))
    except OverflowError:
        return False
