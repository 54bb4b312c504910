"""The sanitizers as scikit-learn estimators and as imbalanced-learn steps."""

import numpy as np
import pytest
from imblearn.pipeline import make_pipeline
from imblearn.utils import estimator_checks as imblearn_checks
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from toadstone.sanitizers.loss import LossSanitizer
from toadstone.sanitizers.neighbours import NeighboursSanitizer
from toadstone.sanitizers.slab import SlabSanitizer
from toadstone.sanitizers.sphere import SphereSanitizer
from toadstone.sanitizers.subspace import SubspaceSanitizer

LABELS_OPTIONAL = [
    SphereSanitizer(),
    NeighboursSanitizer(),
    NeighboursSanitizer(variant="reference"),
    SubspaceSanitizer(),
    SubspaceSanitizer(variant="reference"),
]
LABELS_NEEDED = [SlabSanitizer(), LossSanitizer()]
ALL = LABELS_OPTIONAL + LABELS_NEEDED

# Of imbalanced-learn's sampler checks these do not apply: fit and
# sampling_strategy_fit_resample ask for its own `sampling_strategy`;
# sample_indices reads a tag that only its own base class has (tested below);
# string and nan ask for categories, which have no distances; multiclass_ova
# takes one-hot labels; classifiers_with_encoded_labels reads predictions as
# labels; classifier_on_multilabel wants its own wording of the error (tested
# below); pandas checks skip, for pandas is not a dependency; one_label
# applies where a single class makes no sense.
SAMPLER_CHECKS = [
    imblearn_checks.check_target_type,
    imblearn_checks.check_samplers_fit_resample,
    imblearn_checks.check_samplers_sparse,
    imblearn_checks.check_samplers_pandas,
    imblearn_checks.check_samplers_pandas_sparse,
    imblearn_checks.check_samplers_list,
    imblearn_checks.check_samplers_preserve_dtype,
    imblearn_checks.check_samplers_2d_target,
    imblearn_checks.check_param_validation,
    imblearn_checks.check_dataframe_column_names_consistency,
    imblearn_checks.check_sampler_get_feature_names_out,
    imblearn_checks.check_sampler_get_feature_names_out_pandas,
]


# Some checks feed features that no dual solver likes: far from zero, unscaled.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(ALL)
def test_scikit_learn_estimator(estimator, check):
    check(estimator)


@pytest.mark.parametrize("sanitizer", ALL, ids=str)
@pytest.mark.parametrize("check", SAMPLER_CHECKS, ids=lambda check: check.__name__)
def test_imbalanced_learn_sampler(sanitizer, check):
    check(type(sanitizer).__name__, sanitizer)


@pytest.mark.parametrize("sanitizer", LABELS_NEEDED, ids=str)
def test_single_class_is_refused_where_labels_matter(sanitizer):
    imblearn_checks.check_samplers_one_label(type(sanitizer).__name__, sanitizer)


@pytest.mark.parametrize("sanitizer", ALL, ids=str)
def test_tags_say_whether_labels_are_needed(sanitizer):
    tags = get_tags(sanitizer)
    assert tags.target_tags.required is (sanitizer in LABELS_NEEDED)
    assert (tags.estimator_type == "outlier_detector") is (sanitizer in LABELS_OPTIONAL)


@pytest.mark.parametrize("sanitizer", ALL, ids=str)
def test_several_labels_a_row_are_refused(sanitizer):
    X, y = np.ones((30, 2)), np.eye(30, 3, dtype=int)
    with pytest.raises(ValueError, match="should be a 1d array"):
        sanitizer.fit(X, y)


@pytest.mark.parametrize("sanitizer", ALL, ids=str)
def test_step_of_an_imbalanced_learn_pipeline(sanitizer):
    X, y = make_classification(n_samples=200, n_informative=5, weights=[0.7], random_state=0)
    pipeline = make_pipeline(SelectKBest(k=6), clone(sanitizer), LogisticRegression()).fit(X, y)
    step = pipeline[1]
    by_hand = LogisticRegression().fit(pipeline[0].transform(X)[step.sample_indices_], y[step.sample_indices_])
    np.testing.assert_allclose(pipeline[-1].coef_, by_hand.coef_)
    # At prediction time the sanitizer steps aside: every row gets an answer.
    assert pipeline.predict(X).shape == (200,)


@pytest.mark.parametrize("sanitizer", LABELS_OPTIONAL, ids=str)
def test_rows_without_labels_can_be_trimmed(sanitizer):
    X = np.random.default_rng(0).standard_normal((40, 3))
    kept, labels = sanitizer.fit_resample(X, None)
    assert kept.shape == (38, 3)
    assert labels is None
    np.testing.assert_array_equal(sanitizer.classes_, [0])
