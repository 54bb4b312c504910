"""Reject rows with which models of trusted rows predict other trusted rows worse."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import csr_array, issparse
from scipy.stats import beta
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from bezoar.core.arrays import Array, IntArray, Labels, Matrix
from bezoar.core.dataset import Dataset
from bezoar.core.errors import InvalidArgument
from bezoar.kernels.rank_one import Candidates, SmallRidge, inner, squared_norms
from bezoar.kernels.tails import trusted_threshold
from bezoar.sanitizers.calibrated import Calibrated

# Rows are judged a few at a time; their products with trusted rows hold about as many values.
_VALUES_AT_ONCE = 1 << 18
_CONFIDENCE = 0.95


class RONI(Calibrated, BaseEstimator):
    """Reject on negative impact: rows that make trusted predictions worse.

    Half of the trusted rows, drawn from each class alike, are parted several
    times into a small base and a quiz. A least-squares model with a ridge is
    trained on each base; a row's suspicion is the growth of the quiz's squared
    error when the row is trained on as well, averaged over the draws. The
    other trusted rows are judged likewise, and set the threshold, which fewer
    clean rows than promised exceed: nineteen times in twenty with 149 such
    rows in a class for a promise of 0.02, and on average with fewer.

    Rank-one updates give the very models that retraining would.

    Parameters
    ----------
    trusted : Dataset
        Rows known to be clean, none of them among those to judge. The
        thresholds need ``1 / promise - 1`` of them in each class for their
        half, or in all for one common threshold.
    promise : float, default=0.02
        Share of clean rows that it may flag, in (0, 0.1].
    ridge : float, default=0.1
        Penalty of the models for each row of a base, bias included.
    base_size : int, default=20
        Rows of a base, at most half of those there are. The smaller it is,
        the more a single row does.
    n_draws : int, default=32
        How often the trusted rows are parted.
    random_state : int, RandomState or None, default=0
        Of the draws.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted labels.
    suspicion_ : ndarray of shape (n,)
        Larger is more suspicious; negative for rows that help.
    thresholds_ : ndarray of shape (n_classes,)
        Suspicion beyond which a row of each class is flagged.
    flagged_indices_ : ndarray of int
        Flagged rows, ascending.
    reasons_ : list of str
        Why each of them was flagged.
    promised_share_, least_noticeable_ : float
        The share of clean rows that may be flagged, and the smallest share of
        flagged rows that chance does not explain.
    sample_indices_, removed_indices_ : ndarray of int
        Rows that `fit_resample` kept and removed, ascending.
    n_features_in_ : int
        Number of columns.

    References
    ----------
    .. [1] Nelson, Barreno, Chi, Joseph, Rubinstein, Saini, Sutton, Tygar and
       Xia, "Exploiting machine learning to subvert your spam filter", LEET
       2008, section 5.1.
    .. [2] Barreno, Nelson, Joseph and Tygar, "The security of machine
       learning", Machine Learning 81, 2010.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = np.resize([0, 1], 400)
    >>> X = rng.normal(size=(400, 2)) + 6 * y[:, None]
    >>> y[:3] = 1 - y[:3]
    >>> detector = RONI(trusted=Dataset(X[200:], y[200:])).fit(X[:200], y[:200])
    >>> np.isin([0, 1, 2], detector.flagged_indices_), len(detector.flagged_indices_)
    (array([ True,  True,  True]), 6)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Calibrated._parameter_constraints,
        "trusted": [Dataset, None],
        "ridge": [Interval(Real, 0, None, closed="neither")],
        "base_size": [Interval(Integral, 2, None, closed="left")],
        "n_draws": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }
    _measure: ClassVar[str] = "the growth of trusted rows' squared error with it"

    def __init__(
        self,
        *,
        trusted: Dataset | None = None,
        promise: float = 0.02,
        ridge: float = 0.1,
        base_size: int = 20,
        n_draws: int = 32,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.trusted = trusted
        self.promise = promise
        self.ridge = ridge
        self.base_size = base_size
        self.n_draws = n_draws
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that labels are needed."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        trusted = self._usable(X)
        overlap = _shared(trusted, X, self.classes_[codes])
        if overlap:
            raise InvalidArgument("trusted", "rows that are not among those to judge", f"{overlap} that are")
        rng, codes_trusted = check_random_state(self.random_state), np.searchsorted(self.classes_, trusted.y)
        draw, held = _sample(codes_trusted, len(trusted) // 2, rng)
        self._known, targets = trusted.X[draw], _targets(codes_trusted[draw], len(self.classes_))
        gram = inner(self._known, self._known)
        self._models = [self._model(gram, targets, codes_trusted[draw], rng) for _ in range(self.n_draws)]
        members = [held[codes_trusted[held] == code] for code in range(len(self.classes_))]
        self._held = [self._anomaly(trusted.X[rows], code) for code, rows in enumerate(members)]
        everywhere = _threshold_of(np.concatenate(self._held), self.promise)
        if not np.isfinite(everywhere):
            needed = int(np.ceil(1 / self.promise)) - 1
            raise InvalidArgument(
                "trusted", f"at least {2 * needed} rows for a promise of {self.promise}", len(trusted)
            )

    def _model(self, gram: Array, targets: Array, codes: IntArray, rng: np.random.RandomState) -> SmallRidge:
        base, quiz = _sample(codes, min(self.base_size, len(codes) // 2), rng)
        return SmallRidge(gram, targets, base, quiz, penalty=self.ridge * len(base))

    def _usable(self, X: Matrix) -> Dataset:
        """The trusted rows, in the form of the others."""
        trusted = self.trusted
        if trusted is None:
            raise InvalidArgument("trusted", "a Dataset of rows known to be clean", None)
        if trusted.n_features != X.shape[1]:
            raise InvalidArgument("trusted", f"rows of {X.shape[1]} columns", trusted.n_features)
        if not np.isin(trusted.classes, self.classes_).all() or len(trusted.classes) < 2:
            known = ", ".join(map(str, self.classes_))
            raise InvalidArgument("trusted", f"rows of two or more of the classes {known}", trusted.classes.tolist())
        return Dataset(csr_array(trusted.X) if issparse(X) else _dense(trusted.X), trusted.y)

    def _threshold(self, code: int, scores: Array) -> float:
        own = _threshold_of(self._held[code], self.promise)
        return own if np.isfinite(own) else _threshold_of(np.concatenate(self._held), self.promise)

    def _anomaly(self, X: Matrix, code: int) -> Array:
        """How much each row would harm under one label."""
        found, height = np.empty(X.shape[0]), max(1, _VALUES_AT_ONCE // self._known.shape[0])
        wanted = _targets(np.array([code]), len(self.classes_))
        for start in range(0, X.shape[0], height):
            part = X[start : start + height]
            targets = np.repeat(wanted, part.shape[0], axis=0)
            rows = Candidates(inner(self._known, part), squared_norms(part), targets)
            found[start : start + height] = sum(model.cost_of_each(rows) for model in self._models)
        return found / self.n_draws


def _threshold_of(clean: Array, share: float) -> float:
    """The score that fewer rows than the share exceed, nineteen times in twenty; infinite for too few scores.

    Which share of all rows exceeds the k-th largest of m scores has a beta
    distribution. From ``1 / share - 1`` scores on the largest serves in any
    case: it is exceeded as seldom as promised on average.
    """
    m = len(clean)
    if not np.isfinite(trusted_threshold(clean, share)):
        return float(np.inf)
    ranks = np.arange(1, m + 1)
    beyond = max(1, int(np.count_nonzero(beta.ppf(_CONFIDENCE, ranks, m + 1 - ranks) <= share)))
    return float(np.sort(clean)[-beyond])


def _targets(codes: IntArray, n_classes: int) -> Array:
    """One column a class, +1 for the row's own and -1 for the others."""
    return np.where(codes[:, None] == np.arange(n_classes), 1.0, -1.0)


def _sample(codes: IntArray, size: int, rng: np.random.RandomState) -> tuple[IntArray, IntArray]:
    """Rows drawn from each class in its share, and all others."""
    order = np.lexsort((rng.permutation(len(codes)), codes))
    places = ((np.arange(size) + rng.uniform()) * len(codes) / size).astype(np.int64)
    return np.sort(order[places]), np.sort(np.delete(order, places))


def _shared(trusted: Dataset, X: Matrix, y: Labels) -> int:
    """How many rows are trusted rows, label and all."""
    known = set(_keys(trusted.X, trusted.y))
    return sum(key in known for key in _keys(X, y))


def _keys(X: Matrix, y: Labels) -> list[tuple[bytes, object]]:
    if not issparse(X):
        return [((row + 0.0).tobytes(), label) for row, label in zip(X, y.tolist(), strict=True)]
    plain = csr_array(X, copy=True)
    plain.eliminate_zeros()
    plain.sort_indices()
    ends = zip(plain.indptr[:-1], plain.indptr[1:], y.tolist(), strict=True)
    return [(plain.indices[a:b].astype(np.int64).tobytes() + plain.data[a:b].tobytes(), label) for a, b, label in ends]


def _dense(X: Matrix) -> Array:
    return np.asarray(X.toarray() if issparse(X) else X)
