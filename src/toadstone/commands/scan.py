"""The command `toadstone scan`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from toadstone.commands.gates import gate_exceeded, gate_flagged, gate_unfinished
from toadstone.console import running, show
from toadstone.options import FORCE, epilog, folder_if_named, json_flag, max_seconds, number, path, reading


@click.command(
    short_help="Rank suspicious rows by detectors.",
    epilog=epilog(
        "toadstone scan mails.csv --text body --label spam",
        "toadstone scan adult --detectors spectral,label-errors --json",
        "toadstone scan mails.csv --text body --label spam --trusted checked.csv",
        "toadstone scan rows.parquet --out scan-rows --fail-if-flagged-above 0.05",
    ),
)
@click.option("--detectors", metavar="NAMES", help="Which to run, by commas.  [default: all]")
@number(
    "--false-alarm-rate", "SHARE", "Share of clean rows that each detector may flag, in (0, 0.1].  [default: its own]"
)
@path("--trusted", "FILE", "Rows known to be clean, none in DATA and in its format: thresholds come from them.")
@path("--out", "DIR", "New folder for report.html, record.json, suspects.csv and scan.sarif.")
@FORCE
@json_flag("the record")
@number("--fail-if-flagged-above", "SHARE", "Exit 1 if a detector flags more than this share of the rows.")
@click.option(
    "--fail-if-exceeded",
    is_flag=True,
    help="Exit 1 if a detector flags more rows than its false-alarm rate and chance explain.",
)
@max_seconds("the other detectors are skipped")
@reading(click.argument("data"))
def scan(
    data: str,
    out: Path | None,
    force: bool,
    as_json: bool,
    fail_if_flagged_above: float | None,
    fail_if_exceeded: bool,
    **options: Any,
) -> int:
    """Run detectors over all rows, and rank the rows that they flag.

    No detector knows how much poison there is, or its purpose. Each flags at
    most a stated share of clean rows, and says which share of poison it can
    detect. Thresholds come from the scores of the rows themselves, or from
    those of trusted rows, which find more.
    """
    from toadstone.front.scan import scan as run
    from toadstone.pipeline.gate import check_limit

    check_limit("fail_if_flagged_above", fail_if_flagged_above, most=1.0)
    with folder_if_named(out, data, options["trusted"], force=force) as aside, running("reading"):
        result = run(data, **options)
        if aside is not None:
            result.write(aside)
    show(result, out, as_json=as_json)
    named = options["detectors"] is not None
    return max(
        gate_flagged(result.record, fail_if_flagged_above, named=named),
        gate_exceeded(result.record, named=named) if fail_if_exceeded else 0,
        gate_unfinished(result.unfinished, fail_if_flagged_above, fail_if_exceeded),
    )
