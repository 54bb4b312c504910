"""Steps that look at labels are refused by name; steps that do not are let through."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier, RidgeClassifierCV
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler, TargetEncoder
from sklearn.svm import LinearSVC

from toadstone.certificates.pointwise.label_free import check_label_free
from toadstone.core.errors import InvalidData
from toadstone.learners import (
    KernelRidgeClassifier,
    KernelSmootherClassifier,
    NeighbourVoteClassifier,
    OneHotRidgeClassifier,
    PatchFeatures,
)


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 150)
    X = rng.normal(size=(150, 9)) + 1.5 * np.eye(9)[y]
    return X, np.array(["ape", "bee", "cat"])[y]


class Resampler(StandardScaler):
    def fit_resample(self, X, y):
        return X, y


CLEAN = [
    make_pipeline(StandardScaler(), OneHotRidgeClassifier()),
    make_pipeline(VarianceThreshold(), "passthrough", PCA(3, random_state=0), RidgeClassifier()),
    make_pipeline(make_pipeline(StandardScaler(), PCA(2)), KNeighborsClassifier()),
    make_pipeline(FunctionTransformer(csr_array), OneHotRidgeClassifier(bias="none")),
    FeatureUnion([("plain", "passthrough"), ("few", PCA(2, random_state=0))]),
    PatchFeatures(n_centroids=3, patch_size=2, n_patches=50),
    KernelRidgeClassifier(gamma=0.1),
    KernelSmootherClassifier(gamma=0.1),
    NeighbourVoteClassifier(),
]
BAD = [
    (make_pipeline(SelectKBest(k=2), RidgeClassifier()), r"step 'selectkbest' \(SelectKBest\): .*permuted labels"),
    (make_pipeline(make_pipeline(SelectKBest(k=2)), RidgeClassifier()), "step 'pipeline__selectkbest'"),
    (
        FeatureUnion([("all", StandardScaler()), ("best", SelectKBest(k=2))]),
        r"step 'model__best' \(SelectKBest\): expected a preparation",
    ),
    (
        ColumnTransformer([("plain", StandardScaler(), [0, 1]), ("best", SelectKBest(k=1), [2, 3, 4, 5])]),
        "step 'model__best'",
    ),
    (make_pipeline(LinearDiscriminantAnalysis(), RidgeClassifier()), "'lineardiscriminantanalysis'.*permuted labels"),
    (RidgeClassifierCV(alphas=[0.1, 1.0, 10.0]), "cross-validation chooses; .* for this lambda"),
    (GridSearchCV(Ridge(), {"alpha": [1.0]}), "cross-validation chooses"),
    (RidgeClassifier(class_weight="balanced"), r"\(RidgeClassifier\): .*got class weights; set class_weight=None"),
    (make_pipeline(Resampler(), RidgeClassifier()), "adds or removes rows by their labels"),
    (LogisticRegression(), r"\(LogisticRegression\): expected a model whose scores are linear in the labels"),
    (LinearSVC(random_state=0), "linear in the labels"),
    (FunctionTransformer(lambda X: X + np.random.default_rng().normal(size=X.shape)), "the same rows each time"),
    (object.__new__(type("Nothing", (), {})), "expected a transformer, classifier or regressor, got neither"),
]


@pytest.mark.parametrize("model", CLEAN, ids=lambda model: type(model).__name__)
def test_what_looks_at_no_label_is_let_through(model, table):
    check_label_free(model, *table)


@pytest.mark.parametrize(("model", "message"), BAD, ids=[message for _, message in BAD])
def test_what_looks_at_labels_is_refused_by_name(model, message, table):
    with pytest.raises(InvalidData, match=message):
        check_label_free(model, *table)


def test_numeric_targets():
    X = np.random.default_rng(0).normal(size=(60, 3))
    y = X[:, 0] ** 3
    check_label_free(make_pipeline(StandardScaler(), Ridge()), X, y)
    check_label_free(KernelRidge(kernel="rbf"), X, y)
    check_label_free(OneHotRidgeClassifier(), X, y > 0)


def test_target_encoding_and_texts():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 80)
    colours = np.array(["red", "green", "blue"])[(y + rng.integers(0, 2, 80)) % 3][:, None]
    with pytest.raises(InvalidData, match=r"step 'targetencoder' \(TargetEncoder\)"):
        check_label_free(make_pipeline(TargetEncoder(), RidgeClassifier()), colours, y)
    texts = [f"a {word} thing" for word in colours[:, 0]]
    check_label_free(make_pipeline(TfidfVectorizer(), OneHotRidgeClassifier()), texts, y)
    with pytest.raises(InvalidData, match="'selectkbest'"):
        check_label_free(make_pipeline(TfidfVectorizer(), SelectKBest(k=1), RidgeClassifier()), texts, y)
