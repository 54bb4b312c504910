"""Remove the rows that the leading singular vectors do not explain."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar, Literal

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.extmath import row_norms

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.kernels.rows import mean
from toadstone.kernels.statistics.truncated_svd import leading_subspace
from toadstone.sanitizers.labelled import memberships
from toadstone.sanitizers.scored import ClassScorer, draw_seed
from toadstone.sanitizers.trimming import Trimming

_MODERATE = 6000
_LARGEST_RANK = 1000
_ROWS_AT_ONCE = 512
_CANCELLATION = 1e-6
_ROUNDING = 1e-12


class SubspaceSanitizer(Trimming, ClassScorer, OutlierMixin, BaseEstimator):
    """Score rows by their distance to the span of the leading singular vectors.

    The SVD defence of Koh, Steinhardt and Liang [1]_; the matrix is not
    centred. Attributes that all sanitizers have are those of `Trimming`.

    Parameters
    ----------
    contamination : float, default=0.05
        Share of each class to remove, in (0, 0.5].
    energy : float, default=0.95
        Share of the squared Frobenius norm that the singular vectors exceed.
    variant : {"paper", "reference"}, default="paper"
        The fewest vectors that exceed `energy`, at least one short of all;
        or, as in the authors' code, one vector fewer, counted among the first
        min(1000, d - 1), and the class means beside them in the span.
    random_state : int, RandomState or None, default=0
        Seed of the start of block Lanczos, used beyond 1024 rows and columns.

    Attributes
    ----------
    axes_ : ndarray of shape (d, k)
        Orthonormal columns that span the subspace.
    captured_energy_ : float
        Share of the squared Frobenius norm in the fewest vectors that exceed
        `energy`. With more than 6000 rows and columns there are at most 1000
        of them, and the share may stay below.
    residual_ : float
        Error of the singular vectors; see `LeadingSubspace`.

    References
    ----------
    .. [1] Koh, Steinhardt and Liang, "Stronger data poisoning attacks break
       data sanitization defenses", Machine Learning 111, 2022, section 2.2.

    Examples
    --------
    >>> X = np.array([[9.0, 0.0, 0.0], [8.0, 0.0, 0.0], [7.0, 0.0, 0.0], [7.0, 0.0, 3.0]])
    >>> SubspaceSanitizer(contamination=0.25).fit_resample(X, [1, 1, 1, 1])[0].shape
    (3, 3)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Trimming._parameter_constraints,
        "energy": [Interval(Real, 0, 1, closed="neither")],
        "variant": [StrOptions({"paper", "reference"})],
        "random_state": ["random_state"],
    }
    _measure: ClassVar[str] = "distance to the leading subspace"

    def __init__(
        self,
        *,
        contamination: float = 0.05,
        energy: float = 0.95,
        variant: Literal["paper", "reference"] = "paper",
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.contamination = contamination
        self.energy = energy
        self.variant = variant
        self.random_state = random_state

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        seed = draw_seed(self.random_state)
        found = leading_subspace(X, energy=self.energy, max_rank=self._max_rank(X), rng=np.random.default_rng(seed))
        self.axes_, self.captured_energy_, self.residual_ = found.axes, found.captured, found.residual
        if self.variant == "reference":
            means = np.column_stack([mean(X, rows) for rows in memberships(codes)])
            self.axes_ = _joined(found.axes[:, :-1], means)

    def _max_rank(self, X: Matrix) -> int:
        n, d = map(int, X.shape)
        if self.variant == "reference":
            return min(_LARGEST_RANK, d - 1, n)
        return min(n, d) - 1 if min(n, d) <= _MODERATE else _LARGEST_RANK

    def _class_suspicions(self, X: Matrix) -> Array:
        blocks = [X[start : start + _ROWS_AT_ONCE] for start in range(0, X.shape[0], _ROWS_AT_ONCE)]
        distances = np.concatenate([_distances(block, self.axes_) for block in blocks])
        return np.broadcast_to(distances[:, None], (len(distances), len(self.classes_)))


def _distances(X: Matrix, axes: Array) -> Array:
    inside = np.asarray(X @ axes)
    squares = row_norms(X, squared=True)
    outside = squares - row_norms(inside, squared=True)
    # The difference of two nearly equal squares has no digits left: compute these rows from the residual itself.
    close = np.flatnonzero(outside <= _CANCELLATION * squares)
    if close.size:
        rows = X[close].toarray() if issparse(X) else X[close]
        outside[close] = row_norms(rows - inside[close] @ axes.T, squared=True)
        # Rounding leaves a row within the span a little outside it; its distance is zero.
        outside[outside <= _ROUNDING**2 * squares] = 0.0
    return np.asarray(np.sqrt(outside))


def _joined(axes: Array, vectors: Array) -> Array:
    """Return orthonormal columns that span orthonormal `axes` and `vectors`."""
    rest = vectors
    # One projection leaves rounding errors along the axes; the second removes them.
    for _ in range(2):
        rest = rest - axes @ (axes.T @ rest)
    left, values, _ = np.linalg.svd(rest, full_matrices=False)
    return np.column_stack([axes, left[:, values > 1e-8 * np.linalg.norm(vectors)]])
