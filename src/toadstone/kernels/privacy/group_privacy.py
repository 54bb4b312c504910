"""Bounds on what poisoned rows change in the outcome of a training with differential privacy."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right

from toadstone.core.checks import check_count, check_not_negative, check_within
from toadstone.core.errors import InvalidArgument


def group_privacy(rows: int, *, privacy_epsilon: float, privacy_delta: float = 0.0) -> tuple[float, float]:
    """Compute the privacy of several rows together from that of one.

    They have ``(k epsilon, delta (e^(k epsilon) - 1) / (e^epsilon - 1))``,
    for the steps from one training set to the next add up [1]_.

    Parameters
    ----------
    rows : int
        Number k of rows that differ: in the sense in which the guarantee was
        given for one. Where that is adding or removing a row, a replaced row
        counts as two.
    privacy_epsilon, privacy_delta : float
        Guarantee for one row, as an accountant gives it.

    Returns
    -------
    epsilon, delta : float
        Delta is at most 1.

    Raises
    ------
    InvalidArgument
        If a value is out of its range.

    References
    ----------
    .. [1] Dwork and Roth, "The algorithmic foundations of differential
       privacy", 2014, theorem 2.2, for a delta of zero.

    Examples
    --------
    >>> epsilon, delta = group_privacy(10, privacy_epsilon=0.1, privacy_delta=1e-5)
    >>> epsilon, round(delta, 7)
    (1.0, 0.0001634)
    """
    _check(rows, privacy_epsilon, privacy_delta)
    return rows * privacy_epsilon, min(_risen(0.0, rows, privacy_epsilon, privacy_delta), 1.0)


def poisoned_bound(clean: float, *, rows: int, privacy_epsilon: float, privacy_delta: float = 0.0) -> float:
    """Bound the expected loss, or an attack's success, after some rows of the training set were poisoned.

    One row moves a probability p to at most
    ``min(e^epsilon p + delta, 1 - e^-epsilon (1 - p - delta))``, since neither
    an outcome nor its opposite may grow by more than the guarantee allows;
    the bound applies this once for each row [2]_. Expectations over [0, 1] follow,
    for the bound is concave in p. While the first of the two is the smaller
    one this is the bound of Ma, Zhu and Hsu [1]_, which costs k rows
    ``(k epsilon, delta (e^(k epsilon) - 1) / (e^epsilon - 1))``.

    Both values are over the randomness of training: the bound says nothing
    about one trained model, and holds for each poisoning that is chosen before
    the training draws.

    Parameters
    ----------
    clean : float
        Expected loss in [0, 1], or probability of the attacker's success,
        when trained on clean rows.
    rows : int
        Number k of poisoned rows, in the sense of `group_privacy`.
    privacy_epsilon, privacy_delta : float
        Guarantee for one row, as an accountant gives it.

    Returns
    -------
    float
        In [0, 1]; `clean` for no rows.

    Raises
    ------
    InvalidArgument
        If a value is out of its range.

    References
    ----------
    .. [1] Ma, Zhu and Hsu, "Data poisoning against differentially-private
       learners: attacks and defenses", IJCAI 2019.
    .. [2] Dong, Roth and Su, "Gaussian differential privacy", Journal of the
       Royal Statistical Society B 84, 2022: groups, by repeating the step.

    Examples
    --------
    >>> [round(poisoned_bound(0.02, rows=k, privacy_epsilon=0.5), 3) for k in (0, 2, 6, 9)]
    [0.02, 0.054, 0.402, 0.867]
    """
    check_within("[0, 1]", clean=clean)
    _check(rows, privacy_epsilon, privacy_delta)
    # From here on the opposite outcome gives the smaller bound. What cannot happen never gets here.
    turn = max((1.0 - privacy_delta) / (1.0 + _power(privacy_epsilon)), math.ulp(0.0))
    rising = bisect_left(range(rows), turn, key=lambda k: _risen(clean, k, privacy_epsilon, privacy_delta))
    risen, others = _risen(clean, rising, privacy_epsilon, privacy_delta), rows - rising
    if others == 0:
        return min(risen, 1.0)
    spent = privacy_delta * _geometric(others, -privacy_epsilon) * math.exp(-privacy_epsilon)
    return 1.0 - max(math.exp(-others * privacy_epsilon) * (1.0 - risen) - spent, 0.0)


def tolerated_rows(
    clean: float, *, limit: float, n_rows: int, privacy_epsilon: float, privacy_delta: float = 0.0
) -> int:
    """Find how many rows may be poisoned while the bound stays at or below a limit.

    Parameters
    ----------
    clean : float
        As `poisoned_bound` takes it.
    limit : float
        Between `clean` and 1.
    n_rows : int
        Training rows: no more can be poisoned.
    privacy_epsilon, privacy_delta : float
        Guarantee for one row, as an accountant gives it.

    Returns
    -------
    int
        From 0 to `n_rows`.

    Raises
    ------
    InvalidArgument
        If a value is out of its range, or the limit is exceeded without poison.

    Examples
    --------
    >>> tolerated_rows(0.02, limit=0.5, n_rows=60_000, privacy_epsilon=0.5, privacy_delta=1e-5)
    6
    """
    check_count(0, n_rows=n_rows)
    check_within("[0, 1]", clean=clean, limit=limit)
    if limit < clean:
        raise InvalidArgument("limit", f"a number from {clean} to 1", limit)

    def bound(rows: int) -> float:
        return poisoned_bound(clean, rows=rows, privacy_epsilon=privacy_epsilon, privacy_delta=privacy_delta)

    return bisect_right(range(1, n_rows + 1), limit, key=bound)


def _check(rows: int, privacy_epsilon: float, privacy_delta: float) -> None:
    check_count(0, rows=rows)
    check_not_negative(privacy_epsilon=privacy_epsilon)
    check_within("[0, 1]", privacy_delta=privacy_delta)


def _risen(clean: float, rows: int, epsilon: float, delta: float) -> float:
    # Nothing times infinity is nothing here: what cannot happen stays so.
    grown = clean * _power(rows * epsilon) if clean > 0.0 else 0.0
    return grown + (delta * _geometric(rows, epsilon) if delta > 0.0 else 0.0)


def _power(exponent: float) -> float:
    return math.exp(exponent) if exponent < 700.0 else math.inf


def _geometric(rows: int, epsilon: float) -> float:
    """Sum the first powers of e^epsilon, from the zeroth."""
    if epsilon == 0.0 or rows <= 1:
        return float(rows)
    return math.expm1(rows * epsilon) / math.expm1(epsilon) if rows * epsilon < 700.0 else math.inf
