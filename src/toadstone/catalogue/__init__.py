"""The catalogue: every attack, detector, sanitizer, learner and network method by its one name.

It holds strings alone; a class is imported when it is asked for. Commands,
the laws of the test suite, reports and documentation all read it.
"""

from toadstone.catalogue.entry import Entry, Goal, Threat
from toadstone.catalogue.lookup import (
    ALIASES,
    CATALOGUE,
    RENAMED,
    RENAMED_OPTIONS,
    canonical,
    distinct,
    entry,
    names,
    refuse_renamed,
    resolve,
    unknown,
)

__all__ = [
    "ALIASES",
    "CATALOGUE",
    "RENAMED",
    "RENAMED_OPTIONS",
    "Entry",
    "Goal",
    "Threat",
    "canonical",
    "distinct",
    "entry",
    "names",
    "refuse_renamed",
    "resolve",
    "unknown",
]
