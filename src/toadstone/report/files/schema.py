"""The published JSON schemas of records, made from their types by ``python -m toadstone.report.files.schema``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

from toadstone.core.errors import UnknownName
from toadstone.records.attack import AttackRecord
from toadstone.records.audit import AuditRecord
from toadstone.records.defence import DefenceRecord
from toadstone.records.evaluation import EvaluationRecord
from toadstone.records.federated import FederatedRecord
from toadstone.records.guarantees.cost import CostRecord
from toadstone.records.guarantees.pointwise import PointwiseRecord
from toadstone.records.header import SCHEMA_VERSIONS, RecordName
from toadstone.records.networks.inspection import InspectionRecord
from toadstone.records.regression import (
    RegressionAttackRecord,
    RegressionDefenceRecord,
    RegressionScanRecord,
)
from toadstone.records.reproduction import Reproduction
from toadstone.records.scan import ScanRecord
from toadstone.records.serial import schema_of

RECORDS: Mapping[RecordName, type[Any]] = MappingProxyType(
    {
        "audit": AuditRecord,
        "attack": AttackRecord,
        "cost": CostRecord,
        "scan": ScanRecord,
        "defence": DefenceRecord,
        "evaluation": EvaluationRecord,
        "federation": FederatedRecord,
        "inspection": InspectionRecord,
        "predictions": PointwiseRecord,
        "reproduction": Reproduction,
        "regression-scan": RegressionScanRecord,
        "regression-defence": RegressionDefenceRecord,
        "regression-attack": RegressionAttackRecord,
    }
)
"""Record classes by the name that their header carries."""


def load_schema(record: str) -> dict[str, Any]:
    """Read the published schema (JSON Schema, draft 2020-12) of a record.

    Parameters
    ----------
    record : str
        Such as "scan" or "regression-scan".

    Raises
    ------
    UnknownName
        If there is no such record.

    Examples
    --------
    >>> load_schema("scan")["$id"]
    'urn:toadstone:scan:4.0'
    """
    if record not in RECORDS:
        raise UnknownName(f"`record`: expected one of {', '.join(RECORDS)}, got {record}")
    text = resources.files("toadstone.report.files").joinpath(f"{record}.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def write_schemas(folder: Path) -> None:
    """Write the schema of every record into a folder, one file each."""
    for name, record in RECORDS.items():
        text = json.dumps(schema_of(record, name, SCHEMA_VERSIONS[name]), indent=2) + "\n"
        (folder / f"{name}.schema.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_schemas(Path(__file__).parent)
