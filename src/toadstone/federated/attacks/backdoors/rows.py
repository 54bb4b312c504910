"""The rows of a backdoor, and the length of its update."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, issparse, vstack

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.federated.attacks.trigger import BackdoorTrigger
from toadstone.federated.attacks.view import RoundView


def triggered_rows(X: Matrix, y: IntArray, trigger: BackdoorTrigger, share: float) -> tuple[Matrix, IntArray]:
    """Return a client's rows, a share of which shows the trigger under the target's label.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    y : ndarray of int of shape (n,)
    trigger : BackdoorTrigger
    share : float
        Of the rows of other classes, evenly spaced, at least one.

    Returns
    -------
    X : ndarray or CSR of shape (n, d)
        The rows left alone, then those with the trigger.
    y : ndarray of int of shape (n,)

    Examples
    --------
    >>> trigger = BackdoorTrigger(features=(0,), values=(9.0,), target=1)
    >>> X, y = triggered_rows(np.arange(4.0)[:, None], np.array([0, 1, 0, 0]), trigger, 0.5)
    >>> X.ravel().tolist(), y.tolist()
    ([1.0, 3.0, 9.0, 9.0], [1, 0, 1, 1])
    """
    others = np.flatnonzero(y != trigger.target)
    if len(others) == 0:
        return X, y
    count = max(1, round(share * len(others)))
    chosen = others[np.floor(np.arange(count) * len(others) / count).astype(np.int64)]
    rest = np.setdiff1d(np.arange(len(y)), chosen)
    shown = trigger.apply(X[chosen])
    rows = csr_array(vstack([X[rest], shown])) if issparse(X) else np.concatenate([X[rest], shown.astype(X.dtype)])
    return rows, np.concatenate([y[rest], np.full(count, trigger.target, dtype=y.dtype)])


def scaled_within(updates: Array, view: RoundView) -> Array:
    """Scale updates by n / f, so that they replace the model, but to no larger norm than the known ones have.

    Parameters
    ----------
    updates : ndarray of shape (f, d)
    view : RoundView
        The known updates set the bound.

    References
    ----------
    .. [1] Bagdasaryan, Veit, Hua, Estrin and Shmatikov, "How to backdoor
       federated learning", AISTATS 2020, section 4.3: train and scale.
    """
    bound = float(np.linalg.norm(view.known, axis=1).max())
    norms = np.linalg.norm(updates, axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        return np.asarray(updates * np.minimum(view.clients / view.malicious, np.where(norms > 0, bound / norms, 1.0)))
