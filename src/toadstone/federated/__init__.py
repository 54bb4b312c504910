"""Federated training that malicious clients cannot steer: robust rules, attacks, and a simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toadstone.core.lazy import lazy_exports

if TYPE_CHECKING:
    from toadstone.federated.attacks.backdoors.constrain_and_scale import ConstrainAndScale
    from toadstone.federated.attacks.backdoors.distributed_trigger import DistributedTrigger
    from toadstone.federated.attacks.backdoors.model_replacement import ModelReplacement
    from toadstone.federated.attacks.backdoors.neurotoxin import Neurotoxin
    from toadstone.federated.attacks.garbage import Garbage
    from toadstone.federated.attacks.gaussian import GaussianNoise
    from toadstone.federated.attacks.inner_product import AdaptiveInnerProduct, InnerProduct
    from toadstone.federated.attacks.label_flip import LabelFlip
    from toadstone.federated.attacks.little_is_enough import AdaptiveLittleIsEnough, LittleIsEnough
    from toadstone.federated.attacks.mimic import Mimic
    from toadstone.federated.attacks.min_max import AdaptiveMinMax, MinMax, MinSum
    from toadstone.federated.attacks.sign_flip import SignFlip
    from toadstone.federated.attacks.sleeper import Sleeper
    from toadstone.federated.attacks.trigger import BackdoorTrigger
    from toadstone.federated.attacks.view import ClientAttack, RoundView
    from toadstone.federated.simulation.clients import ClientModel
    from toadstone.federated.simulation.federation import run_federation
    from toadstone.federated.simulation.results import FederationRun, FederationSetting
    from toadstone.federated.simulation.softmax import SoftmaxModel
    from toadstone.federated.simulation.splits import dirichlet_clients, source_clients

__all__ = [
    "AdaptiveInnerProduct",
    "AdaptiveLittleIsEnough",
    "AdaptiveMinMax",
    "BackdoorTrigger",
    "ClientAttack",
    "ClientModel",
    "ConstrainAndScale",
    "DistributedTrigger",
    "FederationRun",
    "FederationSetting",
    "Garbage",
    "GaussianNoise",
    "InnerProduct",
    "LabelFlip",
    "LittleIsEnough",
    "Mimic",
    "MinMax",
    "MinSum",
    "ModelReplacement",
    "Neurotoxin",
    "RoundView",
    "SignFlip",
    "Sleeper",
    "SoftmaxModel",
    "dirichlet_clients",
    "run_federation",
    "source_clients",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "AdaptiveInnerProduct": "attacks.inner_product",
        "AdaptiveLittleIsEnough": "attacks.little_is_enough",
        "AdaptiveMinMax": "attacks.min_max",
        "ConstrainAndScale": "attacks.backdoors.constrain_and_scale",
        "DistributedTrigger": "attacks.backdoors.distributed_trigger",
        "Garbage": "attacks.garbage",
        "GaussianNoise": "attacks.gaussian",
        "InnerProduct": "attacks.inner_product",
        "LabelFlip": "attacks.label_flip",
        "LittleIsEnough": "attacks.little_is_enough",
        "Mimic": "attacks.mimic",
        "MinMax": "attacks.min_max",
        "MinSum": "attacks.min_max",
        "ModelReplacement": "attacks.backdoors.model_replacement",
        "Neurotoxin": "attacks.backdoors.neurotoxin",
        "SignFlip": "attacks.sign_flip",
        "Sleeper": "attacks.sleeper",
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
