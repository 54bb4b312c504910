"""The command `toadstone datasets`."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from toadstone.console import columns
from toadstone.options import json_flag


@click.command(epilog="\b\nExamples:\n  toadstone datasets\n  toadstone datasets --json")
@json_flag("the catalogue")
def datasets(as_json: bool) -> None:
    """List the data sets known by name: training rows x columns.

    They are looked for in the folder that the environment variable
    TOADSTONE_DATA names, then in the cache, and are otherwise downloaded from
    their publishers when first used.
    """
    from toadstone.datasets import ENTRIES
    from toadstone.report.text.formats import flow

    if as_json:
        click.echo(json.dumps([asdict(entry) for entry in ENTRIES], indent=2, allow_nan=False))
        return
    width = max(len(entry.name) for entry in ENTRIES)
    for entry in ENTRIES:
        start = f"{entry.name:{width}} {entry.rows:>7,} x {entry.features:<6,}  "
        click.echo(flow(start + entry.title, columns(), indent=len(start)))
