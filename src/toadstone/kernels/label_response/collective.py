"""Collective bound for label flips: the most predictions that one choice of labels changes, all queries together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from toadstone.core.arrays import Array, IntArray
from toadstone.core.checks import check_count
from toadstone.kernels.label_response.responses import ROUNDING, Response, weight_blocks
from toadstone.kernels.votes.collective import changes_at_most

_SETS = 24
"""Sets of queries of similar counts, which share a price: more of them are tighter by little."""


def most_flipped(
    response: Response,
    codes: IntArray,
    queries: Array,
    counts: IntArray,
    *,
    n_classes: int,
    units: Sequence[int],
    groups: IntArray | None = None,
) -> list[int]:
    """Bound the number of predictions that an attacker changes with one choice of labels for all queries.

    A flip of row i closes at most the share ``g_i / m`` of a query's lead m,
    over the rivals, and the shares must sum to one for a change. Prices as in
    `most_changed` bound the changes; queries of similar counts have one
    price, so that only sums of shares are held.

    Parameters
    ----------
    response : Response
    codes : ndarray of int of shape (n,)
    queries : ndarray or CSR of shape (q, d)
    counts : ndarray of int of shape (q,)
        Of these queries, as `certify_queries` returns them.
    n_classes : int
    units : sequence of int
        Numbers of labels, or groups, that the attacker controls.
    groups : ndarray of int of shape (n,), optional
        As `certify_flips` takes them.

    Returns
    -------
    list of int
        For each number, at most the number of queries whose count is below it.

    Examples
    --------
    >>> from toadstone.kernels.label_response.responses import certify_queries
    >>> from toadstone.kernels.label_response.ridge import RidgeResponse
    >>> X, codes = np.array([[-2.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, 2.0]]), np.array([0, 0, 1, 1])
    >>> response, queries = RidgeResponse(X, ridge=0.1), np.array([[-1.0, 0.0], [0.0, 1.0]])
    >>> found = certify_queries(response, codes, queries, n_classes=2)
    >>> int((found.count < 1).sum()), most_flipped(response, codes, queries, found.count, n_classes=2, units=[1])
    (2, [1])
    """
    check_count(0, **{f"units[{place}]": each for place, each in enumerate(units)})
    breakable = np.flatnonzero(counts < max(units, default=0))
    n_units = response.n_rows if groups is None else int(groups.max()) + 1
    sets = _sets(counts[breakable], units)
    sums, sizes = np.zeros((len(np.unique(sets)), n_units)), np.bincount(sets, minlength=1)
    done = 0
    for alpha, error in weight_blocks(response, queries[breakable]):
        place = slice(done, done + len(alpha))
        shares = _shares(alpha, error, codes, n_classes, groups)
        for each in np.unique(sets[place]):
            sums[each] += shares[sets[place] == each].sum(axis=0)
        done += len(alpha)
    found = []
    for each in units:
        # No set straddles a number of units.
        reached = np.unique(sets[counts[breakable] < each])
        found.append(
            changes_at_most(sums[reached], units=each, queries=sizes[reached].astype(np.float64)) if reached.size else 0
        )
    return found


def _sets(counts: IntArray, units: Sequence[int]) -> IntArray:
    """Number the sets of queries, by their counts: cut at each number of units, and at quantiles."""
    if not counts.size:
        return counts
    edges = np.union1d(np.quantile(counts, np.linspace(0, 1, _SETS + 1)[1:-1]), np.asarray(units, dtype=np.float64))
    return np.unique(np.searchsorted(edges, counts, side="right"), return_inverse=True)[1].astype(np.int64)


def _shares(alpha: Array, error: Array, codes: IntArray, n_classes: int, groups: IntArray | None) -> Array:
    """Return the largest share of each query's lead that a unit takes, over the rivals; at most one."""
    member = np.eye(n_classes)[codes]
    scores = alpha @ member
    sizes = np.abs(alpha)
    winner = scores.argmax(axis=1)
    queries = np.arange(len(alpha))
    # A gain errs by twice the weight's error, the lead by as much; and sums round.
    allowance = 4 * error + 8 * (len(codes) + 8) * ROUNDING * sizes.sum(axis=1)
    found = np.zeros((len(alpha), len(codes) if groups is None else int(groups.max()) + 1))
    for d in range(n_classes):
        gains = sizes + alpha * (codes[None, :] == winner[:, None]) - alpha * (codes == d)
        if groups is not None:
            gains = gains @ np.eye(found.shape[1])[groups]
        lead = scores[queries, winner] - scores[:, d] - allowance
        rival = winner != d
        # A lead that rounding hides is taken by any unit.
        seen = np.broadcast_to(lead[:, None] > 0, gains.shape)
        share = np.minimum(np.divide(gains, lead[:, None], out=np.ones_like(gains), where=seen), 1.0)
        found[rival] = np.maximum(found[rival], share[rival])
    return found
