"""The detectors as scikit-learn estimators and as imbalanced-learn steps."""

import numpy as np
import pytest
from imblearn.pipeline import make_pipeline
from imblearn.utils import estimator_checks as imblearn_checks
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from toadstone.detectors.features.activation import ActivationClustering
from toadstone.detectors.features.deep_neighbours import DeepNeighbours
from toadstone.detectors.features.gradient import GradientNorm, GradientSimilarity
from toadstone.detectors.features.influence import InfluenceDetector
from toadstone.detectors.features.mahalanobis import RobustMahalanobis
from toadstone.detectors.features.minor_components import MinorComponents
from toadstone.detectors.features.outliers import IsolationForestDetector, LocalOutlierFactorDetector
from toadstone.detectors.features.sever import SEVER
from toadstone.detectors.features.spectral import SpectralSignatures
from toadstone.detectors.features.spectre import SPECTRE
from toadstone.detectors.labels.confident_learning import ConfidentLearning
from toadstone.detectors.labels.cross_validation import CrossValidationCleaning
from toadstone.detectors.labels.ensemble import EnsembleFilter
from toadstone.detectors.labels.trimmed_loss import IterativeTrimmedLoss

LABELS_OPTIONAL = [
    SpectralSignatures(),
    ActivationClustering(),
    RobustMahalanobis(),
    IsolationForestDetector(n_estimators=5),
    LocalOutlierFactorDetector(),
    MinorComponents(),
    SPECTRE(),
]
LABELS_NEEDED = [
    GradientNorm(),
    GradientSimilarity(),
    IterativeTrimmedLoss(),
    CrossValidationCleaning(folds=3),
    EnsembleFilter(n_estimators=3),
    ConfidentLearning(folds=3),
    SEVER(rounds=2),
    InfluenceDetector(folds=3),
    DeepNeighbours(n_neighbors=3),
]
ALL = LABELS_OPTIONAL + LABELS_NEEDED
every_detector = pytest.mark.parametrize("detector", ALL, ids=lambda detector: type(detector).__name__)


# Two checks want outliers among clean blobs, where a detector should be silent.
SILENT = dict.fromkeys(("check_outliers_fit_predict", "check_outliers_train"), "flags nothing among clean rows")
# Some checks feed features that no dual solver likes: far from zero, unscaled.
unscaled = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@unscaled
@parametrize_with_checks([SpectralSignatures(), DeepNeighbours(n_neighbors=3)])
def test_scikit_learn_estimator(estimator, check):
    check(estimator)


@unscaled
@pytest.mark.slow
@parametrize_with_checks([*LABELS_OPTIONAL[1:], *LABELS_NEEDED[:-1]], expected_failed_checks=lambda _: SILENT)
def test_every_scikit_learn_estimator(estimator, check):
    check(estimator)


@every_detector
@pytest.mark.parametrize(
    "check",
    [
        imblearn_checks.check_samplers_sparse,
        imblearn_checks.check_samplers_list,
        imblearn_checks.check_samplers_preserve_dtype,
        imblearn_checks.check_samplers_2d_target,
    ],
    ids=lambda check: check.__name__,
)
def test_imbalanced_learn_sampler(detector, check):
    check(type(detector).__name__, detector)


@every_detector
def test_tags_say_whether_labels_are_needed(detector):
    needed = type(detector) in {type(other) for other in LABELS_NEEDED}
    tags = get_tags(detector)
    assert tags.target_tags.required is needed
    assert (tags.estimator_type == "outlier_detector") is not needed


@pytest.mark.parametrize("detector", LABELS_NEEDED, ids=lambda detector: type(detector).__name__)
def test_a_single_class_is_refused_where_labels_matter(detector):
    with pytest.raises(ValueError, match="labels: expected at least two classes, got 1 class"):
        clone(detector).fit(np.eye(6), np.zeros(6))


@every_detector
def test_step_of_an_imbalanced_learn_pipeline(detector):
    X, y = make_classification(n_samples=200, n_informative=5, weights=[0.7], random_state=0)
    pipeline = make_pipeline(clone(detector), LogisticRegression()).fit(X, y)
    kept = pipeline[0].sample_indices_
    np.testing.assert_allclose(pipeline[-1].coef_, LogisticRegression().fit(X[kept], y[kept]).coef_)
    assert pipeline.predict(X).shape == (200,)
