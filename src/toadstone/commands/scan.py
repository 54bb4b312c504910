"""The command `toadstone scan`."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path

import click

from toadstone.commands.gates import gate_false_alarms, gate_flagged
from toadstone.console import Progress, columns, say
from toadstone.options import Source, epilog, folder_if_named, json_flag, number, path, reading


@click.command(
    short_help="Rank suspicious rows by detectors, each with its promise.",
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
@path("--trusted", "FILE", "Rows that you vouch for, none in DATA: thresholds come from them. In the format of DATA.")
@path("--out", "DIR", "New folder for report.html, record.json, suspects.csv and scan.sarif.")
@json_flag("the record")
@number("--fail-if-flagged-above", "SHARE", "Exit 1 if a detector flags more than this share of the rows.")
@click.option(
    "--fail-if-exceeded",
    is_flag=True,
    help="Exit 1 if a detector flags more rows than its promise for clean rows and chance explain.",
)
@reading(click.argument("data"))
def scan(
    source: Source,
    seed: int,
    detectors: str | None,
    false_alarm_rate: float | None,
    trusted: Path | None,
    out: Path | None,
    fail_if_flagged_above: float | None,
    fail_if_exceeded: bool,
    as_json: bool,
) -> int:
    """Run detectors over all rows of a file, and rank what they flag.

    No detector is told how much poison there is, or what it is for. Each
    promises to flag at most a small share of clean rows, and says from which
    share of poison on it could have noticed. Thresholds come from the scores
    of the rows themselves, or from those of trusted rows, which find more.
    """
    from toadstone.pipeline.gate import check_limit
    from toadstone.pipeline.scan import ScanPlan
    from toadstone.pipeline.scan import scan as run
    from toadstone.report.files.folders import write_scan
    from toadstone.report.text.audit_text import scan_lines

    check_limit("fail_if_flagged_above", fail_if_flagged_above, most=1.0)
    chosen = () if detectors is None else tuple(name.strip() for name in detectors.split(","))
    command = shlex.join(["toadstone", *sys.argv[1:]])
    plan = ScanPlan(detectors=chosen, false_alarm_rate=false_alarm_rate, seed=seed, command=command)
    with folder_if_named(out) as aside, Progress("reading", len(plan.names)) as progress:
        split = source.read()
        plan = replace(plan, source=source.origin(split))
        vouched = None if trusted is None else source.read_trusted(trusted, split)
        record = run(split, plan, trusted=vouched, on_stage=progress.announce, on_step=progress.step)
        if aside is not None:
            write_scan(record, aside)
    if as_json:
        click.echo(record.to_json())
    else:
        say([*scan_lines(record, columns()), *([] if out is None else ["", f"Report: {out / 'report.html'}"])])
    return max(gate_flagged(record, fail_if_flagged_above), gate_false_alarms(record) if fail_if_exceeded else 0)
