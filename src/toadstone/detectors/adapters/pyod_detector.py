"""Any detector of PyOD, fitted to each class, with our thresholds."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from importlib import import_module
from inspect import Parameter, signature
from io import StringIO
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.utils._param_validation import HasMethods

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.checks import did_you_mean
from toadstone.core.errors import InvalidArgument, UnknownName, missing_extra
from toadstone.detectors.adapters.library_calls import dense_rows, finite_scores, quietly
from toadstone.detectors.calibrated import Calibrated
from toadstone.detectors.features.outlying import Outlying
from toadstone.detectors.labels.classifiers import copies, shared
from toadstone.kernels.rows import column_extremes
from toadstone.sanitizers.labelled import memberships
from toadstone.sanitizers.scored import ClassScorer, draw_seed

_FEWEST_ROWS = 30
# By name: why one is refused, though PyOD counts it among those for tables.
_REFUSED = {
    "XGBOD": "it learns from outliers that are known",
    "DevNet": "it learns from outliers that are known",
    "SO_GAAL": "it draws at random and takes no seed",
    "MO_GAAL": "it draws at random and takes no seed",
}


class PyODDetector(Outlying, Calibrated, ClassScorer, OutlierMixin, BaseEstimator):
    """Flag the rows that a detector of PyOD [1]_ finds unusual in their class, at our false-alarm rate.

    A copy of the detector is fitted to the rows of each class, and its scores
    get thresholds as those of all detectors do; PyOD's own threshold, a fixed
    share of the rows (`contamination`), has no effect. A class of fewer than
    30 rows, or without two distinct ones, is not judged. PyOD takes dense rows
    only: a class of sparse rows is filled out if that takes no more than
    512 MiB. Time and memory of some detectors grow with the square of the
    number of rows. Attributes that all detectors have are those of
    `Calibrated`.

    Parameters
    ----------
    method : str or detector of PyOD, default="ECOD"
        A name such as ``"COPOD"``, for a detector at PyOD's defaults, or an
        unfitted detector.
    false_alarm_rate : float, default=0.02
        Share of clean rows that may be flagged, in (0, 0.1].
    random_state : int, RandomState or None, default=0
        Seed of detectors that draw at random, where `method` has none.

    Attributes
    ----------
    detectors_ : list of detector of PyOD, or None
        For each class; None for one that is not judged.
    suspicion_ : ndarray of shape (n,)
        PyOD's outlier score of each training row; zero in classes that are
        not judged.

    Raises
    ------
    UnknownName
        By `fit`, if PyOD has no such detector.
    InvalidArgument
        By `fit`, if PyOD is not installed, or the detector needs more than
        rows and a seed.
    InvalidData
        By `fit`, if the detector refuses the rows, or gives scores that are
        not finite.

    References
    ----------
    .. [1] Zhao, Nasrullah and Li, "PyOD: a Python toolbox for scalable
       outlier detection", JMLR 20, 2019.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(400, 3))
    >>> X[:4] = 12.0
    >>> PyODDetector("PCA").fit(X).flagged_indices_
    array([0, 1, 2, 3])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Calibrated._parameter_constraints,
        "method": [str, HasMethods(["fit", "decision_function", "get_params"])],
        "random_state": ["random_state"],
    }
    _measure: ClassVar[str] = "outlier score of PyOD"

    def __init__(
        self,
        method: Any = "ECOD",
        *,
        false_alarm_rate: float = 0.02,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.method = method
        self.false_alarm_rate = false_alarm_rate
        self.random_state = random_state

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        made = _kind_of(self.method)() if isinstance(self.method, str) else clone(self.method)
        self._name = f"PyOD's {type(made).__name__}"
        if "random_state" in made.get_params() and made.get_params()["random_state"] is None:
            made.set_params(random_state=draw_seed(self.random_state))
        self.detectors_ = [self._fitted(made, X[members]) for members in memberships(codes)]

    def _fitted(self, made: Any, X: Matrix) -> Any:
        if X.shape[0] < _FEWEST_ROWS or np.equal(*column_extremes(X)).all():
            return None
        rows = dense_rows(X, "PyOD")
        with quietly(self._name):
            return clone(made).fit(rows)

    def _fitted_suspicions(self, X: Matrix, codes: IntArray) -> Array:
        # Those that compare a row with others do not count it among them here, as `decision_function` would.
        suspicions = np.zeros(len(codes))
        for fitted, members in zip(self.detectors_, memberships(codes), strict=True):
            if fitted is not None:
                scores = finite_scores(fitted.decision_scores_, self._name)
                # Neighbours may be equally near; copies of a row get one suspicion in any order.
                suspicions[members] = shared(scores, copies(X[members]))
        return suspicions

    def _suspicion(self, X: Matrix, code: int) -> Array:
        fitted = self.detectors_[code]
        if fitted is None:
            return np.zeros(X.shape[0])
        rows = dense_rows(X, "PyOD")
        with quietly(self._name):
            scores = fitted.decision_function(rows)
        return finite_scores(scores, self._name)


def named_pyod(method: str) -> Callable[..., PyODDetector]:
    """Return what makes a detector of PyOD with our thresholds.

    Parameters
    ----------
    method : str
        A name that PyOD has for a detector of tables.

    Returns
    -------
    callable
        `PyODDetector` of that name.

    Raises
    ------
    UnknownName
        If PyOD has no such detector.
    InvalidArgument
        If it is not installed, or the detector cannot be used by its name
        alone.
    """
    _kind_of(method)
    return partial(PyODDetector, method)


def _kind_of(method: str) -> type[Any]:
    """Return the class of a detector of PyOD by its name."""
    try:
        from pyod.utils.ad_engine import ADEngine
    except ModuleNotFoundError as missing:
        if missing.name != "pyod":
            raise
        raise InvalidArgument(
            "detectors", "names of the core", f"pyod:{method}: it {missing_extra('pyod', 'PyOD')}"
        ) from None
    known = {found["name"]: found["class_path"] for found in ADEngine().list_detectors("tabular")}
    if method not in known:
        close = did_you_mean(f"pyod:{method}", [f"pyod:{name}" for name in known], most=3)
        raise UnknownName(f"`detectors`: expected a name of PyOD's detectors of tables, got pyod:{method}{close}")
    if method in _REFUSED:
        why = f"pyod:{method}: {_REFUSED[method]}"
        raise InvalidArgument("detectors", "a detector that takes rows and a seed alone", why)
    module, _, name = known[method].rpartition(".")
    try:
        # Some modules print what is missing before they raise.
        with redirect_stdout(StringIO()):
            kind: type[Any] = getattr(import_module(module), name)
    except ModuleNotFoundError as missing:
        raise InvalidArgument(
            "detectors",
            "a detector of PyOD that is installed",
            f"pyod:{method}, which needs the package {missing.name}",
        ) from None
    needed = [option.name for option in signature(kind).parameters.values() if option.default is Parameter.empty]
    if needed:
        raise InvalidArgument(
            "detectors",
            "a detector that has defaults",
            f"pyod:{method}, which needs {' and '.join(needed)}: give PyODDetector one that has them",
        )
    return kind
