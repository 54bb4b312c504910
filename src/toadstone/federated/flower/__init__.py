"""Robust aggregation around any strategy of Flower. Needs Flower, the extra ``federated``."""

from __future__ import annotations

from toadstone.core.errors import missing_extra

try:
    import flwr  # noqa: F401
except ModuleNotFoundError as missing:
    if missing.name != "flwr":
        raise
    raise ModuleNotFoundError(
        f"toadstone.federated.robust {missing_extra('federated', 'Flower')}", name="flwr"
    ) from None
