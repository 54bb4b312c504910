"""Federate: attacks of malicious clients against rules of the server, over several seeds."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from numbers import Integral
from pathlib import Path
from typing import Any, Unpack

from toadstone.core.claims import claimed
from toadstone.core.errors import InvalidArgument
from toadstone.datasets.readers.request import Reading
from toadstone.front.inputs import Data, names_of, open_data, request_of, workers_of
from toadstone.front.run import current_run, front_door
from toadstone.front.trial_folder import TrialsResult, journal_of
from toadstone.pipeline.federation.plan import FederationPlan, prepare_federation
from toadstone.pipeline.federation.run import run_federation_matrix
from toadstone.pipeline.federation.training import LocalTraining
from toadstone.pipeline.harness.clock import Deadline
from toadstone.pipeline.trials.journal import late_trials
from toadstone.records.federated import FederatedRecord, FederatedTrial
from toadstone.report.federated.federated_text import federated_glance, federated_lines

Malicious = int | str | Sequence[int | str]


class FederateResult(TrialsResult):
    """Matrix of attacks and rules; its record is a `FederatedRecord`."""

    record: FederatedRecord

    def lines(self, width: int | None = None) -> list[str]:
        """Say which rule kept the accuracy, what to write into a Flower app, and what was not held."""
        return federated_lines(self.record, width)

    def columns(self) -> tuple[None, Mapping[str, Sequence[Any]]]:
        """Give a row for each number of malicious clients, attack and rule, with means over seeds."""
        cells = self.record.cells
        measured = {
            name: [None if (found := getattr(cell, name)) is None else found.mean for cell in cells]
            for name in ("accuracy", "lost", "lost_to_attack", "worst", "area")
        }
        return None, {
            "malicious": [cell.malicious for cell in cells],
            "attack": [cell.attack for cell in cells],
            "rule": [cell.rule for cell in cells],
            **measured,
            "success": [None if cell.success is None else cell.success.share for cell in cells],
            "malicious_filtered": [cell.malicious_filtered for cell in cells],
            "honest_filtered": [cell.honest_filtered for cell in cells],
            "skipped": [cell.skipped for cell in cells],
        }

    def glance(self) -> Mapping[str, Sequence[Any]]:
        """Give a row for each rule: its accuracy without an attack, and under the one that costs it most."""
        return federated_glance(self.record)

    def plot(self) -> Any:
        """Draw the accuracy of every rule under every attack."""
        from toadstone.report.federated.plots import plot_federation

        return plot_federation(self.record)

    def write(self, folder: Path) -> None:
        """Write report.html, record.json, matrix.csv and curves.csv."""
        from toadstone.report.files.folders import write_federation

        write_federation(self.record, folder)


@front_door
def federate(
    data: Data,
    *,
    clients: int = 50,
    malicious: Malicious = "10%",
    attacks: str | Sequence[str] | None = None,
    rules: str | Sequence[str] | None = None,
    split: str | None = None,
    group: str | None = None,
    rounds: int = 50,
    seeds: int = 3,
    momentum: float = 0.9,
    rows: int = 10_000,
    test_rows: int = 2000,
    root_rows: int = 100,
    vote_groups: int = 0,
    model: str = "linear",
    rate: float | None = None,
    steps: int = 5,
    batch: int = 32,
    seed: int = 0,
    workers: int | None = None,
    out: str | os.PathLike[str] | None = None,
    force: bool = False,
    max_seconds: float | None = None,
    **reading: Unpack[Reading],
) -> FederateResult:
    """Train in rounds with malicious clients, by every attack and behind every rule.

    The data are taken as clean. For each seed, rows are drawn and dealt to
    clients, some of which are malicious; each attack says what these send, and
    each rule what the server adds to the model. All of it happens in one
    process, without Flower; the same rules guard a Flower strategy by
    `toadstone.federated.robust`.

    Parameters
    ----------
    data : path, name, data frame, (X, y), Dataset or Split
        A file, a name that ``toadstone datasets`` lists, a pandas, polars or
        pyarrow data frame, a pair of arrays, or what `load` and `read` return.
    clients : int
    malicious : int, str or sequence of both
        How many of the clients, or a share such as "10%"; several are tried
        one after the other. The attacker controls so many, and the rule
        reckons with so many.
    attacks, rules : str or sequence of str, optional
        Names such as "alie" and "nnm+trimmed-mean", or "all"; a choice of both
        by default.
    split : str, optional
        "dirichlet:A" with a concentration A, "iid" or "column"; by default
        "column" beside a group and "dirichlet:0.1" else.
    group : str, optional
        Column of hospital, annotator or device, which is then no feature: the
        rows of a client are from one source.
    rounds : int
    seeds : int
        How many; means carry intervals over them.
    momentum : float
        Of the clients, in [0, 1).
    rows, test_rows : int
        At most so many training rows of a seed, and test rows.
    root_rows : int
        Rows of the server's own, for the rules that need some; they are drawn
        from the training rows and given to no client.
    vote_groups : int
        Groups of clients, each of which trains a model of its own with the
        first seed's rows; their vote is certified. 0 for none.
    model : {"linear", "cnn"}
        Softmax regression, or a small convolutional network for images, which
        needs PyTorch.
    rate : float, optional
        Length of a client's step; 0.5 for the linear model and 0.1 for the
        network by default.
    steps, batch : int
        Steps of a client in a round, and rows a step.
    seed : int
        Seed of all that is random, from 0.
    workers : int, optional
        Processes, one for each available core by default; results do not depend on it.
    out : path, optional
        Folder of finished trials: the same call goes on from them.
    force : bool
        Begin anew in that folder, and give up an older simulation in it.
    max_seconds : float, optional
        Begin nothing new after so many seconds: trials that have not begun are
        skipped, and `unfinished` of the result says so; with `out`, the same
        call goes on from the finished ones.
    **reading
        Options of how data are read, those of `toadstone.read`: label, text
        and more.

    Returns
    -------
    FederateResult

    Raises
    ------
    InvalidInput
        If the data or an option cannot be used.

    Examples
    --------
    >>> import toadstone
    >>> result = toadstone.federate(
    ...     "breast-cancer", clients=10, malicious=2, attacks="ipm", rules="trimmed-mean", rounds=10, seeds=1,
    ...     split="iid", workers=1)
    >>> [cell.rule for cell in result.record.cells if cell.attack == "ipm"]
    ['mean', 'trimmed-mean']
    """
    deadline = Deadline(max_seconds)
    run, request = current_run("federate"), replace(request_of(reading, seed), group=group)
    plan = FederationPlan(
        clients=clients,
        malicious=malicious_of(malicious, clients),
        attacks=names_of(attacks),
        rules=names_of(rules),
        split=split or ("dirichlet:0.1" if group is None else "column"),
        group=group,
        rounds=rounds,
        seed=request.random_state,
        seeds=seeds,
        momentum=momentum,
        rows=rows,
        test_rows=test_rows,
        root_rows=root_rows,
        vote_groups=vote_groups,
        training=LocalTraining(model, rate, steps, batch),
        command=run.command,
    )
    processes = workers_of(workers)
    folder = None if out is None else Path(out)
    with nullcontext() if folder is None else claimed(folder):
        given = open_data(data, request)
        run.watch.announce("dealing rows to clients")
        setup = prepare_federation(given.split, replace(plan, source=given.source))
        run.watch.announce("trials")
        run.watch.expect(len(setup.planned))
        with journal_of(folder, setup.digest, trial=FederatedTrial, run="federation", force=force) as journal:
            record = run_federation_matrix(
                setup, journal=journal, workers=processes, deadline=deadline, on_unit=run.watch.step
            )
    return FederateResult(given, record, folder, unfinished=late_trials(record.trials, deadline))


def malicious_of(asked: Malicious, clients: int) -> tuple[int, ...]:
    """Read numbers of malicious clients, or shares of all, as distinct numbers in rising order.

    Shares are rounded to whole clients, and are at least one.

    Raises
    ------
    InvalidArgument
        If one is neither a whole number from 1 nor a share below 50 %.

    Examples
    --------
    >>> malicious_of("1,10%", 50), malicious_of(5, 50), malicious_of(["1%", 2], 50)
    ((1, 5), (5,), (1, 2))
    """
    if isinstance(asked, str):
        several: list[int | str] = list(asked.split(","))
    else:
        several = list(asked) if isinstance(asked, Sequence) else [asked]
    return tuple(sorted({_number(one, clients) for one in several}))


def _number(one: int | str, clients: int) -> int:
    expected = "whole numbers from 1, or shares such as 10%, by commas"
    if not isinstance(one, str):
        if isinstance(one, bool) or not isinstance(one, Integral) or one < 1:
            raise InvalidArgument("malicious", expected, one)
        return int(one)
    text = one.strip()
    if text.endswith("%"):
        try:
            share = float(text[:-1]) / 100
        except ValueError:
            raise InvalidArgument("malicious", expected, one) from None
        if not 0 < share < 0.5:
            raise InvalidArgument("malicious", "a share between 0 and 50 %", one)
        return max(1, int(share * clients + 0.5))
    if not (text.isascii() and text.isdigit()):
        raise InvalidArgument("malicious", expected, one)
    return int(text)
