"""When a detector flags more rows than chance explains."""

import json

import pytest

from toadstone.core.errors import InvalidData
from toadstone.records.scan import DetectorReport, ScanRecord


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


def test_records_of_older_versions_are_refused():
    older = {"header": {"record": "scan", "schema_version": "3.0"}, "flagged_rows": 3, "rows": [], "detectors": {}}
    with pytest.raises(InvalidData, match="record: expected the JSON of a ScanRecord, got other text"):
        ScanRecord.from_json(json.dumps(older))
