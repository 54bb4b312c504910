"""The command `toadstone scan`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from toadstone.commands.gates.limits import gate_exceeded, gate_flagged, gate_groups, gate_rows, gate_unfinished
from toadstone.console import running, show
from toadstone.options import (
    CIRCUMSTANCES,
    FORCE,
    REPRESENT,
    TARGET,
    epilog,
    folder_if_named,
    json_flag,
    max_seconds,
    number,
    path,
    reading,
)


@click.command(
    short_help="List rows that look wrong, with reasons.",
    epilog=epilog(
        "toadstone scan mails.csv --text body --label spam",
        "toadstone scan homes.csv --target price",
        "toadstone scan patients.csv --label outcome --group hospital --time admitted",
        "toadstone scan adult --detectors spectral,label-errors --json",
        "toadstone scan mails.csv --text body --label spam --trusted checked.csv",
        "toadstone scan rows.parquet --fail-if-rows-above 0.01 --fail-if-groups",
    ),
)
@click.option(
    "--detectors",
    metavar="NAMES",
    help="Which to run, by commas; verdict is a name too, and none is the verdict alone.  [default: verdict and all]",
)
@number(
    "--false-alarm-rate", "SHARE", "Share of clean rows that each detector may flag, in (0, 0.1].  [default: its own]"
)
@path("--trusted", "FILE", "Rows known to be clean, none in DATA and in its format: verdict and thresholds use them.")
@path("--test", "FILE", "Rows that models are tested on, in the format of DATA: those that are in DATA too are named.")
@REPRESENT
@CIRCUMSTANCES
@path("--out", "DIR", "New folder for report.html, record.json, suspects.csv, scores.csv and scan.sarif.")
@FORCE
@json_flag("the record")
@click.option(
    "--fail-if-rows-above",
    metavar="N|SHARE",
    help="Exit 1 if more rows look wrong: 3 is three rows, 0.01 one of a hundred.",
)
@click.option(
    "--fail-if-groups",
    is_flag=True,
    help="Exit 1 if a group of rows does not look like its label, or copies of a row have different labels.",
)
@number("--fail-if-flagged-above", "SHARE", "Exit 1 if a detector flags more than this share of the rows.")
@click.option(
    "--fail-if-exceeded",
    is_flag=True,
    help="Exit 1 if a detector flags more rows than its false-alarm rate and chance explain.",
)
@max_seconds("what remains is skipped")
@TARGET
@reading(click.argument("data"))
def scan(
    data: str,
    out: Path | None,
    force: bool,
    as_json: bool,
    fail_if_rows_above: str | None,
    fail_if_groups: bool,
    fail_if_flagged_above: float | None,
    fail_if_exceeded: bool,
    **options: Any,
) -> int:
    """List the rows that look wrong, with reasons, and groups of rows that do not look like their label.

    A verdict lists rows whose label their values contradict, says how many of
    them are expected to be innocent, and suggests labels. Where classes
    overlap so that the data cannot tell, it ranks rows for review instead.
    Detectors are further evidence; each flags at most a stated share of clean
    rows. Nothing knows how much poison there is, or its purpose.
    """
    from toadstone.commands.gates.target_limits import gate_targets
    from toadstone.core.errors import InvalidArgument
    from toadstone.front.scan import scan as run
    from toadstone.front.targets import TargetScanResult
    from toadstone.pipeline.gate import check_limit, rows_allowed

    check_limit("fail_if_flagged_above", fail_if_flagged_above, most=1.0)
    rows_allowed("fail_if_rows_above", fail_if_rows_above, 1)
    inputs = (data, options["trusted"], options["test"], options["represent"])
    with folder_if_named(out, *inputs, force=force) as aside, running("reading"):
        result = run(data, **options)
        if fail_if_groups and isinstance(result, TargetScanResult):
            raise InvalidArgument("fail_if_groups", "nothing for a numeric target, which has no groups", "it")
        if aside is not None:
            result.write(aside)
    show(result, out, as_json=as_json)
    if isinstance(result, TargetScanResult):
        return gate_targets(result.record, fail_if_rows_above, fail_if_flagged_above, evidence=fail_if_exceeded)
    named = options["detectors"] is not None
    return max(
        gate_rows(result.record, fail_if_rows_above),
        gate_groups(result.record, wanted=fail_if_groups),
        gate_flagged(result.record, fail_if_flagged_above, named=named),
        gate_exceeded(result.record, named=named) if fail_if_exceeded else 0,
        gate_unfinished(result.unfinished, fail_if_rows_above, fail_if_groups, fail_if_flagged_above, fail_if_exceeded),
    )
