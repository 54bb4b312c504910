"""Precision of matrix products and convolutions."""

from __future__ import annotations

from typing import Literal, get_args

import torch

from toadstone.core.errors import InvalidArgument

Precision = Literal["float32", "bfloat16"]


def check_precision(precision: str) -> None:
    """Check for a known precision.

    Raises
    ------
    InvalidArgument
    """
    if precision not in get_args(Precision):
        raise InvalidArgument("precision", f"one of {', '.join(get_args(Precision))}", precision)


def computing(device: torch.device, precision: Precision) -> torch.autocast:
    """Return the context in which matrix products and convolutions have a precision; weights keep theirs."""
    check_precision(precision)
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16")
