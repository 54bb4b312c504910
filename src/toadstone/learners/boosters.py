"""Classifiers of XGBoost, LightGBM and CatBoost, with labels of any kind and sparse rows of any kind."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy.sparse import csr_matrix, issparse
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier
from sklearn.pipeline import Pipeline

from toadstone.core.arrays import Array, Labels

_LIBRARIES = frozenset({"xgboost", "lightgbm", "catboost"})


class WrappedBooster(ClassifierMixin, BaseEstimator):
    """Number the classes, and hand sparse rows over as a matrix, for a classifier of another library.

    XGBoost wants labels 0, 1, 2; LightGBM and CatBoost refuse the sparse
    arrays of SciPy and take its older sparse matrices.

    Parameters
    ----------
    estimator : classifier

    Attributes
    ----------
    estimator_ : classifier
        Trained with the position of each label in `classes_`.
    classes_ : ndarray of shape (n_classes,)
        Sorted labels.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> model = WrappedBooster(DecisionTreeClassifier()).fit([[0.0], [1.0]], ["ham", "spam"])
    >>> model.predict([[0.9]]), model.estimator_.classes_
    (array(['spam'], dtype='<U4'), array([0, 1]))
    """

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, X: Any, y: Labels, sample_weight: Array | None = None) -> Self:
        """Train a copy of the classifier.

        Parameters
        ----------
        X : matrix or data frame of n rows
        y : array_like of shape (n,)
        sample_weight : ndarray of shape (n,), optional
        """
        self.classes_, codes = np.unique(np.asarray(y), return_inverse=True)
        weight = {} if sample_weight is None else {"sample_weight": sample_weight}
        self.estimator_ = clone(self.estimator).fit(_handed(X), codes, **weight)
        return self

    def predict(self, X: Any) -> Labels:
        """Predict the label of each row, shape (n,)."""
        return np.asarray(self.classes_[np.ravel(self.estimator_.predict(_handed(X))).astype(np.int64)])

    def predict_proba(self, X: Any) -> Array:
        """Predict the probability of each class, shape (n, n_classes)."""
        return np.asarray(self.estimator_.predict_proba(_handed(X)))


def wrap_booster(model: Any) -> Any:
    """Wrap a classifier of a boosting library, or a pipeline's last step that is one; return others as they are.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> wrap_booster(DecisionTreeClassifier())
    DecisionTreeClassifier()
    """
    if isinstance(model, Pipeline) and model.steps:
        name, last = model.steps[-1]
        wrapped = wrap_booster(last)
        return model if wrapped is last else clone(model).set_params(**{name: wrapped})
    boosts = type(model).__module__.partition(".")[0] in _LIBRARIES
    return WrappedBooster(model) if boosts and is_classifier(model) else model


def _handed(X: Any) -> Any:
    return csr_matrix(X) if issparse(X) else X
