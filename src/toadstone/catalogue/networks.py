"""Attacks on neural networks, and their defences, by name."""

from __future__ import annotations

from typing import Literal, TypeAlias

from toadstone.catalogue.entry import Entry

NetworkTraining: TypeAlias = Literal["plain", "epic", "trimmed-loss", "trades", "dp-sgd"]
"""How a network may be trained by `toadstone.deep.NetworkClassifier` and `toadstone defend`; the first by default."""

NETWORK_ATTACKS = {
    "badnets": Entry(
        "toadstone.deep.attacks.badnets:VisibleBackdoor",
        "A visible trigger under the target's label.",
        ("add",),
        "trigger",
    ),
    "label-consistent": Entry(
        "toadstone.deep.attacks.label_consistent:LabelConsistentBackdoor",
        "A trigger on images of the target class that were made hard to learn.",
        ("perturb",),
        "trigger",
    ),
    "hidden-trigger": Entry(
        "toadstone.deep.attacks.hidden_trigger:HiddenTrigger",
        "Images of the target class whose features are those of triggered ones.",
        ("perturb",),
        "trigger",
    ),
    "feature-collision": Entry(
        "toadstone.deep.attacks.feature_collision:FeatureCollision",
        "Images whose features collide with those of a target.",
        ("perturb",),
        "targets",
    ),
    "convex-polytope": Entry(
        "toadstone.deep.attacks.convex_polytope:ConvexPolytope",
        "Images whose features enclose those of a target.",
        ("perturb",),
        "targets",
    ),
    "bullseye-polytope": Entry(
        "toadstone.deep.attacks.bullseye_polytope:BullseyePolytope",
        "Images whose mean features are those of a target.",
        ("perturb",),
        "targets",
    ),
    "gradient-matching": Entry(
        "toadstone.deep.attacks.gradient_matching:GradientMatching",
        "Images whose gradients point as that of a target under another label.",
        ("perturb",),
        "targets",
    ),
    "sleeper-agent": Entry(
        "toadstone.deep.attacks.sleeper_agent:SleeperAgent",
        "Images whose gradients point as those of triggered ones under the target's label.",
        ("perturb",),
        "trigger",
    ),
}

NETWORK_DEFENCES = {
    "epic": Entry("toadstone.deep.defences.epic:EPIC", "Images whose gradients are isolated, dropped while training."),
    "deep-knn": Entry("toadstone.deep.defences.deep_knn:DeepKNN", "Images whose neighbours are of another class."),
    "medoid-vote": Entry("toadstone.deep.defences.deep_knn:MedoidVote", "Images that the medoids of classes outvote."),
    "strip": Entry("toadstone.deep.defences.strip:strip", "Inputs whose prediction survives blending with others."),
    "neural-cleanse": Entry(
        "toadstone.deep.defences.neural_cleanse:scan_for_backdoors", "The smallest trigger that calls up each class."
    ),
    "fine-pruning": Entry(
        "toadstone.deep.defences.fine_pruning:fine_prune", "Neurons that clean images leave idle, removed."
    ),
    "dp-sgd": Entry("toadstone.deep.training.dp_sgd:train_privately", "Training with clipped and noised gradients."),
}
