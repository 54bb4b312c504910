"""The command `toadstone defend`."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path

import click

from toadstone.commands.gates import gate_drop, gate_removed
from toadstone.console import Progress, columns, say
from toadstone.options import Source, epilog, folder_if_named, json_flag, number, path, reading


@click.command(
    short_help="Remove what detectors flag, and say what that costs.",
    epilog=epilog(
        "toadstone defend mails.csv --text body --label spam --out defended",
        "toadstone defend rows.csv --trusted checked.csv --max-removed 0.05 --out out",
        "toadstone defend sms --detectors mahalanobis,label-errors,spectral --json",
    ),
)
@path("--out", "DIR", "New folder for the kept rows, removals.csv, record.json and report.html.")
@click.option(
    "--detectors",
    metavar="NAMES",
    help="Detectors and sanitizers that filter, in this order, by commas.  [default: mahalanobis,label-errors]",
)
@number("--max-removed", "SHARE", "Share of the rows that may be removed in all, in [0, 0.5).", 0.1)
@path("--trusted", "FILE", "Rows that you vouch for, none in DATA: for thresholds and validation. Format of DATA.")
@json_flag("the record")
@number("--fail-if-removed-above", "SHARE", "Exit 1 if more than this share of the rows is removed.")
@number(
    "--fail-if-accuracy-drops-above",
    "SHARE",
    "Exit 1 unless accuracy on trusted rows, or else on a published test set, surely drops by at most this.",
)
@reading(click.argument("data"))
def defend(
    source: Source,
    seed: int,
    out: Path | None,
    detectors: str | None,
    max_removed: float,
    trusted: Path | None,
    fail_if_removed_above: float | None,
    fail_if_accuracy_drops_above: float | None,
    as_json: bool,
) -> int:
    """Remove what detectors flag, train on the rest, and say what that costs.

    Detectors look one after another at the rows that are left; the most
    suspicious go first, until the share of --max-removed is reached. After
    each the model is trained again, and judged on trusted rows or else on the
    kept rows themselves, out of fold. With --out, writes the kept rows in the
    format of DATA, and what went, by which detector and why.
    """
    from toadstone.datasets.readers.rows import write_kept_rows
    from toadstone.pipeline.defend import DefencePlan
    from toadstone.pipeline.defend import defend as run
    from toadstone.pipeline.gate import check_limit
    from toadstone.pipeline.layers.named_steps import FILTERS
    from toadstone.report.files.folders import write_defence
    from toadstone.report.text.defence_text import defence_lines

    check_limit("fail_if_removed_above", fail_if_removed_above, most=1.0)
    check_limit("fail_if_accuracy_drops_above", fail_if_accuracy_drops_above, most=1.0)
    chosen = FILTERS if detectors is None else tuple(name.strip() for name in detectors.split(","))
    command = shlex.join(["toadstone", *sys.argv[1:]])
    plan = DefencePlan(detectors=chosen, max_removed=max_removed, seed=seed, command=command)
    with folder_if_named(out) as aside, Progress("reading") as progress:
        split = source.read()
        vouched = None if trusted is None else source.read_trusted(trusted, split)
        record, kept = run(
            split, replace(plan, source=source.origin(split)), trusted=vouched, on_stage=progress.announce
        )
        if aside is not None:
            progress.announce("writing")
            write_defence(record, aside)
            write_kept_rows(kept, Path(source.data), aside, stem="cleaned")
    if as_json:
        click.echo(record.to_json())
    else:
        say([*defence_lines(record, columns()), *([] if out is None else ["", f"Report: {out / 'report.html'}"])])
    return max(gate_removed(record, fail_if_removed_above), gate_drop(record, fail_if_accuracy_drops_above))
