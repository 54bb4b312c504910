"""Test rows whose predictions no attack of a certificate's budget can change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toadstone.certificates.saddle.certify import pose
from toadstone.core.arrays import IntArray, Mask
from toadstone.core.budget import Budget
from toadstone.core.certificate import Ridge, Setting
from toadstone.datasets.split import Split
from toadstone.kernels.losses import margin_loss
from toadstone.kernels.minimax.kept_predictions import clean_parabola, kept_predictions
from toadstone.kernels.rows import count_entries
from toadstone.kernels.sets.sets import ConvexSet
from toadstone.pipeline.certify import MANY_ENTRIES, CertifiedKind

_CLOSE, _COARSE = 1e-8, 1e-6


@dataclass(frozen=True, eq=False)
class KeptRows:
    """Changed rows that the prediction of each test row withstands; the attacker may choose anew for every one.

    Parameters
    ----------
    rows : ndarray of int of shape (q,)
        Rows that are added, flipped or replaced without being able to change
        the prediction.
    right : ndarray of bool of shape (q,)
        Whether the prediction of training without poison is right.
    n_train : int
    """

    rows: IntArray
    right: Mask
    n_train: int

    @property
    def median(self) -> int:
        """Largest number of rows at which half of all test rows are right and certified; 0 if fewer are right."""
        counts = np.sort(np.where(self.right, self.rows, -1))[::-1]
        return max(int(counts[(len(counts) + 1) // 2 - 1]), 0)

    def unchanged(self, budget: Budget) -> float:
        """Return the share of predictions, right or wrong, that no attack of a budget changes."""
        return float(np.mean(self.rows >= budget.count(self.n_train)))

    def certified_accuracy(self, budget: Budget) -> float:
        """Return the share of test rows that are right whatever an attack of a budget does."""
        return float(np.mean(self.right & (self.rows >= budget.count(self.n_train))))


def keep_test_rows(split: Split, feasible_set: ConvexSet, setting: Setting, kind: CertifiedKind) -> KeptRows | None:
    """Count the rows that each test row's prediction withstands.

    Parameters
    ----------
    split : Split
        Of two classes.
    feasible_set : ConvexSet
        Where poison may lie.
    setting : Setting
        Of the certificate.
    kind : {"add", "flip", "replace"}

    Returns
    -------
    KeptRows or None
        None without test rows, for a norm ball, and for the squared hinge.
    """
    counted = isinstance(setting.hypothesis, Ridge) and np.isfinite(margin_loss(setting.loss).cap)
    if not counted or len(split.test) == 0:
        return None
    problem = pose(split.train, feasible_set, setting)
    tolerance = _CLOSE if count_entries(split.train.X) <= MANY_ENTRIES else _COARSE
    found = kept_predictions(problem, split.test.X, clean_parabola(problem, tolerance=tolerance), kind=kind)
    predicted = split.train.classes[(found.signs > 0).astype(int)]
    return KeptRows(found.rows, np.asarray(predicted == split.test.y), len(split.train))
