"""Accuracy of a model trained without and with a defence, on rows that the defence did not choose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from toadstone.core.arrays import IntArray
from toadstone.core.dataset import Dataset
from toadstone.learners.given_models import failing_in_words, predicted
from toadstone.pipeline.defence.treatment import Treatment
from toadstone.pipeline.harness.own_model import train
from toadstone.pipeline.harness.row_account import ids_of
from toadstone.pipeline.layers.wilson import accuracy_change
from toadstone.records.defence import Measurement


@dataclass(frozen=True, eq=False)
class OwnModel:
    """A model, and the form in which it is given rows.

    Parameters
    ----------
    model : estimator
        Not trained.
    name, origin : str
        What it is called, and where it is from, in words.
    rows, trusted_rows : callable, optional
        From positions in the source, or in that of the trusted rows, to the
        rows as the model wants them; the prepared features by default.
    option : str
        The argument by which the caller gave it; empty for a model of ours,
        whose failure is no fault of the caller's.
    """

    model: Any
    name: str
    origin: str
    rows: Callable[[IntArray], Any] | None = None
    trusted_rows: Callable[[IntArray], Any] | None = None
    option: str = ""

    def of(self, data: Dataset) -> Any:
        """Return rows of the data as the model wants them."""
        return data.X if self.rows is None else self.rows(ids_of(data))

    def of_trusted(self, trusted: Dataset) -> Any:
        """Return trusted rows as the model wants them."""
        return trusted.X if self.trusted_rows is None else self.trusted_rows(ids_of(trusted))


def measure(
    model: OwnModel,
    data: Dataset,
    treatment: Treatment,
    *,
    trusted: Dataset | None,
    published: Dataset | None,
) -> tuple[Measurement, ...]:
    """Train on all rows and on the treated ones, and compare both on independent rows.

    Parameters
    ----------
    model : OwnModel
    data : Dataset
        All rows that were judged.
    treatment : Treatment
    trusted, published : Dataset, optional
        Rows known to be clean, and a test set that the data publish.

    Raises
    ------
    InvalidInput
        If a model of the caller's fails.
    """
    with failing_in_words(model.option, model.name, "fit"):
        plain = train(model.model, model.of(data), data.y)
    defended = train_treated(model, data, treatment)
    found = []
    sets: tuple[tuple[Literal["trusted", "published"], Dataset | None, Callable[[Dataset], Any]], ...] = (
        ("trusted", trusted, model.of_trusted),
        ("published", published, lambda rows: rows.X),
    )
    for where, rows, shown in sets:
        if rows is not None:
            given = shown(rows)
            before, after = (
                predicted(one, given, len(rows), option=model.option, name=model.name) == rows.y
                for one in (plain, defended)
            )
            found.append(Measurement(where, accuracy_change(before, after)))
    return tuple(found)


def train_treated(model: OwnModel, data: Dataset, treatment: Treatment) -> Any:
    """Train a model on what a defence leaves: the kept rows, their labels and weights."""
    kept = treatment.kept
    rows = model.of(data.take(kept))
    weight = None if treatment.weight is None else treatment.weight[kept]
    with failing_in_words(model.option, model.name, "fit"):
        return train(model.model, rows, treatment.labels[kept], weight)
