"""Training of one voter on its own rows, as a task that a pool of processes can take or a journal can keep."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
from sklearn.base import clone
from sklearn.dummy import DummyClassifier

from toadstone.core.arrays import IntArray, Labels, Matrix
from toadstone.kernels.statistics.row_digests import contents
from toadstone.kernels.votes.elections import ABSENT, ranked
from toadstone.kernels.votes.tallies import NO_VOTE

Map = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
"""The builtin `map`, or one that does the same in parallel or keeps results."""


@dataclass(frozen=True, eq=False)
class VoterTask:
    """Rows of one voter, and how to train it.

    Parameters
    ----------
    X : ndarray or CSR of shape (m, d)
        In an order that does not depend on the other rows.
    labels : ndarray of shape (m,)
    estimator : classifier
        Unfitted.
    seeds : tuple of int
        One for each model, of which a voter is the mean.
    classes : ndarray of shape (n_classes,)
    queries : ndarray or CSR of shape (q, d), optional
        Rows to vote about.
    about : str
        Digest of what all voters have in common.
    """

    X: Matrix
    labels: Labels
    estimator: Any
    seeds: tuple[int, ...]
    classes: Labels
    queries: Matrix | None = None
    about: str = ""

    @property
    def digest(self) -> str:
        """Digest of everything that the voter's votes depend on."""
        return digest_of(contents(self.X), self.about, self.labels, self.seeds)


class MeanModel:
    """Models of the same rows with different seeds, which vote as one.

    Their class probabilities are averaged, or their predictions, where they
    have no probabilities; the first class wins a tie.
    """

    def __init__(self, models: Sequence[Any]) -> None:
        self.models = list(models)
        self.classes_ = self.models[0].classes_

    def predict(self, X: Matrix) -> Labels:
        """Return the class of the largest mean for each row."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    def predict_proba(self, X: Matrix) -> Any:
        """Return the means for each row and class, shape (n, n_classes)."""
        if all(hasattr(model, "predict_proba") for model in self.models):
            return np.mean([model.predict_proba(X) for model in self.models], axis=0)
        return np.mean([model.predict(X)[:, None] == self.classes_ for model in self.models], axis=0)


def train_voter(task: VoterTask) -> Any:
    """Train the model of a voter; None without rows."""
    if not len(task.labels):
        return None
    # Most classifiers refuse rows of a single class; such a voter votes for it.
    if (task.labels == task.labels[0]).all():
        return DummyClassifier(strategy="most_frequent").fit(task.X, task.labels)
    models = []
    for seed in task.seeds:
        model = clone(task.estimator)
        seeds = {name: seed for name in model.get_params() if name.split("__")[-1] == "random_state"}
        models.append(model.set_params(**seeds).fit(task.X, task.labels))
    return models[0] if len(models) == 1 else MeanModel(models)


def vote(task: VoterTask) -> IntArray:
    """Train a voter, and return its votes about the task's queries as class positions."""
    return votes_of(train_voter(task), task.queries, task.classes)


def rank(task: VoterTask) -> Any:
    """Train a voter, and return its ranks of the classes for the task's queries."""
    return ranks_of(train_voter(task), task.queries, task.classes)


def trained_outputs(task: VoterTask, *, rows: Matrix) -> Any:
    """Train a voter, and return its finest output about rows."""
    return outputs_of(train_voter(task), rows)


def digest_of(rows: Sequence[bytes], *others: object) -> str:
    """Return a digest of contents of rows and of other objects, of which estimators are hashed with all parameters."""
    found = hashlib.sha256(joblib.hash(others).encode())
    for row in rows:
        # With its length, or else two rows could be taken for one.
        found.update(len(row).to_bytes(8, "big") + row)
    return found.hexdigest()


def votes_of(model: Any, X: Matrix, classes: Labels) -> IntArray:
    """Return a model's votes as class positions, -1 without a model."""
    if model is None:
        return np.full(X.shape[0], NO_VOTE)
    return np.asarray(np.searchsorted(classes, model.predict(X)), dtype=np.int64)


def ranks_of(model: Any, X: Matrix, classes: Labels) -> Any:
    """Return a model's ranks of all classes, shape (q, n_classes): by its scores, or by its vote where it has none.

    Classes that the model has not seen come last, and lower classes first on
    a tie.
    """
    if model is None:
        return np.full((X.shape[0], len(classes)), ABSENT, dtype=np.uint8)
    found = np.asarray(outputs_of(model, X))
    if found.dtype.kind == "f" and found.ndim == 1 and len(model.classes_) == 2:
        found = np.column_stack([-found, found])
    if found.dtype.kind != "f" or found.shape != (X.shape[0], len(model.classes_)):
        return ranked((classes == np.asarray(model.predict(X))[:, None]).astype(np.float64))
    scores = np.full((X.shape[0], len(classes)), -np.inf)
    scores[:, np.searchsorted(classes, model.classes_)] = found
    return ranked(scores)


def outputs_of(model: Any, X: Matrix) -> Any:
    """Return the finest output that a model has."""
    method = next(name for name in ("predict_proba", "decision_function", "predict") if hasattr(model, name))
    return getattr(model, method)(X)
