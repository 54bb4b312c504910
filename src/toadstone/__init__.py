"""toadstone: how bad can poisoning get, which rows are poison, how to train anyway."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toadstone.core.budget import Budget
    from toadstone.core.dataset import Dataset, Poison

__all__ = ["Budget", "Dataset", "Poison", "__version__"]

__version__ = "0.1.0"

_HOMES = {"Budget": "budget", "Dataset": "dataset", "Poison": "dataset"}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that the command starts at once."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"toadstone.core.{_HOMES[name]}"), name)
