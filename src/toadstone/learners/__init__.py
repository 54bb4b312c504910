"""Classifiers and regressors: linear models fitted to a duality gap, and learners robust to poison."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toadstone.core.lazy import lazy_exports

if TYPE_CHECKING:
    from toadstone.learners.bounded import BoundedLossClassifier
    from toadstone.learners.features.gradients import GradientFeatures
    from toadstone.learners.features.patches import PatchFeatures
    from toadstone.learners.label_linear.kernels import KernelRidgeClassifier, KernelSmootherClassifier
    from toadstone.learners.label_linear.neighbours import NeighbourVoteClassifier
    from toadstone.learners.label_linear.ridge import OneHotRidgeClassifier
    from toadstone.learners.linear import LinearClassifier
    from toadstone.learners.multiclass import CrammerSingerClassifier, OnlineHingeClassifier
    from toadstone.learners.partitioned import PartitionVoteClassifier
    from toadstone.learners.severed import SeveredClassifier
    from toadstone.learners.severed_ridge import SeveredRidge
    from toadstone.learners.trimmed import TrimmedLossClassifier
    from toadstone.learners.trimmed_ridge import TrimmedRidge
    from toadstone.learners.voters.functions import FunctionClassifier

__all__ = [
    "BoundedLossClassifier",
    "CrammerSingerClassifier",
    "FunctionClassifier",
    "GradientFeatures",
    "KernelRidgeClassifier",
    "KernelSmootherClassifier",
    "LinearClassifier",
    "NeighbourVoteClassifier",
    "OneHotRidgeClassifier",
    "OnlineHingeClassifier",
    "PartitionVoteClassifier",
    "PatchFeatures",
    "SeveredClassifier",
    "SeveredRidge",
    "TrimmedLossClassifier",
    "TrimmedRidge",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "BoundedLossClassifier": "bounded",
        "CrammerSingerClassifier": "multiclass",
        "FunctionClassifier": "voters.functions",
        "GradientFeatures": "features.gradients",
        "KernelRidgeClassifier": "label_linear.kernels",
        "KernelSmootherClassifier": "label_linear.kernels",
        "LinearClassifier": "linear",
        "NeighbourVoteClassifier": "label_linear.neighbours",
        "OneHotRidgeClassifier": "label_linear.ridge",
        "OnlineHingeClassifier": "multiclass",
        "PartitionVoteClassifier": "partitioned",
        "PatchFeatures": "features.patches",
        "SeveredClassifier": "severed",
        "SeveredRidge": "severed_ridge",
        "TrimmedLossClassifier": "trimmed",
        "TrimmedRidge": "trimmed_ridge",
    },
)
