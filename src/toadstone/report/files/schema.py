"""The published JSON schemas of records."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any


def load_schema() -> dict[str, Any]:
    """Read the schema (JSON Schema, draft 2020-12) of run record version 1.0.

    Examples
    --------
    >>> load_schema()["properties"]["schema_version"]["const"]
    '1.0'
    """
    return _read("record.schema.json")


def load_reproduction_schema() -> dict[str, Any]:
    """Read the schema of reproduction record version 1.0.

    Examples
    --------
    >>> load_reproduction_schema()["properties"]["schema_version"]["const"]
    '1.0'
    """
    return _read("reproduction.schema.json")


def load_scan_schema() -> dict[str, Any]:
    """Read the schema of scan record version 1.0.

    Examples
    --------
    >>> load_scan_schema()["properties"]["schema_version"]["const"]
    '1.0'
    """
    return _read("scan.schema.json")


def load_defence_schema() -> dict[str, Any]:
    """Read the schema of defence record version 1.0.

    Examples
    --------
    >>> load_defence_schema()["properties"]["schema_version"]["const"]
    '1.0'
    """
    return _read("defence.schema.json")


def load_evaluation_schema() -> dict[str, Any]:
    """Read the schema of evaluation record version 1.0.

    Examples
    --------
    >>> load_evaluation_schema()["properties"]["schema_version"]["const"]
    '1.0'
    """
    return _read("evaluation.schema.json")


def _read(name: str) -> dict[str, Any]:
    text = resources.files("toadstone.report.files").joinpath(name).read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
