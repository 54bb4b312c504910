"""The command `toadstone defend`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from toadstone.commands.gates import gate_drop, gate_removed, gate_unfinished
from toadstone.console import running, show
from toadstone.options import FORCE, epilog, folder_if_named, json_flag, max_seconds, number, path, reading


@click.command(
    short_help="Remove the rows that detectors flag, and measure the cost.",
    epilog=epilog(
        "toadstone defend mails.csv --text body --label spam --out defended",
        "toadstone defend rows.csv --trusted checked.csv --max-removed 0.05 --out out",
        "toadstone defend sms --detectors mahalanobis,label-errors,spectral --json",
    ),
)
@path("--out", "DIR", "New folder for the kept rows, removals.csv, record.json and report.html.")
@FORCE
@click.option(
    "--detectors",
    metavar="NAMES",
    help="Detectors and sanitizers that filter, in this order, by commas.  [default: mahalanobis,label-errors]",
)
@number("--max-removed", "SHARE", "Share of the rows that may be removed in all, in [0, 0.5).", 0.1)
@path("--trusted", "FILE", "Rows known to be clean, none in DATA and in its format: for thresholds and validation.")
@json_flag("the record")
@number("--fail-if-removed-above", "SHARE", "Exit 1 if more than this share of the rows is removed.")
@number(
    "--fail-if-accuracy-drops-above",
    "SHARE",
    "Exit 1 unless accuracy on trusted rows, or else on a published test set, surely drops by at most this.",
)
@max_seconds("the other filters are skipped")
@reading(click.argument("data"))
def defend(
    data: str,
    out: Path | None,
    force: bool,
    as_json: bool,
    fail_if_removed_above: float | None,
    fail_if_accuracy_drops_above: float | None,
    **options: Any,
) -> int:
    """Remove the rows that detectors flag, train on the rest, and measure the cost in accuracy.

    Detectors look one after another at the rows that are left; the most
    suspicious are removed first, until the share of --max-removed is reached.
    After each the model is trained again, and tested on trusted rows or else
    on the kept rows themselves, out of fold. With --out, writes the kept rows
    in the format of DATA, and the removed ones with detector and reason.
    """
    from toadstone.front.defend import defend as run
    from toadstone.pipeline.gate import check_limit

    check_limit("fail_if_removed_above", fail_if_removed_above, most=1.0)
    check_limit("fail_if_accuracy_drops_above", fail_if_accuracy_drops_above, most=1.0)
    with folder_if_named(out, data, options["trusted"], force=force) as aside, running("reading"):
        result = run(data, **options)
        if aside is not None:
            result.write(aside)
    show(result, out, as_json=as_json)
    return max(
        gate_removed(result.record, fail_if_removed_above),
        gate_drop(result.record, fail_if_accuracy_drops_above),
        gate_unfinished(result.unfinished, fail_if_removed_above, fail_if_accuracy_drops_above),
    )
