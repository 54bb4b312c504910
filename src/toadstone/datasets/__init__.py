"""Read data files, prepare their features, and load public data sets by name."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toadstone.datasets.catalogue.entries import ENTRIES, Entry
    from toadstone.datasets.catalogue.load import load, locate
    from toadstone.datasets.preparation.domain import check_domain
    from toadstone.datasets.readers.read import read, write_rows
    from toadstone.datasets.split import Split, hold_out, sha256

__all__ = [
    "ENTRIES",
    "Entry",
    "Split",
    "check_domain",
    "hold_out",
    "load",
    "locate",
    "read",
    "sha256",
    "write_rows",
]

_HOMES = {
    "ENTRIES": "catalogue.entries",
    "Entry": "catalogue.entries",
    "Split": "split",
    "check_domain": "preparation.domain",
    "hold_out": "split",
    "load": "catalogue.load",
    "locate": "catalogue.load",
    "read": "readers.read",
    "sha256": "split",
    "write_rows": "readers.read",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"toadstone.datasets.{_HOMES[name]}"), name)
