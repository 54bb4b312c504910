"""One lazy list of methods by name, for the command line and the laws."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

from toadstone.core.checks import did_you_mean
from toadstone.core.errors import UnknownName

CATALOGUE: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "attack": MappingProxyType(
            {
                "collapse": "toadstone.attacks.collapse:CollapsedAttack",
                "kkt": "toadstone.attacks.decoys.kkt:KKTAttack",
                "minmax": "toadstone.attacks.decoys.minmax:MinMaxAttack",
                "influence": "toadstone.attacks.influence.influence:InfluenceAttack",
                "adaptive": "toadstone.attacks.influence.multi_defence:KKTInfluenceAttack",
                "random-flip": "toadstone.attacks.flips.label_flip:RandomLabelFlip",
                "targeted-flip": "toadstone.attacks.flips.label_flip:TargetedLabelFlip",
                "alfa": "toadstone.attacks.flips.alfa:ALFAAttack",
                "gradient": "toadstone.attacks.flips.gradient_flips:GradientAttack",
                "basic-influence": "toadstone.attacks.influence.basic_influence:BasicInfluenceAttack",
                "iterative-influence": "toadstone.attacks.influence.iterative_influence:IterativeInfluenceAttack",
                "multiclass-minmax": "toadstone.attacks.decoys.multiclass_minmax:MulticlassMinMaxAttack",
                "backdoor": "toadstone.attacks.backdoors.backdoor:BackdoorAttack",
                "clean-label-backdoor": "toadstone.attacks.backdoors.backdoor:CleanLabelBackdoor",
                "noise": "toadstone.attacks.noise:NoiseInjection",
                "missing-blocks": "toadstone.attacks.noise:MissingBlocks",
                "permutation": "toadstone.attacks.noise:FeaturePermutation",
                "subpopulation": "toadstone.attacks.flips.subpopulation:SubpopulationAttack",
                "demographic": "toadstone.attacks.flips.demographic:DemographicAttack",
                "evading": "toadstone.attacks.evading:EvadingAttack",
            }
        ),
        "sanitizer": MappingProxyType(
            {
                "l2": "toadstone.sanitizers.sphere:SphereSanitizer",
                "slab": "toadstone.sanitizers.slab:SlabSanitizer",
                "loss": "toadstone.sanitizers.loss:LossSanitizer",
                "svd": "toadstone.sanitizers.subspace:SubspaceSanitizer",
                "knn": "toadstone.sanitizers.neighbours:NeighboursSanitizer",
            }
        ),
        "detector": MappingProxyType(
            {
                "spectral": "toadstone.detectors.features.spectral:SpectralSignatures",
                "activation": "toadstone.detectors.features.activation:ActivationClustering",
                "gradient-norm": "toadstone.detectors.features.gradient:GradientNorm",
                "gradient-similarity": "toadstone.detectors.features.gradient:GradientSimilarity",
                "mahalanobis": "toadstone.detectors.features.mahalanobis:RobustMahalanobis",
                "isolation-forest": "toadstone.detectors.features.outliers:IsolationForestDetector",
                "local-outlier-factor": "toadstone.detectors.features.outliers:LocalOutlierFactorDetector",
                "deep-knn": "toadstone.detectors.features.deep_neighbours:DeepNeighbours",
                "trimmed-loss": "toadstone.detectors.labels.trimmed_loss:IterativeTrimmedLoss",
                "cross-validation": "toadstone.detectors.labels.cross_validation:CrossValidationCleaning",
                "ensemble": "toadstone.detectors.labels.ensemble:EnsembleFilter",
                "label-errors": "toadstone.detectors.labels.confident_learning:ConfidentLearning",
                "sever": "toadstone.detectors.features.sever:SEVER",
                "influence": "toadstone.detectors.features.influence:InfluenceDetector",
                "minor-components": "toadstone.detectors.features.minor_components:MinorComponents",
                "trusted-bootstrap": "toadstone.detectors.labels.trusted_bootstrap:TrustedBootstrap",
                "roni": "toadstone.detectors.labels.roni:RONI",
            }
        ),
        "learner": MappingProxyType(
            {
                "linear": "toadstone.learners.linear:LinearClassifier",
                "crammer-singer": "toadstone.learners.multiclass:CrammerSingerClassifier",
                "online": "toadstone.learners.multiclass:OnlineHingeClassifier",
            }
        ),
    }
)
"""Kind, then name, then ``"module:Class"``."""


def names(kind: str) -> tuple[str, ...]:
    """All names of one kind, in the order in which reports list them.

    Raises
    ------
    UnknownName
        If the kind is not in the catalogue.

    Examples
    --------
    >>> names("sanitizer")
    ('l2', 'slab', 'loss', 'svd', 'knn')
    """
    return tuple(_look_up(CATALOGUE, "kind", kind))


def resolve(kind: str, name: str) -> type[Any]:
    """Import the class behind a name.

    Parameters
    ----------
    kind : {"attack", "sanitizer", "detector", "learner"}
    name : str

    Returns
    -------
    type

    Raises
    ------
    UnknownName
        If the catalogue does not know the kind or the name.

    Examples
    --------
    >>> resolve("sanitizer", "l2").__name__
    'SphereSanitizer'
    """
    module, _, attribute = _look_up(_look_up(CATALOGUE, "kind", kind), kind, name).partition(":")
    found: type[Any] = getattr(import_module(module), attribute)
    return found


def _look_up(entries: Mapping[str, Any], what: str, name: str) -> Any:
    if name in entries:
        return entries[name]
    raise UnknownName(f"`{what}`: expected one of {', '.join(entries)}, got {name}{did_you_mean(name, entries)}")
