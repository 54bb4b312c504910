"""Defend: remove, relabel or weigh the rows that the verdict lists, and report what that cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from toadstone.datasets.readers.changes import Changes
from toadstone.datasets.readers.request import Reading
from toadstone.front.inputs import Data, Given, open_data, request_of
from toadstone.front.networks.representation import is_network, seen_by
from toadstone.front.networks.training import refuse_training, trained_model
from toadstone.front.results import Result
from toadstone.front.rows.own_rows import keep_changed, rows_for_models, trusted_for_models, write_changed
from toadstone.front.run import current_run, front_door
from toadstone.front.targets import TargetDefenceResult, TargetReading, refuse_options, with_target
from toadstone.front.targets import run_defence as defend_targets
from toadstone.pipeline.defence.measure import OwnModel, train_treated
from toadstone.pipeline.defence.treatment import Action
from toadstone.pipeline.defend import DefencePlan, Defended
from toadstone.pipeline.defend import defend as run_defence
from toadstone.pipeline.harness.clock import Deadline
from toadstone.pipeline.harness.defender import settle_defence
from toadstone.pipeline.harness.own_model import load_model, load_model_or_network, name_of
from toadstone.pipeline.regression.defend import TargetDefencePlan
from toadstone.records.defence import DefenceRecord, RelabelledRow, RemovedRow, WeighedRow
from toadstone.report.text.defence_text import defence_lines, next_sentences
from toadstone.report.text.rows_text import values_in_words


class DefenceResult(Result):
    """Kept and removed rows of a defence; its record is a `DefenceRecord`."""

    record: DefenceRecord
    unseen = frozenset({"suspicion"})

    def __init__(self, given: Given, defended: Defended, model: OwnModel | None) -> None:
        super().__init__(given, defended.record, unfinished=defended.unfinished)
        self._defended, self._model = defended, model

    @property
    def kept(self) -> Any:
        """The data without the removed rows, with new labels, or with a column of weights, as the action has it.

        A data frame where one was given, else the pair (X, y) as prepared,
        or (X, y, weight).
        """
        return keep_changed(self.given, self._defended.kept, self._changes)

    @property
    def removed(self) -> list[int]:
        """Positions of the removed rows in the source, the most suspicious first."""
        return [row.position for row in self.record.removals]

    def train(self) -> Any:
        """Train the model on what the defence leaves, and return it: the caller's own, or else a linear one."""
        model = self._model
        if model is None:
            seed = self.record.header.seed
            defence, origin = settle_defence(self.given.split, learner=None, ridge=None, contamination=0.05, seed=seed)
            model = OwnModel(defence.model(), defence.learner, origin)
        return train_treated(model, self._defended.data, self._defended.treatment)

    def lines(self, width: int | None = None) -> list[str]:
        """Say what was done to which rows and why, and what it cost where that can be known."""
        return defence_lines(self.record, width)

    def chapters(self) -> Mapping[str, Sequence[str]]:
        """Return the groups of rows, and what to do next."""
        return {"Groups of rows": [group.sentence for group in self.record.groups], "Next": next_sentences(self.record)}

    def columns(self) -> tuple[Sequence[int], Mapping[str, Sequence[Any]]]:
        """Give the treated rows, the most suspicious first; of weighed ones, those below one half."""
        removed, relabelled, light = self.record.removals, self.record.relabelled, self.record.light
        rows: list[RemovedRow | RelabelledRow | WeighedRow] = [*removed, *relabelled, *light]
        return [row.position for row in rows], {
            "label": [row.label for row in rows],
            "action": ["removed"] * len(removed) + ["relabelled"] * len(relabelled) + ["weighed"] * len(light),
            "new_label": [""] * len(removed) + [row.new_label for row in relabelled] + [""] * len(light),
            "weight": [0.0] * len(removed) + [1.0] * len(relabelled) + [row.weight for row in light],
            "suspicion": [
                *(row.suspicion for row in removed),
                *(row.probability for row in relabelled),
                *(1 - row.weight for row in light),
            ],
            "reason": [row.reason for row in rows],
            "values": [values_in_words(row.values) for row in rows],
        }

    def plot(self) -> Any:
        """Draw the accuracy without and with the defence on independent rows."""
        from toadstone.report.drawings.plots import plot_measurements

        return plot_measurements(self.record)

    def write(self, folder: Path) -> None:
        """Write report.html, record.json, removals.csv, perhaps relabelled.csv, and the kept rows."""
        from toadstone.report.files.folders import write_defence

        write_defence(self.record, folder)
        kept = self._defended.kept
        if self._changes:
            write_changed(self.given, kept, self._changes, folder, stem="cleaned")
        else:
            self.given.write_kept(kept, folder, stem="cleaned")

    @property
    def _changes(self) -> Changes:
        data, treatment = self._defended.data, self._defended.treatment
        ids = data.row_ids if data.row_ids is not None else np.arange(len(data))
        label_of = {}
        for row in treatment.relabelled.tolist():
            label_of[int(ids[row])] = int(ids[np.flatnonzero(data.y == treatment.labels[row])[0]])
        weight = None
        if treatment.weight is not None:
            weight = dict(zip(ids.tolist(), treatment.weight.tolist(), strict=True))
        return Changes(label_of, weight)


@front_door
def defend(
    data: Data,
    *,
    seed: int = 0,
    action: Action = "remove",
    max_removed: float | None = None,
    model: Any = None,
    training: str | None = None,
    epochs: int | None = None,
    estimators: Any = None,
    represent: Any = None,
    head: str | None = None,
    trusted: Data | None = None,
    group: str | None = None,
    time: str | None = None,
    max_seconds: float | None = None,
    target: str | None = None,
    **reading: Unpack[Reading],
) -> DefenceResult | TargetDefenceResult:
    """Remove, relabel or weigh the rows that the verdict lists, and report what that cost.

    The verdict lists groups of rows that share rare values and look like
    another label, and rows whose labels are probably wrong, these unless
    the data prefer no wrong labels by 20 to 1. The cost in accuracy is measured on
    rows that the verdict did not choose, trusted ones or a published test
    set; where there are none, nothing is measured.

    Parameters
    ----------
    data : path, name, data frame, (X, y), Dataset or Split
        A file, a name that ``toadstone datasets`` lists, a pandas, polars or
        pyarrow data frame, a pair of arrays, or what `load` and `read` return.
    seed : int
        Seed of all that is random, from 0.
    action : {"remove", "relabel", "weight"}
        Remove the listed rows; give those the suggested label whose
        probability is at least 0.8, and remove the others; or keep all rows
        and let each weigh one less its probability of being wrong.
    max_removed : float, optional
        Share of the rows that may be removed in all, in [0, 0.5); the most
        suspicious go first. No limit by default.
    model : str, estimator or callable, optional
        What is trained on the rows: ``"module:factory"``, an estimator, or a
        function that returns one. Of a data frame or a table it is given the
        rows as they stand, without the label, so that it can prepare them
        itself. For images also a network, ``"module:factory@FILE"`` with the
        weights to start from, or a `torch.nn.Module`. A linear model on the
        prepared features by default.
    training : {"plain", "epic", "trimmed-loss", "trades", "dp-sgd"}, optional
        How a network is trained, as for `toadstone.deep.NetworkClassifier`;
        plain by default.
    epochs : int, optional
        Of that training; ten by default.
    estimators : str, estimator, callable or sequence of these, optional
        Classifiers of the prepared features, to add to those of the verdict.
    represent : path, matrix, str, Module or callable, optional
        Activations or embeddings, a row for each row of the data, that the
        verdict looks at instead of the prepared features. For images, a
        network as for `toadstone.scan`.
    head : str, optional
        Name of that network's last layer; the last linear one by default.
    trusted : path, data frame, (X, y) or Dataset, optional
        Rows known to be clean, none of them in `data` and of the same kind:
        the verdict learns from them, and accuracies are measured on them.
    group, time : str, optional
        Columns of a table that say who each row is from and when: rows of one
        source or period that do not look like their label are a group. They
        are no features.
    max_seconds : float, optional
        Begin nothing new after so many seconds: accuracies are not measured,
        and `unfinished` of the result says so.
    target : str, optional
        Column of a numeric target, in place of a label with classes: rows
        whose target is probably wrong are removed. `model` is then trained on
        the prepared features; ridge regression and a random forest by
        default.
    **reading
        Options of how data are read, those of `toadstone.read`: label, text
        and more.

    Returns
    -------
    DefenceResult
        For a numeric target, a `TargetDefenceResult`.

    Raises
    ------
    InvalidInput
        If the data or an option cannot be used.

    Examples
    --------
    >>> import toadstone
    >>> result = toadstone.defend("breast-cancer", max_removed=0.05)
    >>> result.record.removed <= 0.05 * result.record.rows
    True
    """
    run, deadline = current_run("defend"), Deadline(max_seconds)
    numeric = with_target(data, target, reading)
    if numeric is not None:
        given_action = None if action == "remove" else action
        refuse_options(action=given_action, estimators=estimators, represent=represent)
        refuse_options(group=group, time=time, head=head)
        refuse_training(training, epochs)
        chosen = {} if model is None else {"model": load_model(model), "model_name": name_of(model)}
        plan = TargetDefencePlan(max_removed=max_removed, **chosen)
        return defend_targets(TargetReading(data, numeric, seed, run, deadline), plan, trusted)
    request = replace(request_of(reading, seed).setting_aside(), group=group, time=time)
    loaded = None if model is None else load_model_or_network(model)
    added = tuple(load_model(one, option="estimators") for one in _listed(estimators))
    given = open_data(data, request)
    loaded = trained_model(model, loaded, given.split, training=training, epochs=epochs, seed=seed)
    own = None if model is None else _own_model(given, loaded, name_of(model), trusted)
    known = given.trusted(trusted)
    wanted = DefencePlan(
        action=action,
        max_removed=max_removed,
        model=own,
        represented=None if is_network(represent) else given.represented(represent),
        represented_by=_described(represent),
        seen=seen_by(represent, head, given.split, known),
        estimators=added,
        group=group,
        time=time,
        seed=seed,
        source=given.source,
        command=run.command,
    )
    found = run_defence(given.split, wanted, trusted=known, deadline=deadline, on_stage=run.watch.announce)
    return DefenceResult(given, found, own)


def _own_model(given: Given, model: Any, name: str, trusted: Data | None) -> OwnModel:
    rows = rows_for_models(given)
    shown = "rows of the table" if rows is not None else "the prepared features"
    known = None if trusted is None or rows is None else trusted_for_models(given, trusted)
    return OwnModel(model, name, f"your model, on {shown}", rows, known, option="model")


def _listed(estimators: Any) -> tuple[Any, ...]:
    if estimators is None:
        return ()
    if isinstance(estimators, str):
        return tuple(part.strip() for part in estimators.split(","))
    return tuple(estimators) if isinstance(estimators, Sequence) else (estimators,)


def _described(represent: Any) -> str:
    if represent is None:
        return ""
    if is_network(represent):
        return f"features of the network {represent if isinstance(represent, str) else type(represent).__name__}"
    return f"the rows of {represent}" if isinstance(represent, str | Path) else "the representation that was given"
