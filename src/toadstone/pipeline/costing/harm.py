"""Harm that an attacker wants to do, and what some poison does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toadstone.core.certificate import HarmKind
from toadstone.core.checks import check_positive, check_within
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import InvalidArgument
from toadstone.kernels.losses import HINGE
from toadstone.kernels.minimax.harmful_models import wrong_rows
from toadstone.pipeline.harness.judge import Defence, merge


@dataclass(frozen=True)
class Harm:
    """A share of the clean training rows classified wrongly, or their mean hinge loss.

    Parameters
    ----------
    error, loss : float, optional
        Exactly one of the two; the error in (0, 1].

    Raises
    ------
    InvalidArgument
        If both or none are given, or one is out of range.
    """

    error: float | None = None
    loss: float | None = None

    def __post_init__(self) -> None:
        if (self.error is None) == (self.loss is None):
            raise InvalidArgument("error", "either an error or a loss", f"error {self.error}, loss {self.loss}")
        if self.error is not None:
            check_within("(0, 1]", error=self.error)
        if self.loss is not None:
            check_positive(loss=self.loss)

    @property
    def wanted(self) -> tuple[HarmKind, float]:
        """The kind of harm, and how much of it."""
        return ("error", self.error) if self.error is not None else ("loss", self.loss or 0.0)

    def wrong_rows(self, n: int) -> int:
        """Return the least number of wrong rows among n."""
        return 0 if self.error is None else wrong_rows(self.error, n)

    def done(self, outcome: Outcome) -> bool:
        """Return True if poison does the harm."""
        if self.error is not None:
            return outcome.wrong >= self.wrong_rows(outcome.n_clean)
        return self.loss is not None and outcome.loss >= self.loss

    def measure(self, outcome: Outcome) -> float:
        """Return what the harm is about: the error, or the loss."""
        return outcome.error if self.loss is None else outcome.loss


@dataclass(frozen=True)
class Outcome:
    """Errors and loss of a model trained on clean rows and poison together.

    Parameters
    ----------
    wrong : int
        Clean training rows that it classifies wrongly.
    n_clean : int
    loss : float
        Its mean hinge loss on the clean training rows.
    """

    wrong: int
    n_clean: int
    loss: float

    @property
    def error(self) -> float:
        """The share of clean training rows classified wrongly."""
        return self.wrong / self.n_clean


def train_on(clean: Dataset, poison: Poison | None, defence: Defence) -> tuple[object, Outcome]:
    """Train the defender on clean rows and poison; also what it makes of all clean rows.

    Parameters
    ----------
    clean : Dataset
        Of two classes.
    poison : Poison, optional
        Rows that are added, or that take the place of clean ones.
    defence : Defence
        Without a sanitizer.
    """
    X, y, _ = merge(clean, poison)
    if len(np.unique(y)) < 2:
        # Nothing is left to train on but one class, which then is all that is predicted.
        wrong = int(np.count_nonzero(clean.y != y[0]))
        return None, Outcome(wrong, len(clean), float("inf"))
    model = defence.model().fit(X, y)
    margins = clean.signs * model.decision_function(clean.X)
    wrong = int(np.count_nonzero(model.predict(clean.X) != clean.y))
    return model, Outcome(wrong, len(clean), float(HINGE.value(margins).mean()))
