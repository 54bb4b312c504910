"""The command `toadstone sanitize`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toadstone.console import Progress, columns, say
from toadstone.options import Source, choice, epilog, folder_if_named, json_flag, number, path, reading

if TYPE_CHECKING:
    from toadstone.pipeline.sanitize import Cleaning


@click.command(
    short_help="Remove the most suspicious rows of each class.",
    epilog=epilog(
        "toadstone sanitize digits-1-7 --out cleaned",
        "toadstone sanitize mails.csv --text body --label spam --method knn",
        "toadstone sanitize rows.parquet --method svd --json",
    ),
)
@choice(
    "--method",
    ["l2", "slab", "loss", "svd", "knn"],
    "What makes a row suspicious: its distance to the class mean "
    "(l2), that distance along the line between the means (slab), its loss (loss), its distance from the main "
    "directions (svd) or from its nearest neighbours (knn).",
)
@number("--remove", "SHARE", "Share of each class to remove, in (0, 0.5).", 0.05)
@path("--out", "DIR", "New folder for removed.csv and the kept rows.")
@json_flag("the outcome")
@number("--ridge", "L", "Penalty of the model that loss trains: L/2 times the squared norm.", 0.01)
@choice("--variant", ["paper", "reference"], "Definition of svd and knn: the paper's, or that of its authors' code.")
@reading(click.argument("data"))
def sanitize(
    source: Source,
    seed: int,
    method: str,
    remove: float,
    ridge: float,
    variant: str,
    out: Path | None,
    as_json: bool,
) -> None:
    """Remove the most suspicious rows of each class.

    With --out, writes removed.csv (row, label, score, reason) and the kept
    rows, in the format of DATA, into a new folder. Rows count from 0.
    """
    from toadstone.pipeline.harness.judge import Defence
    from toadstone.pipeline.sanitize import clean_rows
    from toadstone.report.text.audit_text import removal_lines

    defence = Defence(contamination=remove, ridge=ridge, variant=variant, seed=seed)
    with folder_if_named(out) as aside, Progress("reading") as progress:
        split = source.read()
        progress.announce(f"sanitizing by {method}")
        cleaning = clean_rows(split, defence, method)
        if aside is not None:
            _write_cleaning(cleaning, aside, Path(source.data))
    if as_json:
        click.echo(json.dumps(cleaning.summary(), indent=2, allow_nan=False))
        return
    click.echo(f"{method} removes {len(cleaning.removals)} of {cleaning.n_rows} rows ({remove:.3g} of each class).")
    say(removal_lines(cleaning.removals, columns()))
    if out is not None:
        click.echo(f"Written to {out}.")


def _write_cleaning(cleaning: Cleaning, folder: Path, source: Path) -> None:
    """The log, and the kept rows: of a file in its own format, of a named data set as arrays."""
    from toadstone.datasets.readers.rows import write_kept_rows
    from toadstone.report.files.tables import write_removals

    write_removals(cleaning.removals, folder / "removed.csv")
    write_kept_rows(cleaning.data.take(cleaning.kept), source, folder, stem="kept")
