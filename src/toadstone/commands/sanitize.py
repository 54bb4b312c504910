"""The command `toadstone sanitize`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from toadstone.console import running, show
from toadstone.options import FORCE, TARGET, choice, epilog, folder_if_named, json_flag, number, path, reading


@click.command(
    short_help="Remove the most suspicious rows of each class.",
    epilog=epilog(
        "toadstone sanitize digits-1-7 --out cleaned",
        "toadstone sanitize mails.csv --text body --label spam --method knn",
        "toadstone sanitize rows.parquet --method svd --json",
    ),
)
@click.option(
    "--method",
    type=click.Choice(["l2", "slab", "loss", "svd", "knn", "trim", "sever"]),
    help="Score of a row: its distance to the class mean "
    "(l2), that distance along the line between the means (slab), its loss (loss), its distance from the main "
    "directions (svd) or from its nearest neighbours (knn). Of a numeric target: its squared error at the ridge "
    "model of all rows (loss) or of those that it fits best (trim), or its gradient along their main direction "
    "(sever).  [default: l2, or trim for a numeric target]",
)
@number("--remove", "SHARE", "Share of each class to remove, in (0, 0.5).", 0.05)
@path("--out", "DIR", "New folder for removed.csv and the kept rows.")
@FORCE
@json_flag("the outcome")
@number("--ridge", "L", "Penalty of the model that loss trains: L/2 times the squared norm.", 0.01)
@choice("--variant", ["paper", "reference"], "Definition of svd and knn: the paper's, or that of its authors' code.")
@TARGET
@reading(click.argument("data"))
def sanitize(data: str, out: Path | None, force: bool, as_json: bool, **options: Any) -> None:
    """Remove the most suspicious rows of each class.

    With --out, writes removed.csv (row, label, score, reason) and the kept
    rows, in the format of DATA, into a new folder. Rows count from 0.
    """
    from toadstone.front.sanitize import sanitize as run

    with folder_if_named(out, data, force=force) as aside, running("reading"):
        result = run(data, **options)
        if aside is not None:
            result.write(aside)
    show(result, out, as_json=as_json, page=None)
