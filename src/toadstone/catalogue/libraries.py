"""Libraries whose detectors are called by ``library:name``; what they hold is known when they are installed."""

from __future__ import annotations

from toadstone.catalogue.entry import Entry

LIBRARIES = {
    "pyod": Entry("toadstone.detectors.adapters.pyod_detector:named_pyod", "A detector of PyOD in each class."),
    "cleanlab": Entry(
        "toadstone.detectors.adapters.cleanlab_detector:named_cleanlab", "An issue manager of cleanlab's Datalab."
    ),
}
"""By the word before the colon: a function that takes the name behind it and returns what makes such a detector."""
