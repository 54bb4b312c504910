"""Refusal of preparations and models that labels shape beyond what a label-flip certificate covers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline

from toadstone.core.arrays import Array, IntArray, Labels, Mask
from toadstone.core.errors import InvalidData
from toadstone.kernels.rows import class_masks

_SAME = 1e-6
"""Share of the largest score by which sums of scores may differ: solvers stop at about that."""

_PROBES = 300


def check_label_free(model: Any, X: Any, y: Labels, *, random_state: int = 0) -> None:
    """Check that labels enter a model only linearly, and not through the preparation of its rows.

    A label-flip certificate holds the preparation fixed. Each transformer is
    fitted with the labels and with permuted ones, and must give the same rows.
    The scores f of the classifier or regressor at the end must be linear in
    the labels: with some rows' labels permuted, others', and both,
    ``f(both) - f(some) - f(others) + f(none) = 0``.

    Parameters
    ----------
    model : estimator
        A transformer, a classifier or regressor, or a pipeline of them; not
        fitted here, but clones of it are.
    X : table of n rows
        As the model takes it.
    y : array_like of shape (n,)
    random_state : int
        Seed of the permutations.

    Raises
    ------
    InvalidData
        If a step depends on the labels, gives other rows each time, or is not
        linear in the labels. The message names it.

    Examples
    --------
    >>> from sklearn.feature_selection import SelectKBest
    >>> from sklearn.linear_model import RidgeClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> X = np.random.default_rng(0).normal(size=(40, 5))
    >>> check_label_free(make_pipeline(StandardScaler(), RidgeClassifier()), X, X[:, 0] > 0)
    >>> check_label_free(make_pipeline(SelectKBest(k=2), RidgeClassifier()), X, X[:, 0] > 0)
    Traceback (most recent call last):
    toadstone.core.errors.InvalidData: step 'selectkbest' (SelectKBest): expected a preparation without labels, got \
other rows with permuted labels; fit it on other rows, or leave it out
    """
    labels, rows = np.asarray(y), X
    rng = np.random.default_rng(random_state)
    for name, step in _steps(model):
        if hasattr(step, "fit_resample"):
            raise _refusal(name, step, "no step that adds or removes rows by their labels", "a sampler", "leave it out")
        _refuse_choices(name, step)
        if hasattr(step, "transform"):
            rows = _prepared(name, step, rows, labels, rng)
        else:
            _check_linear(name, step, rows, labels, rng)


def _steps(model: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(model, Pipeline):
        yield "model", model
        return
    for name, step in model.steps:
        if step is None or (isinstance(step, str) and step == "passthrough"):
            continue
        for inner, part in _steps(step):
            yield (f"{name}__{inner}" if isinstance(step, Pipeline) else name), part


def _refuse_choices(name: str, step: Any) -> None:
    """Refuse parameters and searches that look at labels by design, even where these data show no difference."""
    if type(step).__name__.endswith("CV") and hasattr(step, "predict"):
        raise _refusal(
            name,
            step,
            "a penalty that does not depend on the labels",
            "one that cross-validation chooses",
            "choose it on trusted rows or beforehand, and the counts hold for this lambda",
        )
    weights = step.get_params().get("class_weight") if hasattr(step, "get_params") else None
    if weights is not None:
        raise _refusal(
            name, step, "rows that weigh the same whatever their labels", "class weights", "set class_weight=None"
        )


def _prepared(name: str, step: Any, X: Any, y: Labels, rng: np.random.Generator) -> Any:
    """Return the transformed rows, if they are the same with other labels."""
    for inner, part in _parts(step):
        # Of several transformers side by side, the message names the one that looks at labels.
        _prepared(f"{name}__{inner}", part, X, y, rng)
    rows, again = _transformed(step, X, y), _transformed(step, X, y)
    if not all(map(_equal, rows, again)):
        raise _refusal(
            name, step, "the same rows each time", "others with the same labels", "set its random_state to a number"
        )
    for _ in range(2):
        if not all(map(_equal, rows, _transformed(step, X, rng.permutation(y)))):
            raise _refusal(
                name,
                step,
                "a preparation without labels",
                "other rows with permuted labels",
                "fit it on other rows, or leave it out",
            )
    return rows[0]


def _parts(step: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(step, FeatureUnion):
        yield from ((name, part) for name, part in step.transformer_list if hasattr(part, "fit"))
    if isinstance(step, ColumnTransformer) and len(step.transformers) > 1:
        for name, part, columns in step.transformers:
            if hasattr(part, "fit"):
                alone = clone(step).set_params(transformers=[(name, part, columns)], remainder="drop")
                yield name, alone


def _transformed(step: Any, X: Any, y: Labels) -> tuple[Any, Any]:
    """Return the rows as training sees them and as queries are transformed: target encoders differ in the two."""
    fitted = clone(step)
    trained = fitted.fit_transform(X, y)
    return trained, fitted.transform(X)


def _equal(one: Any, two: Any) -> bool:
    if issparse(one) != issparse(two) or np.shape(one) != np.shape(two):
        return False
    if issparse(one):
        return bool(abs(one - two).max() == 0)
    left, right = np.asarray(one), np.asarray(two)
    if left.dtype.kind not in "fc":
        return bool(np.array_equal(left, right))
    return bool(np.array_equal(left, right, equal_nan=True))


def _check_linear(name: str, step: Any, X: Any, y: Labels, rng: np.random.Generator) -> None:
    probes = X[np.sort(rng.permutation(len(y))[:_PROBES])]
    score = _scorer(name, step, X, probes)
    first = rng.random(len(y)) < 0.5
    some, others = _permuted(y, first, rng), _permuted(y, ~first, rng)
    both = np.where(first, some, others)
    parts = [score(labels) for labels in (both, some, others, y)]
    left = parts[0] - parts[1] - parts[2] + parts[3]
    if not np.abs(left).max() <= _SAME * max(np.abs(part).max() for part in parts):
        raise _refusal(
            name,
            step,
            "a model whose scores are linear in the labels",
            "one whose scores are not",
            "take ridge regression, kernel ridge, a kernel smoother or nearest neighbours, solved exactly",
        )


def _permuted(y: Labels, rows: Mask, rng: np.random.Generator) -> Labels:
    """Permute the labels of some rows among them, so that each class keeps its size."""
    changed = y.copy()
    places: IntArray = np.flatnonzero(rows)
    changed[places] = y[rng.permutation(places)]
    return changed


def _scorer(name: str, step: Any, X: Any, probes: Any) -> Callable[[Labels], Array]:
    method = next((m for m in ("decision_function", "predict_proba", "predict") if hasattr(step, m)), None)
    if method is None:
        raise _refusal(name, step, "a transformer, classifier or regressor", "neither", "leave it out")

    def score(labels: Labels) -> Array:
        fitted = clone(step).fit(X, labels)
        found = np.asarray(getattr(fitted, method)(probes))
        if found.dtype.kind in "biuf":
            return found.astype(np.float64)
        return np.stack([found == label for label in class_masks(labels)], axis=-1).astype(np.float64)

    return score


def _refusal(name: str, step: Any, expected: str, got: str, help_: str) -> InvalidData:
    return InvalidData(f"step {name!r} ({type(step).__name__}): expected {expected}, got {got}; {help_}")
