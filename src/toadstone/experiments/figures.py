"""Formatting of figures, and their confidence intervals."""

from __future__ import annotations

from scipy.stats import binomtest

from toadstone.datasets.split import Split
from toadstone.records.reproduction import Interval

WILSON = "95 % Wilson interval of the test error"


def percent(fraction: float) -> str:
    """Format a fraction as a percentage: ``3 %``."""
    return f"{100 * fraction:.10g}\N{NO-BREAK SPACE}%"


def wilson(wrong: int, tested: int) -> Interval:
    """Return the 95 % Wilson interval of an error of `wrong` out of `tested` rows."""
    found = binomtest(wrong, tested).proportion_ci(method="wilson")
    return Interval(float(found.low), float(found.high), WILSON)


def sizes(split: Split) -> str:
    """Describe a data set by its name and sizes."""
    return (
        f"{split.name}: {len(split.train):,} training rows, {len(split.test):,} test rows, "
        f"{split.train.n_features:,} features"
    )
