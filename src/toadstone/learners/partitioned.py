"""Deep partition aggregation: a vote of models trained on disjoint parts of the rows."""

from __future__ import annotations

from hashlib import blake2b
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.dummy import DummyClassifier
from sklearn.utils._param_validation import HasMethods, Interval

from toadstone.core.arrays import IntArray, Labels, Matrix
from toadstone.kernels.statistics.row_digests import contents
from toadstone.learners.linear import LinearClassifier
from toadstone.learners.linear_scores import SparseClassifier, rows_to_fit, rows_to_predict


class PartitionVoteClassifier(SparseClassifier, BaseEstimator):
    """A majority vote of models, each trained on one part of the rows.

    The part of a row is a hash of its features, so a row that is added,
    removed or relabelled changes one model only [1]_. The rows of a part are
    sorted by their hashes, and the number of the part is the seed, so the
    order of the rows does not matter either. The guarantee holds only if a
    model uses nothing but its own rows: scaling and feature selection belong
    into the estimator. For overlapping bags, which carry no guarantee, use
    scikit-learn's `BaggingClassifier` with a small `max_samples`.

    Parameters
    ----------
    estimator : classifier, optional
        The model to train; `LinearClassifier` by default. Each of its
        `random_state` parameters is set to the number of the part.
    n_partitions : int, default=25
        Number of parts.

    Attributes
    ----------
    models_ : list of (classifier or None)
        One for each part; None for a part without rows, which does not vote.
    sizes_ : ndarray of int of shape (n_partitions,)
        Number of rows in each part.
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int

    References
    ----------
    .. [1] Levine and Feizi, "Deep partition aggregation", ICLR 2021,
       algorithm 1.

    Examples
    --------
    >>> X = np.arange(-30.0, 30.0)[:, None]
    >>> classifier = PartitionVoteClassifier(n_partitions=3).fit(X, np.arange(60) >= 30)
    >>> classifier.votes([[-20.0], [20.0]])
    array([[3, 0],
           [0, 3]])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "n_partitions": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, *, estimator: Any = None, n_partitions: int = 25) -> None:
        self.estimator = estimator
        self.n_partitions = n_partitions

    def fit(self, X: Matrix, y: Labels) -> Self:
        """Train a model on each part.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
        y : array_like of shape (n,)
            Labels of at least two classes.

        Returns
        -------
        PartitionVoteClassifier
            The fitted estimator.

        Raises
        ------
        InvalidData
            If there is a single class.
        """
        matrix, codes, _ = rows_to_fit(self, X, y)
        labels = self.classes_[codes]
        # Of the features only: a row that moved to another part with its label would change two models.
        digests = [blake2b(content, digest_size=16).digest() for content in contents(matrix)]
        parts = np.array([int.from_bytes(digest[:8], "big") % self.n_partitions for digest in digests])
        # Rows that are equal but for their labels have one digest: the label settles their order.
        canonical = np.array(sorted(range(len(codes)), key=lambda row: (digests[row], codes[row])))
        ordered = parts[canonical]
        self.sizes_ = np.bincount(parts, minlength=self.n_partitions)
        self.models_ = [
            self._train(matrix, labels, canonical[ordered == part], part) for part in range(self.n_partitions)
        ]
        return self

    def votes(self, X: Matrix) -> IntArray:
        """Count the models that predict each class.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)

        Returns
        -------
        ndarray of int of shape (n, n_classes)
            Each row sums to the number of parts that have rows.
        """
        matrix = rows_to_predict(self, X)
        counts = np.zeros((matrix.shape[0], len(self.classes_)), dtype=np.int64)
        for model in self.models_:
            if model is not None:
                counts[np.arange(len(counts)), np.searchsorted(self.classes_, model.predict(matrix))] += 1
        return counts

    def predict(self, X: Matrix) -> Labels:
        """Return the label with the most votes for each row, the first on a tie."""
        codes = self.votes(X).argmax(axis=1)
        return np.asarray(self.classes_[codes])

    def _train(self, X: Matrix, labels: Labels, rows: IntArray, part: int) -> Any:
        if not rows.size:
            return None
        # Most classifiers refuse rows of a single class; such a part votes for it.
        if (labels[rows] == labels[rows[0]]).all():
            return DummyClassifier(strategy="most_frequent").fit(X[rows], labels[rows])
        model = LinearClassifier(tolerance=1e-6) if self.estimator is None else clone(self.estimator)
        seeds = {name: part for name in model.get_params() if name.split("__")[-1] == "random_state"}
        return model.set_params(**seeds).fit(X[rows], labels[rows])
