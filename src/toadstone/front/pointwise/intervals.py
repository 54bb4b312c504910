"""Result of certified intervals of numeric predictions."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from toadstone.core.files import written_aside
from toadstone.datasets.readers.request import Request
from toadstone.front.inputs import Data, Given, open_targets
from toadstone.front.results import Result
from toadstone.front.run import current_run
from toadstone.pipeline.certification.label_flips import FlipPlan
from toadstone.pipeline.certification.targets import TargetThreat, certify_targets
from toadstone.records.guarantees.intervals import IntervalSummary
from toadstone.records.serial import as_fields
from toadstone.report.certificates.interval_text import interval_lines


class IntervalResult(Result):
    """Intervals of the predictions for test rows with a numeric target, for each penalty; its record is a list."""

    def __init__(self, given: Given, found: Sequence[IntervalSummary]) -> None:
        self.summaries = tuple(found)
        super().__init__(given, [_named(summary) for summary in found])

    def lines(self, width: int | None = None) -> list[str]:
        """Say how far predictions can be moved, penalty by penalty, and what is assumed."""
        return interval_lines(self.summaries, width)

    def columns(self) -> tuple[None, Mapping[str, Sequence[Any]]]:
        """Give a row for each penalty and test row: its prediction and the ends of its intervals."""
        pairs = [(one, row) for one in self.summaries for row in one.rows]
        table: dict[str, list[Any]] = {
            "lambda": [one.lambda_ for one, _ in pairs],
            "row": [row.row for _, row in pairs],
            "target": [row.target for _, row in pairs],
            "prediction": [row.prediction for _, row in pairs],
        }
        for key in self.summaries[0].median_change:
            table[f"low at {key}"] = [row.low[key] for _, row in pairs]
            table[f"high at {key}"] = [row.high[key] for _, row in pairs]
        return None, table

    def write(self, folder: Path) -> None:
        """Write the intervals of all test rows as intervals.csv, and the record."""
        _, table = self.columns()
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))
        for name, content in (("intervals.csv", text.getvalue()), ("intervals.json", self.to_json() + "\n")):
            with written_aside(folder / name) as stream:
                stream.write(content.encode())


def _named(summary: IntervalSummary) -> dict[str, Any]:
    """Return a summary as JSON fields; lambda, which Python has a word for, by its name."""
    fields: dict[str, Any] = as_fields(summary)
    return {name.removesuffix("_"): value for name, value in fields.items()}


def certify_intervals(data: Data, request: Request, plan: FlipPlan, threat: TargetThreat) -> IntervalResult:
    """Read data with a numeric target, and certify the intervals of their test rows.

    Raises
    ------
    InvalidInput
        If the data cannot be certified so.
    """
    given = open_targets(data, request)
    watch = current_run("certify").watch
    watch.announce("intervals")
    return IntervalResult(given, certify_targets(given.split, plan, threat, on_certified=watch.step))
