"""One lazy list of methods by name, for the command line and the laws."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from types import MappingProxyType
from typing import Any

from bezoar.core.errors import UnknownName

CATALOGUE: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "attack": MappingProxyType(
            {
                "collapse": "bezoar.attacks.collapse:CollapsedAttack",
                "kkt": "bezoar.attacks.kkt:KKTAttack",
                "minmax": "bezoar.attacks.minmax:MinMaxAttack",
                "influence": "bezoar.attacks.influence:InfluenceAttack",
                "adaptive": "bezoar.attacks.adaptive:AdaptiveAttack",
                "random-flip": "bezoar.attacks.label_flip:RandomLabelFlip",
                "targeted-flip": "bezoar.attacks.label_flip:TargetedLabelFlip",
                "alfa": "bezoar.attacks.alfa:ALFAAttack",
                "gradient": "bezoar.attacks.gradient:GradientAttack",
                "basic-influence": "bezoar.attacks.basic_influence:BasicInfluenceAttack",
                "iterative-influence": "bezoar.attacks.iterative_influence:IterativeInfluenceAttack",
                "multiclass-minmax": "bezoar.attacks.multiclass_minmax:MulticlassMinMaxAttack",
                "backdoor": "bezoar.attacks.backdoor:BackdoorAttack",
                "clean-label-backdoor": "bezoar.attacks.backdoor:CleanLabelBackdoor",
                "noise": "bezoar.attacks.noise:NoiseInjection",
                "missing-blocks": "bezoar.attacks.noise:MissingBlocks",
                "permutation": "bezoar.attacks.noise:FeaturePermutation",
                "subpopulation": "bezoar.attacks.subpopulation:SubpopulationAttack",
                "demographic": "bezoar.attacks.demographic:DemographicAttack",
                "evading": "bezoar.attacks.evading:EvadingAttack",
            }
        ),
        "sanitizer": MappingProxyType(
            {
                "l2": "bezoar.sanitizers.sphere:SphereSanitizer",
                "slab": "bezoar.sanitizers.slab:SlabSanitizer",
                "loss": "bezoar.sanitizers.loss:LossSanitizer",
                "svd": "bezoar.sanitizers.subspace:SubspaceSanitizer",
                "knn": "bezoar.sanitizers.neighbours:NeighboursSanitizer",
            }
        ),
        "detector": MappingProxyType(
            {
                "spectral": "bezoar.sanitizers.spectral:SpectralSignatures",
                "activation": "bezoar.sanitizers.activation:ActivationClustering",
                "gradient-norm": "bezoar.sanitizers.gradient:GradientNorm",
                "gradient-similarity": "bezoar.sanitizers.gradient:GradientSimilarity",
                "mahalanobis": "bezoar.sanitizers.mahalanobis:RobustMahalanobis",
                "isolation-forest": "bezoar.sanitizers.outliers:IsolationForestDetector",
                "local-outlier-factor": "bezoar.sanitizers.outliers:LocalOutlierFactorDetector",
                "deep-knn": "bezoar.sanitizers.deep_neighbours:DeepNeighbours",
                "trimmed-loss": "bezoar.sanitizers.trimmed_loss:IterativeTrimmedLoss",
                "cross-validation": "bezoar.sanitizers.cross_validation:CrossValidationCleaning",
                "ensemble": "bezoar.sanitizers.ensemble:EnsembleFilter",
                "label-errors": "bezoar.sanitizers.label_errors:ConfidentLearning",
                "sever": "bezoar.sanitizers.sever:SEVER",
                "influence": "bezoar.sanitizers.influence:InfluenceDetector",
                "minor-components": "bezoar.sanitizers.minor_components:MinorComponents",
                "trusted-bootstrap": "bezoar.sanitizers.trusted:TrustedBootstrap",
                "roni": "bezoar.sanitizers.roni:RONI",
            }
        ),
        "learner": MappingProxyType(
            {
                "linear": "bezoar.learners.linear:LinearClassifier",
                "crammer-singer": "bezoar.learners.multiclass:CrammerSingerClassifier",
                "online": "bezoar.learners.multiclass:OnlineHingeClassifier",
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
    close = get_close_matches(name, entries, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    raise UnknownName(f"`{what}`: expected one of {', '.join(entries)}, got {name}{hint}")
