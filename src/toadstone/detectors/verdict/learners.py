"""The learners of the stack: each gives every row the probability of each label without having seen the row's own."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors
from sklearn.tree import DecisionTreeClassifier

from toadstone.core.arrays import Array, IntArray, Mask, Matrix
from toadstone.detectors.verdict.rows import LabelledRows
from toadstone.kernels.statistics.class_probabilities import probabilities
from toadstone.kernels.statistics.neighbour_vote import draw_voters
from toadstone.learners.boosters import wrap_booster
from toadstone.learners.given_models import failing_in_words

_FOLDS = 5
_MOST_CELLS, _FEWEST_ROWS, _MOST_ROWS = 4_000_000, 2000, 20_000
_ROUNDS = 200
_TREES, _FEWEST_TREES, _LEAF, _MOST_IN_A_BAG = 300, 64, 2, 4096
_NEIGHBOURS, _MOST_VOTERS = 15, 4096
_QUERIES_AT_ONCE = 4096


def logistic(rows: LabelledRows) -> Array:
    """Predict by logistic regression, out of fold, shape (n, n_classes)."""
    columns = rows.scaled.shape[1] if isinstance(rows.scaled, np.ndarray) else rows.scaled.nnz / len(rows.codes)
    most = int(np.clip(_MOST_CELLS / max(columns, 1), _FEWEST_ROWS, _MOST_ROWS))
    # Words are rare and rows of length one: less shrinkage suits them.
    strength = 1.0 if isinstance(rows.scaled, np.ndarray) else 10.0
    rounds = max(8, _ROUNDS // rows.n_classes) if rows.n_classes > 16 else _ROUNDS
    return _out_of_fold(LogisticRegression(C=strength, max_iter=rounds), rows.scaled, rows, most)


def given(estimator: Any, rows: LabelledRows) -> Array:
    """Predict by a classifier of the user's, on the rows as they are, out of fold, shape (n, n_classes).

    Raises
    ------
    InvalidInput
        If the classifier fails.
    """

    def in_words(step: str) -> AbstractContextManager[Any]:
        return failing_in_words("estimators", type(estimator).__name__, step)

    return _out_of_fold(wrap_booster(estimator), rows.X, rows, len(rows.codes), in_words)


def neighbours(rows: LabelledRows) -> Array:
    """Predict by the vote of the nearest other rows, smoothed by the prior, shape (n, n_classes)."""
    first, counts = _first(rows.cells), rows.counts()
    voters, stands_for = draw_voters(rows.codes[first], _MOST_VOTERS, np.random.default_rng(rows.seed))
    votes = counts[voters] * stands_for[:, None]
    index = NearestNeighbors(n_neighbors=min(_NEIGHBOURS + 1, len(voters)), algorithm="brute")
    index.fit(rows.dense[first[voters]])
    # Equal rows vote on each other only where most coincide by chance; a copy has its label by the same hand.
    equal = np.maximum(counts.sum(axis=1) - 1, 0) if rows.copies_coincide else np.zeros(len(first))
    found = np.empty_like(counts)
    for start in range(0, len(first), _QUERIES_AT_ONCE):
        part = np.arange(start, min(start + _QUERIES_AT_ONCE, len(first)))
        near = index.kneighbors(rows.dense[first[part]], return_distance=False)
        found[part] = _votes(near, voters[near] != part[:, None], votes, _NEIGHBOURS - equal[part])
    prior = counts.sum(axis=0) / counts.sum()
    table = found[rows.cells] + prior
    if rows.copies_coincide:
        table += counts[rows.cells]
        table[np.arange(len(rows.codes)), rows.codes] -= 1
    return np.asarray(table / table.sum(axis=1, keepdims=True))


def _votes(near: IntArray, others: Mask, votes: Array, wanted: Array) -> Array:
    """Add up the votes of the nearest voters until as many are counted as each row wants."""
    mass = votes.sum(axis=1)
    before = np.cumsum(np.where(others, mass[near], 0.0), axis=1) - mass[near]
    counted = np.where(others, np.clip(wanted[:, None] - before, 0.0, mass[near]), 0.0) / mass[near]
    ends = np.arange(len(near) + 1) * near.shape[1]
    shares = csr_array((counted.ravel(), near.ravel(), ends), shape=(len(near), len(votes)))
    return np.asarray((shares @ csr_array(votes)).toarray())


def forest(rows: LabelledRows) -> Array:
    """Predict by a random forest, out of bag: bags are of distinct rows, copies together, shape (n, n_classes)."""
    rng = np.random.default_rng(rows.seed)
    first, X = _first(rows.groups), np.ascontiguousarray(rows.dense, dtype=np.float32)
    n_groups, trusted = len(first), rows.trusted[first]
    sums, voters = np.zeros((n_groups, rows.n_classes)), np.zeros(n_groups)
    trees = int(np.clip(_TREES * _MOST_IN_A_BAG / n_groups, _FEWEST_TREES, _TREES))
    # A trusted row is out of one bag in five, and in the others.
    turn = rng.permutation(n_groups) % _FOLDS
    for tree in range(trees):
        drawn = rng.integers(n_groups, size=min(n_groups, _MOST_IN_A_BAG))
        times = np.bincount(drawn, minlength=n_groups)
        times[trusted] = turn[trusted] != tree % _FOLDS
        inside, outside = np.flatnonzero(times[rows.groups]), np.flatnonzero(times == 0)
        if not outside.size:
            continue
        grown = DecisionTreeClassifier(
            max_features="sqrt", min_samples_leaf=_LEAF, random_state=int(rng.integers(2**31))
        )
        grown.fit(X[inside], rows.codes[inside], sample_weight=times[rows.groups[inside]].astype(float))
        leaves = grown.tree_.predict(X[first[outside]])
        sums[np.ix_(outside, grown.classes_)] += leaves.reshape(len(outside), -1)
        voters[outside] += 1
    prior = np.bincount(rows.codes, minlength=rows.n_classes) / len(rows.codes)
    sums[voters == 0] = prior
    return np.asarray((sums / np.maximum(voters, 1)[:, None])[rows.groups])


def _first(numbers: IntArray) -> IntArray:
    """Return the first row of each number."""
    return np.asarray(np.unique(numbers, return_index=True)[1])


def _out_of_fold(
    estimator: Any,
    X: Matrix,
    rows: LabelledRows,
    most: int,
    watched: Callable[[str], AbstractContextManager[Any]] = nullcontext,
) -> Array:
    rng = np.random.default_rng(rows.seed)
    found = np.empty((len(rows.codes), rows.n_classes))
    for inside, outside in rows.folds(_FOLDS):
        known = _thinned(inside, rows, most, rng)
        present, codes = np.unique(rows.codes[known], return_inverse=True)
        if len(present) == 1:
            table = np.ones((len(outside), 1))
        else:
            with warnings.catch_warnings(), watched("fit"):
                # Stopping early is meant: the weights of the stack correct how sure a learner is.
                warnings.simplefilter("ignore", ConvergenceWarning)
                model = clone(estimator).fit(X[known], codes)
            with watched("predict"):
                table = probabilities(model, X[outside], np.arange(len(present)))
                if table.shape != (len(outside), len(present)):
                    raise ValueError(f"predictions of shape {table.shape} for {len(outside)} rows")
                if not (np.isfinite(table).all() and table.min() >= 0 and table.sum(axis=1).min() > 0):
                    raise ValueError("probabilities that are negative, all zero or not finite")
        found[outside] = 0.0
        found[np.ix_(outside, present)] = table
    return found


def _thinned(inside: IntArray, rows: LabelledRows, most: int, rng: np.random.Generator) -> IntArray:
    """Draw some of the rows to train on, the trusted ones always among them."""
    if len(inside) <= most:
        return inside
    trusted = inside[rows.trusted[inside]]
    others = inside[~rows.trusted[inside]]
    drawn = rng.choice(
        others, size=max(min(len(others), most - len(trusted)), min(len(others), most // 2)), replace=False
    )
    return np.sort(np.concatenate([trusted, drawn]))
