"""When a detector flags more rows than chance explains."""

import pytest

from toadstone.records.scan import DetectorReport


@pytest.mark.parametrize(
    ("flagged_share", "smallest", "exceeded"),
    [
        (0.045, 0.045, True),
        (0.0449, 0.045, False),
        (0.07, 0.045, True),
        # A detector that did not run has neither share.
        (0.0, 0.0, False),
    ],
)
def test_the_smallest_detectable_share_decides(flagged_share, smallest, exceeded):
    assert DetectorReport(0, flagged_share, 0.02, smallest, 0.1).exceeded is exceeded
