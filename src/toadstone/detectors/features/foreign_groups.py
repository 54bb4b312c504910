"""Groups of rows far from the rest of their class: foreign to it, scattered, or natural clusters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import issparse
from sklearn.ensemble import RandomForestClassifier

from toadstone.core.arrays import Array, IntArray, Mask, Matrix
from toadstone.detectors.out_of_bag import label_chances
from toadstone.kernels.statistics.thresholds import beyond_gap
from toadstone.kernels.verdict.evidence import Evidence, area_under_curve, foreign_share, less_than

_FEWEST, _MOST_ROWS = 5, 2000
_SAME, _IN_GROUP, _ELSEWHERE = 0.05, 0.8, 0.4
_FEW_COLUMNS, _COLUMN_SHARE = 8, 0.3
_NEARBY, _CLOSE = 0.25, 0.5


def is_foreign(X: Matrix, members: Mask, group: Mask) -> bool:
    """Tell whether a group of rows of a class repeats some values, and belongs elsewhere but for these.

    A trigger is set on rows of other classes: the group has the same values in
    a few columns, and by all other columns its rows look like the rest of
    other classes, among which they do not stand out. A natural cluster looks
    like its class, or like itself.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    members : ndarray of bool of shape (n,)
        Rows of the class.
    group : ndarray of bool of shape (n,)
        Rows of the group, all in the class.

    Returns
    -------
    bool
        False where too little can be told, as without a second class.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> members = np.arange(600) < 300
    >>> X = rng.normal(size=(600, 6)) + 3.0 * members[:, None] * (np.arange(6) < 2)
    >>> group = np.arange(600) < 30
    >>> natural = is_foreign(X, members, group)
    >>> X[:30, :2] -= 3.0
    >>> X[:30, 4:] = 4.0
    >>> natural, is_foreign(X, members, group)
    (False, True)
    """
    if np.count_nonzero(group) < _FEWEST or np.count_nonzero(~members) < _FEWEST:
        return False
    rows = _drawn(group)
    values = np.asarray(X[rows].toarray() if issparse(X) else X[rows])
    group, members = group[rows], members[rows]
    hidden = _repeated(values, group)
    if not 2 <= np.count_nonzero(hidden) <= max(_FEW_COLUMNS, _COLUMN_SHARE * values.shape[1]) or hidden.all():
        return False
    rest, shown = ~group, values[:, ~hidden]
    forest, usual = _chances(shown[rest], members[rest])
    found = forest.predict_proba(shown[group])[:, 1]
    own, others = usual[members[rest]], usual[~members[rest]]
    evidence = Evidence(less_than(found, own), foreign_share(found, own, others), area_under_curve(own, others), 0.0)
    if not evidence.convicts:
        return False
    beside = group | ~members
    _, told = _chances(shown[beside], group[beside])
    return replace(evidence, predictable=area_under_curve(told[group[beside]], told[~group[beside]])).convicts


def is_scattered(X: Matrix, group: Mask) -> bool:
    """Tell whether rows far from the centre of their class lie apart from each other, and not in clusters.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
        Rows of one class.
    group : ndarray of bool of shape (n,)

    Returns
    -------
    bool
        True if a quarter of the group is farther from a row of it than half
        of that row's distance to the centre of the others, for most rows;
        and for fewer than five rows, which are no cluster.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(300, 8))
    >>> group = np.arange(300) < 20
    >>> X[:20] *= 6
    >>> apart = is_scattered(X, group)
    >>> X[:20] = X[:20] / 6 + 9
    >>> apart, is_scattered(X, group)
    (True, False)
    """
    if np.count_nonzero(group) < _FEWEST:
        return True
    if group.all():
        return False
    far = X[np.flatnonzero(group)[:_MOST_ROWS]]
    far = np.asarray(far.toarray() if issparse(far) else far)
    centre = np.asarray(X[~group].mean(axis=0)).ravel()
    out = np.linalg.norm(far - centre, axis=1)
    squares = (far**2).sum(axis=1)
    between = np.sqrt(np.maximum(squares[:, None] + squares - 2 * far @ far.T, 0.0))
    nearby = np.sort(between, axis=1)[:, max(1, int(_NEARBY * len(far)))]
    return bool(np.median(nearby / np.maximum(out, 1e-300)) > _CLOSE)


def is_far(X: Matrix, group: Mask) -> bool:
    """Tell whether a gap parts the distances of a group to the centre of the others from theirs.

    A model of the others can put rows at any distance for a value that is rare
    among them, such as a category; in the space of the rows they are no
    farther away than others.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
        Rows of one class.
    group : ndarray of bool of shape (n,)
        At most a quarter of the rows, see `beyond_gap`.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(100, 8))
    >>> group = np.arange(100) < 20
    >>> near = is_far(X, group)
    >>> X[:20] *= 90
    >>> near, is_far(X, group)
    (False, True)
    """
    centre = np.asarray(X[~group].mean(axis=0)).ravel()
    if issparse(X):
        squares = np.asarray(X.multiply(X).sum(axis=1)).ravel() - 2 * (X @ centre) + centre @ centre
    else:
        squares = ((X - centre) ** 2).sum(axis=1)
    return bool(beyond_gap(squares)[group].all())


def _drawn(group: Mask) -> IntArray:
    """Return all rows of a group and a sample of the others, ascending."""
    others = np.flatnonzero(~group)
    if len(others) > _MOST_ROWS:
        others = np.random.default_rng(0).choice(others, _MOST_ROWS, replace=False)
    return np.sort(np.concatenate([np.flatnonzero(group)[:_MOST_ROWS], others]))


def _repeated(values: Array, group: Mask) -> Mask:
    """Return a mask of the columns in which most of a group has one value, and few others have it."""
    near = np.abs(values - np.median(values[group], axis=0)) <= _SAME * values.std(axis=0)
    return np.asarray((near[group].mean(axis=0) >= _IN_GROUP) & (near[~group].mean(axis=0) <= _ELSEWHERE))


def _chances(X: Array, marked: Mask) -> tuple[RandomForestClassifier, Array]:
    """Train a forest to tell marked rows, and return it with the out-of-bag probability that each row is marked."""
    forest = RandomForestClassifier(100, min_samples_leaf=2, random_state=0)
    return forest, label_chances(forest, X, marked.astype(np.int64), 2)[:, 1]
