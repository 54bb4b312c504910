"""Reject on negative impact: flag the rows with which models of trusted rows predict others worse."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from scipy.stats import beta
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from toadstone.core.arrays import Array, IntArray, Mask, Matrix
from toadstone.core.errors import InvalidArgument
from toadstone.detectors.calibrated import Calibrated
from toadstone.kernels.influence.rank_one_update import Candidates, SmallRidge, inner, squared_norms
from toadstone.kernels.statistics.row_digests import contents
from toadstone.kernels.statistics.thresholds import trusted_threshold
from toadstone.sanitizers.scored import ClassScorer

# Rows are judged in blocks whose products with the trusted rows fit into a few megabytes.
_VALUES_AT_ONCE = 1 << 18
_CONFIDENCE = 0.95
_ROUNDING = 1e-9


class RONI(Calibrated, ClassScorer, BaseEstimator):
    """Flag the rows that make predictions on trusted rows worse when they are trained on (RONI) [1]_ [2]_.

    Half of the trusted rows given to `fit`, a stratified sample, are split
    several times into a small base and a quiz. A ridge regression is trained
    on each base; a row's suspicion is the increase of the squared error on the
    quiz when the row is trained on too, averaged over the draws. Rank-one
    updates give exactly the models that retraining would.

    The other half of the trusted rows get their suspicion in the same way and
    set the thresholds. From 149 of them in a class on, a false-alarm rate of
    0.02 is kept in 19 of 20 data sets; with fewer, on average. That half needs
    ``1 / false_alarm_rate - 1`` rows of a class, or of all classes together
    for one common threshold. No trusted row may occur with its label among
    the untrusted rows. The only row of a label is not flagged. Attributes that
    all detectors have are those of `Calibrated`.

    Parameters
    ----------
    false_alarm_rate : float, default=0.02
        Share of clean rows that may be flagged, in (0, 0.1].
    ridge : float, default=0.1
        Penalty of the models for each row of a base, bias included.
    base_size : int, default=20
        Rows of a base, at most half of those drawn. The smaller the base, the
        larger the effect of a single row.
    n_draws : int, default=32
        Number of splits into base and quiz.
    random_state : int, RandomState or None, default=0
        Seed of the draws.

    Attributes
    ----------
    suspicion_ : ndarray of shape (n,)
        Increase of the squared error; negative for rows that help.

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
    >>> detector = RONI().fit(X, y, trusted=np.arange(200, 400))
    >>> np.isin([0, 1, 2], detector.flagged_indices_), len(detector.flagged_indices_)
    (array([ True,  True,  True]), 6)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Calibrated._parameter_constraints,
        "ridge": [Interval(Real, 0, None, closed="neither")],
        "base_size": [Interval(Integral, 2, None, closed="left")],
        "n_draws": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }
    needs_trusted: ClassVar[bool] = True
    needs_labels: ClassVar[bool] = True
    _measure: ClassVar[str] = "increase of the squared error on trusted rows"

    def __init__(
        self,
        *,
        false_alarm_rate: float = 0.02,
        ridge: float = 0.1,
        base_size: int = 20,
        n_draws: int = 32,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.false_alarm_rate = false_alarm_rate
        self.ridge = ridge
        self.base_size = base_size
        self.n_draws = n_draws
        self.random_state = random_state

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        rows = np.flatnonzero(self._trusted)
        _check_trusted(X, codes, rows, self._trusted)
        rng = check_random_state(self.random_state)
        draw, held = _sample(codes[rows], len(rows) // 2, rng)
        needed = int(np.ceil(1 / self.false_alarm_rate - _ROUNDING)) - 1
        if len(held) < needed:
            raise InvalidArgument(
                "trusted", f"at least {2 * needed} rows for a false-alarm rate of {self.false_alarm_rate}", len(rows)
            )
        self._known, drawn = X[rows[draw]], codes[rows[draw]]
        gram, targets = inner(self._known, self._known), _targets(drawn, len(self.classes_))
        self._models = [self._model(gram, targets, drawn, rng) for _ in range(self.n_draws)]
        self._unused = np.ones(len(codes), dtype=bool)
        self._unused[self._order[rows[draw]]] = False

    def _model(self, gram: Array, targets: Array, codes: IntArray, rng: np.random.RandomState) -> SmallRidge:
        base, quiz = _sample(codes, min(self.base_size, len(codes) // 2), rng)
        return SmallRidge(gram, targets, base, quiz, penalty=self.ridge * len(base))

    def _own_threshold(self, code: int, members: Mask) -> float:
        return float(np.inf)

    def _trusted_threshold(self, members: Mask, trusted: Mask) -> float:
        # Rows that the models were trained or tested on lower their own suspicion.
        judged = trusted & self._unused
        own = _threshold_of(self.suspicion_[members & judged], self.false_alarm_rate)
        if np.isfinite(own) or np.count_nonzero(members) < 2:
            return own
        return _threshold_of(self.suspicion_[judged], self.false_alarm_rate)

    def _suspicion(self, X: Matrix, code: int) -> Array:
        found, height = np.empty(X.shape[0]), max(1, _VALUES_AT_ONCE // self._known.shape[0])
        wanted = _targets(np.array([code]), len(self.classes_))
        for start in range(0, X.shape[0], height):
            part = X[start : start + height]
            targets = np.repeat(wanted, part.shape[0], axis=0)
            rows = Candidates(inner(self._known, part), squared_norms(part), targets)
            found[start : start + height] = sum(model.cost_of_each(rows) for model in self._models)
        return found / self.n_draws


def _threshold_of(scores: Array, share: float) -> float:
    """Return the score that fewer rows than the share exceed, with 95 % confidence; infinite for too few scores.

    The share of all rows that exceeds the k-th largest of m scores has a beta
    distribution with parameters k and m + 1 - k. From ``1 / share - 1`` scores
    on the largest is returned in any case: the share that exceeds it is small
    enough on average.
    """
    m = len(scores)
    if not np.isfinite(trusted_threshold(scores, share)):
        return float(np.inf)
    ranks = np.arange(1, m + 1)
    beyond = max(1, int(np.count_nonzero(beta.ppf(_CONFIDENCE, ranks, m + 1 - ranks) <= share)))
    return float(np.sort(scores)[-beyond])


def _targets(codes: IntArray, n_classes: int) -> Array:
    """Return one column for each class, +1 for the row's own and -1 for the others."""
    return np.where(codes[:, None] == np.arange(n_classes), 1.0, -1.0)


def _sample(codes: IntArray, size: int, rng: np.random.RandomState) -> tuple[IntArray, IntArray]:
    """Draw a stratified sample of positions; return it and all other positions."""
    # Sorted by class and shuffled within: a systematic sample of this order has every class in its share.
    order = np.lexsort((rng.permutation(len(codes)), codes))
    places = ((np.arange(size) + rng.uniform()) * len(codes) / size).astype(np.int64)
    return np.sort(order[places]), np.sort(np.delete(order, places))


def _check_trusted(X: Matrix, codes: IntArray, rows: IntArray, trusted: Mask) -> None:
    if len(np.unique(codes[rows])) < 2:
        raise InvalidArgument("trusted", "rows of two or more classes", "rows of one")
    found = list(zip(contents(X), codes.tolist(), strict=True))
    known = {found[row] for row in rows}
    overlap = sum(found[row] in known for row in np.flatnonzero(~trusted))
    if overlap:
        raise InvalidArgument("trusted", "rows that are not among those to judge", f"{overlap} that are")
