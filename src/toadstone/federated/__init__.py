"""Federated training that malicious clients cannot steer: robust rules, attacks, and a simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toadstone.core.lazy import lazy_exports

if TYPE_CHECKING:
    from toadstone.federated.attacks.trigger import BackdoorTrigger
    from toadstone.federated.attacks.view import ClientAttack, RoundView
    from toadstone.federated.simulation.clients import ClientModel
    from toadstone.federated.simulation.federation import run_federation
    from toadstone.federated.simulation.results import FederationRun, FederationSetting
    from toadstone.federated.simulation.softmax import SoftmaxModel
    from toadstone.federated.simulation.splits import dirichlet_clients, source_clients

__all__ = [
    "BackdoorTrigger",
    "ClientAttack",
    "ClientModel",
    "FederationRun",
    "FederationSetting",
    "RoundView",
    "SoftmaxModel",
    "dirichlet_clients",
    "run_federation",
    "source_clients",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "BackdoorTrigger": "attacks.trigger",
        "ClientAttack": "attacks.view",
        "ClientModel": "simulation.clients",
        "FederationRun": "simulation.results",
        "FederationSetting": "simulation.results",
        "RoundView": "attacks.view",
        "SoftmaxModel": "simulation.softmax",
        "dirichlet_clients": "simulation.splits",
        "run_federation": "simulation.federation",
        "source_clients": "simulation.splits",
    },
)
