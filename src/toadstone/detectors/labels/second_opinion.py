"""A second opinion on labels, by a random forest: whether a detector's model fits, and what right labels look like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.detectors.labels.classifiers import copies, stratified_folds, train
from toadstone.detectors.out_of_bag import label_chances
from toadstone.kernels.statistics.class_probabilities import out_of_fold
from toadstone.kernels.statistics.label_noise import LabelNoise, label_noise, pool_chances

MISFIT = (
    "this model does not fit these data: a random forest predicts the labels of rows that it has not seen far better, "
    "and the model adds nothing to it, so that its contradictions say nothing about the labels"
)

_MOST_ROWS, _MOST_CLASSES, _FOLDS = 2000, 50, 5
_TREES, _LEAF = 60, 5
_PRIOR = 0.03


@dataclass(frozen=True, eq=False)
class SecondOpinion:
    """Judgement of labels by a detector's model and a random forest together.

    Parameters
    ----------
    rows : ndarray of int
        Rows that were judged: all, or a sample of 2000.
    noise : LabelNoise
        Share of wrong labels, and the chances of each class for these rows.
    misfit : str
        Why the model says nothing about the labels; empty where it fits.
    """

    rows: IntArray
    noise: LabelNoise
    misfit: str = ""


def sampled(codes: IntArray) -> IntArray:
    """Return the rows that a second opinion is formed on, ascending: all of few, else a sample by a fixed seed."""
    if len(codes) <= _MOST_ROWS:
        return np.arange(len(codes))
    return np.sort(np.random.default_rng(0).choice(len(codes), _MOST_ROWS, replace=False))


def second_opinion(X: Matrix, codes: IntArray, table: Array, rows: IntArray) -> SecondOpinion:
    """Compare a model's probabilities with those of a random forest, and pool them.

    A linear model that cannot represent the classes contradicts right labels
    with confidence, and nothing in its own probabilities tells these
    contradictions from wrong labels. The forest's probabilities are out of
    bag.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    codes : ndarray of shape (n,)
        Label of each row, counted from zero.
    table : ndarray of shape (m, n_classes)
        Probabilities of `rows` by the model, which has not seen them.
    rows : ndarray of int of shape (m,)

    Returns
    -------
    SecondOpinion
        With more than 50 classes that of the model alone.
    """
    if len(np.unique(codes[rows])) < 2 or table.shape[1] > _MOST_CLASSES:
        return SecondOpinion(rows, label_noise(table, codes[rows]))
    pooled = pool_chances(table, _forest(X[rows], codes[rows], table.shape[1]), codes[rows])
    return SecondOpinion(rows, pooled.noise, "" if pooled.fits else MISFIT)


def held_out(estimator: Any, X: Matrix, codes: IntArray, rows: IntArray, n_classes: int) -> Array:
    """Return the probabilities of some rows by copies of a classifier that are trained on the others of them."""
    some, labels = X[rows], codes[rows]
    folds = stratified_folds(labels, copies(some), _FOLDS, np.random.default_rng(0))
    return out_of_fold(lambda part: train(estimator, some, labels, part), some, np.arange(n_classes), folds)


def _forest(X: Matrix, codes: IntArray, n_classes: int) -> Array:
    """Return out-of-bag probabilities, none of which is zero for a class that has rows."""
    forest = RandomForestClassifier(_TREES, min_samples_leaf=_LEAF, random_state=0)
    shares = np.bincount(codes, minlength=n_classes) / len(codes)
    # That no tree of sixty has a class is no proof.
    return (1 - _PRIOR) * label_chances(forest, X, codes, n_classes) + _PRIOR * shares
