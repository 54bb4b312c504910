"""Issue managers of cleanlab's Datalab, with our thresholds."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any, ClassVar

import numpy as np
from scipy.special import logit
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import StrOptions

from toadstone.catalogue import unknown
from toadstone.core.arrays import Array, IntArray, Mask, Matrix
from toadstone.core.errors import InvalidArgument, missing_extra
from toadstone.detectors.adapters.library_calls import dense_rows, finite_scores, quietly
from toadstone.detectors.calibrated import Calibrated
from toadstone.detectors.features.outlying import Outlying
from toadstone.detectors.labels.classifiers import copies, shared
from toadstone.detectors.labels.cross_validation import OutOfFold
from toadstone.kernels.statistics.class_probabilities import SMALLEST
from toadstone.sanitizers.scored import ClassScorer

# By issue: how its score, where less is worse, becomes a suspicion without bounds.
_SUSPICIONS: dict[str, Callable[[Array], Array]] = {
    # Both scores fall exponentially with a distance, which the logarithm brings back.
    "outlier": lambda score: -np.log(np.maximum(score, SMALLEST)),
    "near_duplicate": lambda score: -np.log(np.maximum(score, SMALLEST)),
    # Half of one plus the Shapley value, which is small.
    "data_valuation": lambda score: 1.0 - 2.0 * score,
}
_LABEL = "label"


class CleanlabLabels(OutOfFold, Calibrated, ClassScorer, BaseEstimator):
    """Flag the rows that cleanlab counts as label issues, if they are beyond the threshold.

    Probabilities out of fold go to the issue manager ``label`` of cleanlab's
    Datalab [1]_. Candidates are the rows that it flags; their suspicion is the
    log odds of any other class against their own. Candidates beyond the
    threshold are flagged. Attributes that all detectors have are those of
    `Calibrated`.

    Parameters
    ----------
    estimator : classifier, optional
        Classifier to train; scikit-learn's logistic regression by default.
    folds : int, default=5
    false_alarm_rate : float, default=0.02
        Share of clean rows that may be flagged, in (0, 0.1].
    random_state : int, RandomState or None, default=0
        Seed of the folds.

    Attributes
    ----------
    model_ : classifier
        Trained on all rows, to score new ones.
    suspicion_ : ndarray of shape (n,)
        Log odds of any other class against a row's own, out of fold; not
        positive for rows that are no candidates.
    thresholds_ : ndarray of shape (n_classes,)
        All equal and never negative, but infinite for a label that occurs once.

    Raises
    ------
    InvalidArgument
        By `fit`, if cleanlab is not installed.
    InvalidData
        By `fit`, if cleanlab refuses the rows.

    References
    ----------
    .. [1] Northcutt, Jiang and Chuang, "Confident learning: estimating
       uncertainty in dataset labels", JAIR 70, 2021, section 3.

    Examples
    --------
    >>> X = np.concatenate([np.linspace(-3, -1, 50), np.linspace(1, 3, 50)])[:, None]
    >>> y = np.repeat(["ham", "spam"], 50)
    >>> y[7] = "spam"
    >>> CleanlabLabels().fit(X, y).flagged_indices_
    array([7])
    """

    _measure: ClassVar[str] = "log odds of another class out of fold, for a label issue of cleanlab,"

    def _fitted_suspicions(self, X: Matrix, codes: IntArray) -> Array:
        table = self._out_of_fold(X, codes)
        score, is_issue = _examine(_LABEL, codes, pred_probs=table)
        self._odds = np.asarray(-logit(np.clip(score, SMALLEST, 1 - SMALLEST)))
        return np.where(is_issue, self._odds, np.minimum(self._odds, 0.0))

    def _own_thresholds(self, classes: list[Mask]) -> Array:
        return self._pooled(classes, self._odds)


class CleanlabIssues(Outlying, Calibrated, ClassScorer, BaseEstimator):
    """Flag the rows that an issue manager of cleanlab's Datalab scores far lower than others of their class.

    The manager sees all rows; its scores get a threshold for each class, as
    those of all detectors do. Its own threshold has no effect. It scores the
    rows of `fit` only: other rows are refused. Managers whose scores are about
    the whole set, its order or missing values are not available:
    ``non_iid``, ``class_imbalance``, ``underperforming_group``, ``null``.
    Attributes that all detectors have are those of `Calibrated`.

    Parameters
    ----------
    issue : {"outlier", "near_duplicate", "data_valuation"}, default="outlier"
    false_alarm_rate : float, default=0.02
        Share of clean rows that may be flagged, in (0, 0.1].

    Attributes
    ----------
    suspicion_ : ndarray of shape (n,)
        Minus the logarithm of cleanlab's score; for data valuation minus the
        Shapley value.

    Raises
    ------
    InvalidArgument
        By `fit`, if cleanlab is not installed; by methods that score new rows.
    InvalidData
        By `fit`, if cleanlab refuses the rows, or gives scores that are not
        finite.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(400, 3))
    >>> X[:2] = [[12.0, 0.0, 0.0], [0.0, -12.0, 0.0]]
    >>> CleanlabIssues("outlier").fit(X, np.arange(400) % 2).flagged_indices_
    array([0, 1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Calibrated._parameter_constraints,
        "issue": [StrOptions(set(_SUSPICIONS))],
    }
    needs_labels: ClassVar[bool] = True
    _measure: ClassVar[str] = "score of cleanlab, as a distance,"

    def __init__(self, issue: str = "outlier", *, false_alarm_rate: float = 0.02) -> None:
        self.issue = issue
        self.false_alarm_rate = false_alarm_rate

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        score, _ = _examine(self.issue, codes, features=dense_rows(X, "cleanlab"))
        # Of equally near neighbours cleanlab takes the first; copies of a row get one suspicion in any order.
        self._found = shared(_SUSPICIONS[self.issue](score), copies(X) * len(self.classes_) + codes)

    def _fitted_suspicions(self, X: Matrix, codes: IntArray) -> Array:
        return self._found

    def _suspicion(self, X: Matrix, code: int) -> Array:
        raise InvalidArgument("X", "the rows of `fit`, which alone cleanlab scores (`suspicion_`)", "rows to score")


def named_cleanlab(issue: str) -> Callable[..., Any]:
    """Return what makes a detector of an issue manager of cleanlab.

    Parameters
    ----------
    issue : str
        Such as ``"label"`` or ``"outlier"``.

    Returns
    -------
    callable
        `CleanlabLabels`, or `CleanlabIssues` of that name.

    Raises
    ------
    UnknownName
        If there is no such manager, or it does not score rows.
    InvalidArgument
        If cleanlab is not installed.
    """
    known = (_LABEL, *_SUSPICIONS)
    if issue not in known:
        raise unknown("detectors", [f"cleanlab:{name}" for name in known], f"cleanlab:{issue}")
    _datalab()
    return CleanlabLabels if issue == _LABEL else partial(CleanlabIssues, issue)


def _examine(issue: str, codes: IntArray, **given: Array) -> tuple[Array, Mask]:
    """Return Datalab's score of each row, where less is worse, and whether it counts as an issue."""
    with quietly(f"cleanlab's {issue}"):
        lab = _datalab()({"label": codes}, label_name="label", verbosity=0)
        lab.find_issues(**given, issue_types={issue: {}})
        found = lab.get_issues(issue)
    score = finite_scores(found[f"{issue}_score"].to_numpy(), f"cleanlab's {issue}")
    return score, found[f"is_{issue}_issue"].to_numpy(dtype=bool)


def _datalab() -> Any:
    try:
        import_module("datasets")
        from cleanlab.datalab.datalab import Datalab
    except ModuleNotFoundError as missing:
        if missing.name not in ("cleanlab", "datasets"):
            raise
        needs = missing_extra("cleanlab", f"the package {missing.name}")
        raise InvalidArgument("detectors", "names of the core", f"a detector of cleanlab: it {needs}") from None
    return Datalab
