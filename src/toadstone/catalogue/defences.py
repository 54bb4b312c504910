"""Sanitizers, detectors and learners, by name."""

from __future__ import annotations

from toadstone.catalogue.entry import Entry

SANITIZERS = {
    "l2": Entry("toadstone.sanitizers.sphere:SphereSanitizer", "Distance to the centre of the class."),
    "slab": Entry("toadstone.sanitizers.slab:SlabSanitizer", "Distance along the line between the class centres."),
    "loss": Entry("toadstone.sanitizers.loss:LossSanitizer", "Loss at a model trained on all rows."),
    "svd": Entry("toadstone.sanitizers.subspace:SubspaceSanitizer", "Distance to the main directions of all rows."),
    "knn": Entry("toadstone.sanitizers.neighbours:NeighboursSanitizer", "Distance to the nearest neighbours."),
}

DETECTORS = {
    "spectral": Entry(
        "toadstone.detectors.features.spectral:SpectralSignatures",
        "Spectral signatures: distance along the direction in which the class varies most.",
    ),
    "spectre": Entry(
        "toadstone.detectors.features.spectre:SPECTRE",
        "SPECTRE: distance along directions in which the class varies more than its core.",
    ),
    "activation": Entry(
        "toadstone.detectors.features.activation:ActivationClustering",
        "Activation clustering: a small, well separated group within the class.",
    ),
    "gradient-norm": Entry("toadstone.detectors.features.gradient:GradientNorm", "Length of a row's gradient."),
    "gradient-similarity": Entry(
        "toadstone.detectors.features.gradient:GradientSimilarity",
        "Direction of a row's gradient, against that of its class.",
    ),
    "mahalanobis": Entry(
        "toadstone.detectors.features.mahalanobis:RobustMahalanobis", "Robust Mahalanobis distance to the class."
    ),
    "isolation-forest": Entry(
        "toadstone.detectors.features.outliers:IsolationForestDetector", "Isolation by few random cuts."
    ),
    "local-outlier-factor": Entry(
        "toadstone.detectors.features.outliers:LocalOutlierFactorDetector", "A lower density than that of neighbours."
    ),
    "deep-knn": Entry("toadstone.detectors.features.deep_neighbours:DeepNeighbours", "Neighbours of another class."),
    "trimmed-loss": Entry(
        "toadstone.detectors.labels.trimmed_loss:IterativeTrimmedLoss", "Loss at a model of the rows that it fits best."
    ),
    "cross-validation": Entry(
        "toadstone.detectors.labels.cross_validation:CrossValidationCleaning",
        "Cross-validation cleaning: a label that held-out models contradict with confidence.",
    ),
    "ensemble": Entry(
        "toadstone.detectors.labels.ensemble:EnsembleFilter",
        "A label that held-out models of several kinds contradict.",
    ),
    "label-errors": Entry(
        "toadstone.detectors.labels.confident_learning:ConfidentLearning",
        "Confident learning: a label that is confidently another one.",
    ),
    "sever": Entry(
        "toadstone.detectors.features.sever:SEVER", "SEVER: gradients along the direction in which they vary most."
    ),
    "influence": Entry(
        "toadstone.detectors.features.influence:InfluenceDetector", "Influence on the loss of held-out training rows."
    ),
    "minor-components": Entry(
        "toadstone.detectors.features.minor_components:MinorComponents",
        "Distance along the directions in which the class hardly varies.",
    ),
    "two-components": Entry(
        "toadstone.detectors.features.two_components:SCAn",
        "SCAn: a second group within the class that trusted rows do not show.",
    ),
    "trusted-bootstrap": Entry(
        "toadstone.detectors.labels.trusted_bootstrap:TrustedBootstrap",
        "Disagreement with models that grow from trusted rows.",
    ),
    "roni": Entry("toadstone.detectors.labels.roni:RONI", "RONI: the accuracy on trusted rows that a row costs."),
}

LEARNERS = {
    "linear": Entry("toadstone.learners.linear:LinearClassifier", "A linear model, one class against the rest."),
    "crammer-singer": Entry(
        "toadstone.learners.multiclass:CrammerSingerClassifier", "One linear function a class, all together."
    ),
    "online": Entry(
        "toadstone.learners.multiclass:OnlineHingeClassifier", "One linear function a class, by epochs of AdaGrad."
    ),
}

ROBUST_LEARNERS = {
    "trimmed-training": Entry(
        "toadstone.learners.trimmed:TrimmedLossClassifier", "A linear model of the rows that it fits best."
    ),
    "bounded-loss": Entry(
        "toadstone.learners.bounded:BoundedLossClassifier", "A linear model by a loss with an upper bound."
    ),
    "severed-training": Entry(
        "toadstone.learners.severed:SeveredClassifier", "A model trained again and again behind SEVER."
    ),
    "partition-vote": Entry(
        "toadstone.learners.partitioned:PartitionVoteClassifier",
        "A vote of models, none of which shares a training row with another.",
    ),
    "bagging": Entry("sklearn.ensemble:BaggingClassifier", "A vote of models, each of a random share of the rows."),
}
