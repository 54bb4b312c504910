"""Figures in words, and how sure they are."""

from __future__ import annotations

from scipy.stats import binomtest

from toadstone.datasets.split import Split
from toadstone.records.reproduction import Interval

WILSON = "95 % Wilson interval of the test error"


def percent(fraction: float) -> str:
    """A fraction in words: ``3 %``."""
    return f"{100 * fraction:.10g}\N{NO-BREAK SPACE}%"


def wilson(wrong: int, tested: int) -> Interval:
    """Where the error lies that `wrong` of `tested` rows estimate."""
    found = binomtest(wrong, tested).proportion_ci(method="wilson")
    return Interval(float(found.low), float(found.high), WILSON)


def sizes(split: Split) -> str:
    """Name and sizes of a data set."""
    return (
        f"{split.name}: {len(split.train):,} training rows, {len(split.test):,} test rows, "
        f"{split.train.n_features:,} features"
    )
