"""Attacks on training data: each returns the rows that an attacker adds or changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toadstone.core.lazy import lazy_exports

if TYPE_CHECKING:
    from toadstone.attacks.backdoors.backdoor import BackdoorAttack, CleanLabelBackdoor
    from toadstone.attacks.backdoors.image_shape import ImageShape
    from toadstone.attacks.backdoors.row_trigger import FeatureTrigger, TokenTrigger
    from toadstone.attacks.backdoors.trigger import BlendedTrigger, PatchTrigger, SinusoidalTrigger
    from toadstone.attacks.collapse import CollapsedAttack
    from toadstone.attacks.decoys.decoys import DecoyGrid
    from toadstone.attacks.decoys.kkt import KKTAttack
    from toadstone.attacks.decoys.minmax import MinMaxAttack
    from toadstone.attacks.decoys.multiclass_minmax import MulticlassMinMaxAttack
    from toadstone.attacks.decoys.rounded import Rounded
    from toadstone.attacks.evading import EvadingAttack
    from toadstone.attacks.few_points import FewPoints
    from toadstone.attacks.flips.alfa import ALFAAttack
    from toadstone.attacks.flips.demographic import DemographicAttack, Group
    from toadstone.attacks.flips.gradient_flips import GradientAttack
    from toadstone.attacks.flips.label_flip import RandomLabelFlip, TargetedLabelFlip
    from toadstone.attacks.flips.subpopulation import Subpopulation, SubpopulationAttack
    from toadstone.attacks.influence.basic_influence import BasicInfluenceAttack
    from toadstone.attacks.influence.influence import InfluenceAttack
    from toadstone.attacks.influence.iterative_influence import IterativeInfluenceAttack
    from toadstone.attacks.influence.multi_defence import KKTInfluenceAttack
    from toadstone.attacks.noise import FeaturePermutation, MissingBlocks, NoiseInjection
    from toadstone.attacks.regression.ridge_poisoning import RidgePoisoning
    from toadstone.attacks.regression.target_ends import TargetEnds

__all__ = [
    "ALFAAttack",
    "BackdoorAttack",
    "BasicInfluenceAttack",
    "BlendedTrigger",
    "CleanLabelBackdoor",
    "CollapsedAttack",
    "DecoyGrid",
    "DemographicAttack",
    "EvadingAttack",
    "FeaturePermutation",
    "FeatureTrigger",
    "FewPoints",
    "GradientAttack",
    "Group",
    "ImageShape",
    "InfluenceAttack",
    "IterativeInfluenceAttack",
    "KKTAttack",
    "KKTInfluenceAttack",
    "MinMaxAttack",
    "MissingBlocks",
    "MulticlassMinMaxAttack",
    "NoiseInjection",
    "PatchTrigger",
    "RandomLabelFlip",
    "RidgePoisoning",
    "Rounded",
    "SinusoidalTrigger",
    "Subpopulation",
    "SubpopulationAttack",
    "TargetEnds",
    "TargetedLabelFlip",
    "TokenTrigger",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "ALFAAttack": "flips.alfa",
        "BackdoorAttack": "backdoors.backdoor",
        "BasicInfluenceAttack": "influence.basic_influence",
        "BlendedTrigger": "backdoors.trigger",
        "CleanLabelBackdoor": "backdoors.backdoor",
        "CollapsedAttack": "collapse",
        "DecoyGrid": "decoys.decoys",
        "DemographicAttack": "flips.demographic",
        "EvadingAttack": "evading",
        "FeaturePermutation": "noise",
        "FeatureTrigger": "backdoors.row_trigger",
        "FewPoints": "few_points",
        "GradientAttack": "flips.gradient_flips",
        "Group": "flips.demographic",
        "ImageShape": "backdoors.image_shape",
        "InfluenceAttack": "influence.influence",
        "IterativeInfluenceAttack": "influence.iterative_influence",
        "KKTAttack": "decoys.kkt",
        "KKTInfluenceAttack": "influence.multi_defence",
        "MinMaxAttack": "decoys.minmax",
        "MissingBlocks": "noise",
        "MulticlassMinMaxAttack": "decoys.multiclass_minmax",
        "NoiseInjection": "noise",
        "PatchTrigger": "backdoors.trigger",
        "RandomLabelFlip": "flips.label_flip",
        "RidgePoisoning": "regression.ridge_poisoning",
        "Rounded": "decoys.rounded",
        "SinusoidalTrigger": "backdoors.trigger",
        "Subpopulation": "flips.subpopulation",
        "SubpopulationAttack": "flips.subpopulation",
        "TargetEnds": "regression.target_ends",
        "TargetedLabelFlip": "flips.label_flip",
        "TokenTrigger": "backdoors.row_trigger",
    },
)
