"""Detectors: scores, thresholds and flagged rows at a stated false-alarm rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toadstone.core.lazy import lazy_exports

if TYPE_CHECKING:
    from toadstone.detectors.adapters.cleanlab_detector import CleanlabIssues, CleanlabLabels
    from toadstone.detectors.adapters.pyod_detector import PyODDetector
    from toadstone.detectors.features.activation import ActivationClustering
    from toadstone.detectors.features.deep_neighbours import DeepNeighbours
    from toadstone.detectors.features.feature_vote import FeatureVote
    from toadstone.detectors.features.gradient import GradientNorm, GradientSimilarity
    from toadstone.detectors.features.influence import InfluenceDetector
    from toadstone.detectors.features.mahalanobis import RobustMahalanobis
    from toadstone.detectors.features.minor_components import MinorComponents
    from toadstone.detectors.features.outliers import IsolationForestDetector, LocalOutlierFactorDetector
    from toadstone.detectors.features.sever import SEVER
    from toadstone.detectors.features.spectral import SpectralSignatures
    from toadstone.detectors.features.spectre import SPECTRE
    from toadstone.detectors.features.two_components import SCAn
    from toadstone.detectors.labels.confident_learning import ConfidentLearning
    from toadstone.detectors.labels.cross_validation import CrossValidationCleaning
    from toadstone.detectors.labels.ensemble import EnsembleFilter
    from toadstone.detectors.labels.roni import RONI
    from toadstone.detectors.labels.trimmed_loss import IterativeTrimmedLoss
    from toadstone.detectors.labels.trusted_bootstrap import TrustedBootstrap
    from toadstone.detectors.targets.target_verdict import TargetEvidence, TargetVerdict
    from toadstone.detectors.verdict.row_groups import RowGroup
    from toadstone.detectors.verdict.verdict import Verdict

__all__ = [
    "RONI",
    "SEVER",
    "SPECTRE",
    "ActivationClustering",
    "CleanlabIssues",
    "CleanlabLabels",
    "ConfidentLearning",
    "CrossValidationCleaning",
    "DeepNeighbours",
    "EnsembleFilter",
    "FeatureVote",
    "GradientNorm",
    "GradientSimilarity",
    "InfluenceDetector",
    "IsolationForestDetector",
    "IterativeTrimmedLoss",
    "LocalOutlierFactorDetector",
    "MinorComponents",
    "PyODDetector",
    "RobustMahalanobis",
    "RowGroup",
    "SCAn",
    "SpectralSignatures",
    "TargetEvidence",
    "TargetVerdict",
    "TrustedBootstrap",
    "Verdict",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "ActivationClustering": "features.activation",
        "CleanlabIssues": "adapters.cleanlab_detector",
        "CleanlabLabels": "adapters.cleanlab_detector",
        "ConfidentLearning": "labels.confident_learning",
        "CrossValidationCleaning": "labels.cross_validation",
        "DeepNeighbours": "features.deep_neighbours",
        "EnsembleFilter": "labels.ensemble",
        "FeatureVote": "features.feature_vote",
        "GradientNorm": "features.gradient",
        "GradientSimilarity": "features.gradient",
        "InfluenceDetector": "features.influence",
        "IsolationForestDetector": "features.outliers",
        "IterativeTrimmedLoss": "labels.trimmed_loss",
        "LocalOutlierFactorDetector": "features.outliers",
        "MinorComponents": "features.minor_components",
        "PyODDetector": "adapters.pyod_detector",
        "RONI": "labels.roni",
        "RobustMahalanobis": "features.mahalanobis",
        "RowGroup": "verdict.row_groups",
        "SCAn": "features.two_components",
        "SEVER": "features.sever",
        "SPECTRE": "features.spectre",
        "SpectralSignatures": "features.spectral",
        "TargetEvidence": "targets.target_verdict",
        "TargetVerdict": "targets.target_verdict",
        "TrustedBootstrap": "labels.trusted_bootstrap",
        "Verdict": "verdict.verdict",
    },
)
