"""Sanitizers: remove a fixed share of each class; their feasible sets bound attacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toadstone.core.lazy import lazy_exports

if TYPE_CHECKING:
    from toadstone.sanitizers.loss import LossSanitizer
    from toadstone.sanitizers.neighbours import NeighboursSanitizer
    from toadstone.sanitizers.slab import SlabSanitizer
    from toadstone.sanitizers.sphere import SphereSanitizer
    from toadstone.sanitizers.subspace import SubspaceSanitizer

__all__ = [
    "LossSanitizer",
    "NeighboursSanitizer",
    "SlabSanitizer",
    "SphereSanitizer",
    "SubspaceSanitizer",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "LossSanitizer": "loss",
        "NeighboursSanitizer": "neighbours",
        "SlabSanitizer": "slab",
        "SphereSanitizer": "sphere",
        "SubspaceSanitizer": "subspace",
    },
)
