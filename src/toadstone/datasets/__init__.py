"""Data sets: read from files, or found by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toadstone.core.lazy import lazy_exports

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

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
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
    },
)
