"""Random and targeted label flips, the baseline of poisoning attacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.random import Generator

from toadstone.attacks.flips.label_changes import check_budget, possible_flips, spend
from toadstone.core.arrays import Array
from toadstone.core.budget import Budget
from toadstone.core.checks import check_positive
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import InvalidArgument
from toadstone.core.protocols import FeasibleSet
from toadstone.kernels.linear.fit import LinearSolver
from toadstone.kernels.linear.one_vs_rest import fit_one_vs_rest
from toadstone.kernels.losses import margin_loss

Margins = Literal["largest", "smallest"]


@dataclass(frozen=True, eq=False, kw_only=True)
class RandomLabelFlip:
    """Clean rows drawn at random and given another label.

    A budget of kind "add" adds relabelled copies, one of kind "flip" relabels
    rows in place. No row is used twice before all have been used once.

    Parameters
    ----------
    feasible_set : FeasibleSet, optional
        Only rows that lie inside it under their new label are used.
    source : object, optional
        The label of the rows that are used; any by default.
    target : object, optional
        The label that they get; by default another one at random.

    References
    ----------
    .. [1] Koh, Steinhardt and Liang, "Stronger data poisoning attacks break
       data sanitization defenses", Machine Learning 111, 2022.

    Examples
    --------
    >>> data = Dataset([[0.0], [1.0], [5.0], [6.0]], ["ham", "ham", "spam", "spam"])
    >>> made = RandomLabelFlip(source="spam").poison(data, Budget(0.25), np.random.default_rng(0))
    >>> made.y.tolist(), bool(made.X[0, 0] >= 5)
    (['ham'], True)
    """

    feasible_set: FeasibleSet | None = None
    source: object | None = None
    target: object | None = None

    def poison(self, data: Dataset, budget: Budget, rng: Generator) -> Poison:
        """Draw rows and new labels.

        Parameters
        ----------
        data : Dataset
            Of two or more classes.
        budget : Budget
            Of kind "add" or "flip".
        rng : Generator
            Random numbers for the rows, and for the labels if there is a choice.

        Returns
        -------
        Poison
            As many rows as the budget allows; fewer flips if fewer rows
            qualify.

        Raises
        ------
        InvalidArgument
            If the budget is for no row or of another kind, or a label does
            not occur in the data.
        EmptyFeasibleSet
            If no row qualifies.
        """
        check_budget(budget, len(data))
        possible = possible_flips(data, data.classes, self.feasible_set, source=self.source, target=self.target)
        rows = rng.permutation(np.flatnonzero(possible.any(axis=1)))
        codes = np.where(possible, rng.random(possible.shape), -1.0).argmax(axis=1)[rows]
        return spend(data, budget, rows, data.classes[codes])


@dataclass(frozen=True, eq=False, kw_only=True)
class TargetedLabelFlip:
    """The clean rows of largest or smallest margin at the clean model, given another label.

    Parameters
    ----------
    ridge : float
        Penalty of the defender's linear model, for each row.
    margins : {"largest", "smallest"}
        "largest" flips the rows that cost the clean model most, "smallest"
        those nearest to its decision boundary.
    loss : str
        The defender's loss.
    feasible_set : FeasibleSet, optional
        Only rows that lie inside it under their new label are used.
    source : object, optional
        The label of the rows that are used; any by default.
    target : object, optional
        The label that they get; by default the one against which a row's
        margin is the largest, or the smallest.

    Raises
    ------
    InvalidArgument
        If `margins` is another word, or `ridge` is not positive.
    UnknownName
        If there is no such loss.

    Examples
    --------
    >>> data = Dataset([[-9.0], [-1.0], [1.0], [2.0]], ["ham", "ham", "spam", "spam"])
    >>> TargetedLabelFlip().poison(data, Budget(0.25), np.random.default_rng(0)).X.tolist()
    [[-9.0]]
    """

    ridge: float = 0.01
    margins: Margins = "largest"
    loss: str = "hinge"
    feasible_set: FeasibleSet | None = None
    source: object | None = None
    target: object | None = None

    def __post_init__(self) -> None:
        if self.margins not in get_args(Margins):
            raise InvalidArgument("margins", "largest or smallest", self.margins)
        check_positive(ridge=self.ridge)
        margin_loss(self.loss)

    def poison(self, data: Dataset, budget: Budget, rng: Generator) -> Poison:
        """Train on the clean rows and flip those of extreme margin.

        Parameters
        ----------
        data : Dataset
            Of two or more classes; a model is trained for each class against
            the rest.
        budget : Budget
            Of kind "add" or "flip".
        rng : Generator
            Not used.

        Returns
        -------
        Poison
            As for `RandomLabelFlip`; most extreme rows first.

        Raises
        ------
        InvalidArgument, EmptyFeasibleSet
            As for `RandomLabelFlip`.
        """
        check_budget(budget, len(data))
        possible = possible_flips(data, data.classes, self.feasible_set, source=self.source, target=self.target)
        direction = 1.0 if self.margins == "largest" else -1.0
        appeal = np.where(possible, direction * self._margins(data), -np.inf)
        codes, best = appeal.argmax(axis=1), appeal.max(axis=1)
        rows = np.argsort(-best, kind="stable")[: np.count_nonzero(best > -np.inf)]
        return spend(data, budget, rows, data.classes[codes[rows]])

    def _margins(self, data: Dataset) -> Array:
        """Return the margin of each row against each class at the clean model, shape (n, k)."""
        codes = np.searchsorted(data.classes, data.y)
        fit = fit_one_vs_rest(data.X, codes, LinearSolver(margin_loss(self.loss), self.ridge))
        scores = fit.scores(data.X)
        return np.asarray(scores[np.arange(len(codes)), codes][:, None] - scores)
