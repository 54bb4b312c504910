"""Federated training that malicious clients cannot steer: robust rules, attacks, and a simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toadstone.core.lazy import is_installed, lazy_exports

if TYPE_CHECKING:
    from toadstone.federated.aggregation.admission import Refused
    from toadstone.federated.aggregation.aggregate import Aggregation, aggregate, aggregate_with_evidence
    from toadstone.federated.aggregation.agreement import FLAME, DivideAndConquer, FLTrust
    from toadstone.federated.aggregation.averages import CentredClipping, GeometricMedian, NormFilter
    from toadstone.federated.aggregation.before import (
        AdaptiveClipping,
        Bucketing,
        NearestNeighbourMixing,
        StaticClipping,
    )
    from toadstone.federated.aggregation.coordinates import CoordinateMedian, MeaMed, Mean, TrimmedMean
    from toadstone.federated.aggregation.names import parse_rule, rules
    from toadstone.federated.aggregation.rule import Chain, PreAggregation, Rule
    from toadstone.federated.aggregation.selections import Bulyan, Krum, MinimumDiameter, MultiKrum
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
    from toadstone.federated.client_votes import ClientPartitionEnsemble, deal_clients
    from toadstone.federated.flower.grid import InProcessGrid
    from toadstone.federated.flower.robust import robust
    from toadstone.federated.flower.weights import CappedWeights
    from toadstone.federated.history.log import read_log
    from toadstone.federated.history.reputation import Reputation
    from toadstone.federated.history.summary import summarize_log
    from toadstone.federated.round_shift import RoundShift, certify_round
    from toadstone.federated.secure_groups import GroupPlan, plan_groups
    from toadstone.federated.simulation.clients import ClientModel
    from toadstone.federated.simulation.federation import run_federation
    from toadstone.federated.simulation.results import FederationRun, FederationSetting
    from toadstone.federated.simulation.softmax import SoftmaxModel
    from toadstone.federated.simulation.splits import dirichlet_clients, source_clients

__all__ = [
    "FLAME",
    "AdaptiveClipping",
    "AdaptiveInnerProduct",
    "AdaptiveLittleIsEnough",
    "AdaptiveMinMax",
    "Aggregation",
    "BackdoorTrigger",
    "Bucketing",
    "Bulyan",
    "CappedWeights",
    "CentredClipping",
    "Chain",
    "ClientAttack",
    "ClientModel",
    "ClientPartitionEnsemble",
    "ConstrainAndScale",
    "CoordinateMedian",
    "DistributedTrigger",
    "DivideAndConquer",
    "FLTrust",
    "FederationRun",
    "FederationSetting",
    "Garbage",
    "GaussianNoise",
    "GeometricMedian",
    "GroupPlan",
    "InProcessGrid",
    "InnerProduct",
    "Krum",
    "LabelFlip",
    "LittleIsEnough",
    "MeaMed",
    "Mean",
    "Mimic",
    "MinMax",
    "MinSum",
    "MinimumDiameter",
    "ModelReplacement",
    "MultiKrum",
    "NearestNeighbourMixing",
    "Neurotoxin",
    "NormFilter",
    "PreAggregation",
    "Refused",
    "Reputation",
    "RoundShift",
    "RoundView",
    "Rule",
    "SignFlip",
    "Sleeper",
    "SoftmaxModel",
    "StaticClipping",
    "TrimmedMean",
    "aggregate",
    "aggregate_with_evidence",
    "certify_round",
    "deal_clients",
    "dirichlet_clients",
    "parse_rule",
    "plan_groups",
    "read_log",
    "robust",
    "rules",
    "run_federation",
    "source_clients",
    "summarize_log",
]

_UNLISTED = () if is_installed("flwr") else ("CappedWeights", "InProcessGrid", "robust")
for _name in _UNLISTED:
    # Whatever lists the names of this package, such as an import of all of them, would fail at these.
    __all__.remove(_name)

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "AdaptiveClipping": "aggregation.before",
        "AdaptiveInnerProduct": "attacks.inner_product",
        "AdaptiveLittleIsEnough": "attacks.little_is_enough",
        "AdaptiveMinMax": "attacks.min_max",
        "Aggregation": "aggregation.aggregate",
        "BackdoorTrigger": "attacks.trigger",
        "Bucketing": "aggregation.before",
        "Bulyan": "aggregation.selections",
        "CappedWeights": "flower.weights",
        "CentredClipping": "aggregation.averages",
        "Chain": "aggregation.rule",
        "ClientAttack": "attacks.view",
        "ClientModel": "simulation.clients",
        "ClientPartitionEnsemble": "client_votes",
        "ConstrainAndScale": "attacks.backdoors.constrain_and_scale",
        "CoordinateMedian": "aggregation.coordinates",
        "DistributedTrigger": "attacks.backdoors.distributed_trigger",
        "DivideAndConquer": "aggregation.agreement",
        "FLAME": "aggregation.agreement",
        "FLTrust": "aggregation.agreement",
        "FederationRun": "simulation.results",
        "FederationSetting": "simulation.results",
        "Garbage": "attacks.garbage",
        "GaussianNoise": "attacks.gaussian",
        "GeometricMedian": "aggregation.averages",
        "InProcessGrid": "flower.grid",
        "GroupPlan": "secure_groups",
        "InnerProduct": "attacks.inner_product",
        "Krum": "aggregation.selections",
        "LabelFlip": "attacks.label_flip",
        "LittleIsEnough": "attacks.little_is_enough",
        "MeaMed": "aggregation.coordinates",
        "Mean": "aggregation.coordinates",
        "Mimic": "attacks.mimic",
        "MinMax": "attacks.min_max",
        "MinSum": "attacks.min_max",
        "MinimumDiameter": "aggregation.selections",
        "ModelReplacement": "attacks.backdoors.model_replacement",
        "MultiKrum": "aggregation.selections",
        "NearestNeighbourMixing": "aggregation.before",
        "Neurotoxin": "attacks.backdoors.neurotoxin",
        "NormFilter": "aggregation.averages",
        "PreAggregation": "aggregation.rule",
        "Refused": "aggregation.admission",
        "Reputation": "history.reputation",
        "RoundShift": "round_shift",
        "RoundView": "attacks.view",
        "Rule": "aggregation.rule",
        "SignFlip": "attacks.sign_flip",
        "Sleeper": "attacks.sleeper",
        "SoftmaxModel": "simulation.softmax",
        "StaticClipping": "aggregation.before",
        "TrimmedMean": "aggregation.coordinates",
        "aggregate": "aggregation.aggregate",
        "aggregate_with_evidence": "aggregation.aggregate",
        "certify_round": "round_shift",
        "deal_clients": "client_votes",
        "dirichlet_clients": "simulation.splits",
        "parse_rule": "aggregation.names",
        "read_log": "history.log",
        "robust": "flower.robust",
        "plan_groups": "secure_groups",
        "rules": "aggregation.names",
        "run_federation": "simulation.federation",
        "source_clients": "simulation.splits",
        "summarize_log": "history.summary",
    },
    unlisted=_UNLISTED,
)
