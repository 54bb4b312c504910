"""The published JSON schema of a run record."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any


def load_schema() -> dict[str, Any]:
    """Read the schema (JSON Schema, draft 2020-12) of record version 1.0.

    Examples
    --------
    >>> load_schema()["properties"]["schema_version"]["const"]
    '1.0'
    """
    text = resources.files("bezoar.report").joinpath("record.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
