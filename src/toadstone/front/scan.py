"""Scan: rows that look wrong, groups of rows, and facts about a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from toadstone.core.errors import InvalidArgument
from toadstone.datasets.readers.request import Reading
from toadstone.front.inputs import Data, Given, names_of, open_data, request_of
from toadstone.front.networks.pictures import pictures_of
from toadstone.front.networks.representation import is_network, seen_by
from toadstone.front.results import Result
from toadstone.front.run import current_run, front_door
from toadstone.front.targets import TargetReading, TargetScanResult, refuse_options, with_target
from toadstone.front.targets import run_scan as scan_targets
from toadstone.pipeline.harness.clock import Deadline
from toadstone.pipeline.scan import ScanPlan, late_parts
from toadstone.pipeline.scan import scan as run_scan
from toadstone.records.row_scores import RowScores
from toadstone.records.scan import ScanRecord
from toadstone.report.text.scan_headline import next_step, with_rows
from toadstone.report.text.scan_text import scan_lines


class ScanResult(Result):
    """Rows that look wrong, by a scan; its record is a `ScanRecord`.

    Parameters
    ----------
    given : Given
    record : ScanRecord
    scores : RowScores
        Of all rows, listed or not.
    unfinished : str
    """

    record: ScanRecord
    unseen = frozenset({"score", "reasons", "also_flagged_by"})

    def __init__(self, given: Given, record: ScanRecord, scores: RowScores, *, unfinished: str = "") -> None:
        super().__init__(given, record, unfinished=unfinished)
        self.scores = scores

    def lines(self, width: int | None = None) -> list[str]:
        """Say which rows look wrong, and why."""
        return scan_lines(self.record, width)

    def chapters(self) -> Mapping[str, Sequence[str]]:
        """Return the groups of rows, and what to do next."""
        groups = [with_rows(self.record, group) for group in self.record.groups]
        return {"Groups of rows": groups, "Next": [next_step(self.record).removeprefix("Next: ")]}

    def columns(self) -> tuple[Sequence[int], Mapping[str, Sequence[Any]]]:
        """Give the listed rows, then those for review, each the most suspicious first; their status says which."""
        listed, review = self.record.rows, self.record.review
        rows = [*listed, *review]
        return [row.position for row in rows], {
            "status": ["listed"] * len(listed) + ["for review"] * len(review),
            "label": [row.label for row in rows],
            "suggested_label": [row.suggested_label for row in rows],
            "probability": [row.probability for row in rows],
            "score": [row.score for row in rows],
            "group": [row.group for row in rows],
            "reasons": ["; ".join(row.reasons) for row in rows],
            "also_flagged_by": [", ".join(row.also_flagged_by) for row in rows],
            "values": [", ".join(f"{name} {value}" for name, value in row.values.items()) for row in rows],
        }

    def plot(self) -> Any:
        """Draw the scores of all rows in order or, without a verdict, what each detector flags."""
        from toadstone.report.drawings.plots import plot_detectors, plot_scores

        return plot_scores(self.record, self.scores) if self.record.decided else plot_detectors(self.record)

    def write(self, folder: Path) -> None:
        """Write report.html, record.json, suspects.csv, scores.csv and scan.sarif."""
        from toadstone.report.files.folders import write_scan

        write_scan(self.record, self.scores, folder, pictures_of(self.given.split, self.record))


@front_door
def scan(
    data: Data,
    *,
    seed: int = 0,
    detectors: str | Sequence[str] | None = None,
    false_alarm_rate: float | None = None,
    trusted: Data | None = None,
    test: Data | None = None,
    group: str | None = None,
    time: str | None = None,
    represent: Any = None,
    head: str | None = None,
    max_seconds: float | None = None,
    target: str | None = None,
    **reading: Unpack[Reading],
) -> ScanResult | TargetScanResult:
    """Say which rows look wrong and why, which groups of rows do, and what is odd about the table.

    A verdict lists the rows whose label their values contradict, with the
    number of them expected to be innocent, and the groups of rows that share
    rare values which their label does not explain. Where the data cannot tell
    overlapping classes from wrong labels it says so, and ranks rows for review
    instead. Detectors are further evidence: each flags at most a stated share
    of clean rows. Nothing knows how much poison there is, or its purpose.

    Parameters
    ----------
    data : path, name, data frame, (X, y), Dataset or Split
        A file, a name that ``toadstone datasets`` lists, a pandas, polars or
        pyarrow data frame, a pair of arrays, or what `load` and `read` return.
    seed : int
        Seed of all that is random, from 0.
    detectors : str or sequence of str, optional
        Names of detectors, and "verdict"; the verdict and all detectors by
        default. "none" is the verdict alone; names without it are detectors
        alone, and rows are those that they flag.
    false_alarm_rate : float, optional
        Share of clean rows that each detector may flag, in (0, 0.1]; its own
        default otherwise.
    trusted : path, data frame, (X, y) or Dataset, optional
        Rows known to be clean, none of them in `data` and of the same kind:
        they tell overlap from wrong labels, thresholds come from their scores,
        and both find more.
    test : path, data frame, (X, y) or Dataset, optional
        Rows that models are tested on: those of them that are among `data`
        are named. By default the test set that the data publish.
    group, time : str, optional
        Columns of the table that say who a row is from, and when: rows of one
        source or period that do not look like their label are a group. They
        are no features.
    represent : path, matrix, str, Module or callable, optional
        What verdict and detectors look at instead of the columns: a network's
        activations, or embeddings; a row for each row of the data. Trusted
        rows have none, so that the two do not go together. For images, a
        network that was trained on other data, ``"module:factory"`` with
        weights as ``"module:factory@FILE"``, or a `torch.nn.Module`: labels
        are judged in its features, and groups looked for in the pixels.
    head : str, optional
        Name of the network's last layer; the last linear one by default.
    max_seconds : float, optional
        Begin nothing new after so many seconds: what has not begun is skipped,
        and `unfinished` of the result says so.
    target : str, optional
        Column of a numeric target, in place of a label with classes: rows
        whose target is probably wrong are listed.
    **reading
        Options of how data are read, those of `toadstone.read`: label, text
        and more.

    Returns
    -------
    ScanResult
        For a numeric target, a `TargetScanResult`.

    Raises
    ------
    InvalidInput
        If the data or an option cannot be used.

    Examples
    --------
    >>> import toadstone
    >>> result = toadstone.scan("breast-cancer", detectors="spectral")
    >>> result.record.detectors["spectral"].false_alarm_rate
    0.02
    """
    run, deadline = current_run("scan"), Deadline(max_seconds)
    numeric = with_target(data, target, reading)
    if numeric is not None:
        refuse_options(detectors=detectors, false_alarm_rate=false_alarm_rate)
        refuse_options(test=test, group=group, time=time, represent=represent, head=head)
        return scan_targets(TargetReading(data, numeric, seed, run, deadline), trusted)
    network = is_network(represent)
    if represent is not None and trusted is not None and not network:
        raise InvalidArgument("represent", "no trusted rows beside it, for they have no representation", "both")
    plan = ScanPlan(
        detectors=names_of(detectors) or (),
        false_alarm_rate=false_alarm_rate,
        seed=seed,
        group=group,
        time=time,
        command=run.command,
    )
    request = replace(request_of(reading, seed).setting_aside(), group=group, time=time)
    run.watch.expect(plan.steps)
    given = open_data(data, request)
    known = given.trusted(trusted)
    if network:
        run.watch.announce("features")
    plan = replace(
        plan,
        source=given.source,
        represented=None if network else given.represented(represent),
        seen=seen_by(represent, head, given.split, known),
    )
    record, scores = run_scan(
        given.split,
        plan,
        trusted=known,
        test=given.tested(test),
        deadline=deadline,
        on_stage=run.watch.announce,
        on_step=run.watch.step,
    )
    return ScanResult(given, record, scores, unfinished=late_parts(record, deadline))
