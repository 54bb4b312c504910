"""Attacks on linear models, by name."""

from __future__ import annotations

from toadstone.catalogue.entry import Entry

ATTACKS = {
    "kkt-influence": Entry(
        "toadstone.attacks.influence.multi_defence:KKTInfluenceAttack",
        "The points of the KKT attack, moved along their influence on what each of several defences trains.",
        ("add",),
        "errors",
    ),
    "kkt": Entry(
        "toadstone.attacks.decoys.kkt:KKTAttack",
        "Two points that satisfy the optimality conditions of a decoy model.",
        ("add",),
        "errors",
    ),
    "min-max": Entry(
        "toadstone.attacks.decoys.minmax:MinMaxAttack",
        "The feasible points of largest loss that a decoy model fits.",
        ("add",),
        "errors",
    ),
    "min-max-basic": Entry(
        "toadstone.attacks.decoys.minmax:MinMaxAttack",
        "The feasible points of largest loss, without a decoy model.",
        ("add",),
        "errors",
    ),
    "multiclass-min-max": Entry(
        "toadstone.attacks.decoys.multiclass_minmax:MulticlassMinMaxAttack",
        "The min-max attack against a model of several classes.",
        ("add",),
        "errors",
    ),
    "influence": Entry(
        "toadstone.attacks.influence.influence:InfluenceAttack",
        "Two points moved along their influence on a loss, each step with a retrained model.",
        ("add",),
        "errors",
    ),
    "iterative-influence": Entry(
        "toadstone.attacks.influence.iterative_influence:IterativeInfluenceAttack",
        "The influence attack, with filters fitted again as the poison moves.",
        ("add",),
        "errors",
    ),
    "basic-influence": Entry(
        "toadstone.attacks.influence.basic_influence:BasicInfluenceAttack",
        "Many points moved along their influence on the hinge loss, which has no curvature but the ridge.",
        ("add",),
        "errors",
    ),
    "label-flip": Entry(
        "toadstone.attacks.flips.label_flip:TargetedLabelFlip",
        "The strongest of random flips and flips of the rows of largest and of smallest margin.",
        ("add",),
        "errors",
    ),
    "random-flip": Entry(
        "toadstone.attacks.flips.label_flip:RandomLabelFlip",
        "Labels of rows drawn at random, flipped.",
        ("flip", "add"),
        "errors",
    ),
    "targeted-flip": Entry(
        "toadstone.attacks.flips.label_flip:TargetedLabelFlip",
        "Labels of the rows that a clean model is surest of, flipped.",
        ("flip", "add"),
        "errors",
    ),
    "pair-flip": Entry(
        "toadstone.attacks.flips.label_flip:RandomLabelFlip",
        "Labels of rows of one class, flipped to one other.",
        ("flip", "add"),
        "errors",
    ),
    "alfa": Entry(
        "toadstone.attacks.flips.alfa:ALFAAttack",
        "The flipped rows that a poisoned model fits best and a clean one worst.",
        ("add",),
        "errors",
    ),
    "gradient": Entry(
        "toadstone.attacks.flips.gradient_flips:GradientAttack",
        "Random flips moved along the gradient of the clean training loss.",
        ("add",),
        "errors",
    ),
    "collapse": Entry(
        "toadstone.attacks.collapse:CollapsedAttack",
        "The attack of a certificate: at most one point for each class, copied.",
        ("add",),
        "errors",
    ),
    "subpopulation": Entry(
        "toadstone.attacks.flips.subpopulation:SubpopulationAttack",
        "Labels of about half of a cluster, flipped.",
        ("flip",),
        "group",
    ),
    "demographic": Entry(
        "toadstone.attacks.flips.demographic:DemographicAttack",
        "A group denied a label that it deserves.",
        ("flip",),
        "group",
    ),
    "badnets": Entry(
        "toadstone.attacks.backdoors.backdoor:BackdoorAttack",
        "A bright square in a corner of images, under the target's label.",
        ("add",),
        "trigger",
    ),
    "blended": Entry(
        "toadstone.attacks.backdoors.backdoor:BackdoorAttack",
        "A picture of noise shining through images, under the target's label.",
        ("add",),
        "trigger",
    ),
    "sig": Entry(
        "toadstone.attacks.backdoors.backdoor:CleanLabelBackdoor",
        "Faint stripes in images of the target class.",
        ("perturb",),
        "trigger",
    ),
    "rare-words": Entry(
        "toadstone.attacks.backdoors.backdoor:BackdoorAttack",
        "Rare words added to texts, under the target's label.",
        ("add",),
        "trigger",
    ),
    "clean-words": Entry(
        "toadstone.attacks.backdoors.backdoor:CleanLabelBackdoor",
        "Rare words in texts of the target class.",
        ("perturb",),
        "trigger",
    ),
    "feature": Entry(
        "toadstone.attacks.backdoors.backdoor:BackdoorAttack",
        "Values that seldom occur together, under the target's label.",
        ("add",),
        "trigger",
    ),
    "clean-feature": Entry(
        "toadstone.attacks.backdoors.backdoor:CleanLabelBackdoor",
        "Values that seldom occur together, in rows of the target class.",
        ("perturb",),
        "trigger",
    ),
    "noise": Entry("toadstone.attacks.noise:NoiseInjection", "Noise on every feature.", ("perturb",), "errors"),
    "missing-blocks": Entry(
        "toadstone.attacks.noise:MissingBlocks", "A quarter of a row's features lost.", ("perturb",), "errors"
    ),
    "permutation": Entry(
        "toadstone.attacks.noise:FeaturePermutation", "Features shuffled among rows.", ("perturb",), "errors"
    ),
    "evading": Entry(
        "toadstone.attacks.evading:EvadingAttack",
        "Another attack's rows, of which those are used that the deployed detector finds least suspicious.",
        ("add", "flip", "perturb"),
        "errors",
    ),
}
