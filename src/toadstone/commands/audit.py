"""The command `toadstone audit`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from toadstone.commands.gates.limits import gate_certificate, gate_error, gate_unfinished
from toadstone.console import remark, running, show
from toadstone.options import (
    FORCE,
    FRACTION,
    THREAT,
    epilog,
    json_flag,
    max_seconds,
    new_folder,
    number,
    path,
    reading,
    stem,
)


@click.command(
    short_help="Certify, attack, defend, rank rows; write a report.",
    epilog=epilog(
        "toadstone audit digits-1-7 --fraction 0.03 --out report",
        "toadstone audit mails.csv --text body --label spam --fraction 0.01",
        "toadstone audit enron --fraction 0.03 --quantile 0.7 --norm-squared 6",
        "toadstone audit rows.parquet --fraction 0.02 --fail-if-error-above 0.1",
        "toadstone audit rows.csv --model sklearn.ensemble:RandomForestClassifier",
    ),
)
@click.option("--fraction", type=float, default=0.03, show_default=True, metavar="F", help=FRACTION)
@path("--out", "DIR", "New folder for the results.  [default: audit-NAME]")
@FORCE
@json_flag("the record")
@number("--fail-if-certified-above", "B", "Exit 1 unless the certified bound, a training loss, is at most B.")
@number(
    "--fail-if-error-above",
    "E",
    "Exit 1 unless the best defence surely keeps the test error under attack within E: its 95 % interval ends there or "
    "below. A share: 0.1 is one in ten.",
)
@number("--remove", "SHARE", "Share of each class that a defence removes, in (0, 0.5).", 0.05)
@path(
    "--poison",
    "NPZ",
    "Evaluate these rows too: X or its CSR parts, and y; within fraction and domain. Repeatable.",
    multiple=True,
)
@click.option(
    "--attacks",
    metavar="NAMES",
    help="Attacks to try besides the certificate's own, aimed at the training rows, by commas; or none.  [default: "
    "label-flip,kkt,kkt-influence; with more than two classes label-flip,min-max]",
)
@click.option(
    "--defences",
    default="l2,slab,loss,svd,knn,verdict",
    show_default=True,
    metavar="NAMES",
    help="Sanitizers and the verdict, to try beside no defence at all, by commas.",
)
@click.option(
    "--model",
    metavar="MODULE:NAME",
    help="What is trained and reported: an estimator, or a function that returns one, of a module in the current "
    "directory or installed. It gets the prepared columns.  [default: a linear model]",
)
@click.option("--workers", type=int, metavar="N", help="Processes.  [default: one for each available core]")
@THREAT
@max_seconds("the other attacks are left out")
@reading(click.argument("data"))
def audit(
    data: str,
    out: Path | None,
    force: bool,
    attacks: str | None,
    fail_if_certified_above: float | None,
    fail_if_error_above: float | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Certify, attack, defend, rank suspicious rows, and write a report.

    Writes report.html, record.json and suspects.csv into a new folder, and
    with two classes certificate.json with its .npz, and poison.npz. Three and
    more classes are attacked and defended, without a certificate.
    """
    from toadstone.front.audit import audit as run
    from toadstone.pipeline.audit import best_cell
    from toadstone.pipeline.gate import check_limit

    check_limit("fail_if_certified_above", fail_if_certified_above)
    check_limit("fail_if_error_above", fail_if_error_above, most=1.0)
    folder = out or Path(f"audit-{stem(data)}")
    with new_folder(folder, data, *options["poison"], force=force) as aside, running("reading"):
        result = run(data, attacks=() if attacks == "none" else attacks, **options)
        result.write(aside)
    show(result, folder, as_json=as_json)
    if as_json and out is None:
        remark(f"the report is {folder / 'report.html'}")
    point = result.record.headline
    cell = best_cell(result.record.evaluations)
    return max(
        gate_certificate(point, fail_if_certified_above),
        gate_error(cell, fail_if_error_above, conclusive=point is None or point.conclusive),
        gate_unfinished(result.unfinished, fail_if_certified_above, fail_if_error_above),
    )
