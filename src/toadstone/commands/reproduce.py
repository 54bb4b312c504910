"""The command `toadstone reproduce`."""

from __future__ import annotations

import json
import math
import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toadstone.console import Progress, columns, complain, quiet_workers, say
from toadstone.options import FORCE, choice, folder_if_named, json_flag, number, path
from toadstone.signals import code_behind

if TYPE_CHECKING:
    from toadstone.experiments.conditions import Scale

_EXAMPLES = (
    "toadstone reproduce --list",
    "toadstone reproduce p17-enron",
    "toadstone reproduce p17-mnist-1-7 --out mnist-1-7",
    "toadstone reproduce p17-enron --json",
    "toadstone reproduce epic-transfer --work epic-transfer",
)


@click.command(
    short_help="Measure a paper's figure or table again, beside the paper's.",
    epilog="\b\nExamples:\n" + "\n".join(f"  {example}" for example in _EXAMPLES),
)
@click.argument("name", required=False)
@click.option("--list", "listing", is_flag=True, help="Print what can be reproduced, and nothing else.")
@path("--out", "DIR", "New folder for report.html and record.json.")
@FORCE
@click.option("--seed", type=int, metavar="N", default=0, show_default=True, help="Seed of all that is random, from 0.")
@click.option("--workers", type=int, metavar="N", help="Processes.  [default: one for each available core]")
@choice("--scale", ["cpu", "full"], "Experiments on networks: minutes on two cores, or hours on a graphics card.")
@path("--work", "DIR", "Folder where an experiment on networks keeps its trials; the same run goes on from it.")
@number("--minutes", "M", "Begin no trial of networks after so many, and report the finished ones.")
@click.option(
    "--targets",
    type=int,
    metavar="N",
    help="Targets of epic-transfer, epic-transfer-unseen and epic-fine-tuning.  [default: 20, full: 100]",
)
@json_flag("the record, or with --list the catalogue,")
def reproduce(
    name: str | None,
    listing: bool,
    out: Path | None,
    force: bool,
    seed: int,
    workers: int | None,
    scale: Scale,
    work: Path | None,
    minutes: float | None,
    targets: int | None,
    as_json: bool,
) -> None:
    """Measure a figure or table of a paper again, and print the paper's figures beside ours.

    NAME is one that --list prints. Each figure of the paper carries its
    source; where the stored text of the paper does not have it, the cell says
    so. The data sets are those of `toadstone datasets`.
    """
    if listing:
        _list(as_json=as_json)
        return
    from toadstone.core.errors import InvalidArgument
    from toadstone.experiments.catalogue import find
    from toadstone.experiments.conditions import Conditions
    from toadstone.experiments.run import reproduce as run
    from toadstone.pipeline.harness.threads import available_cores
    from toadstone.report.files.folders import write_reproduction
    from toadstone.report.text.comparisons import reproduction_lines

    if name is None:
        raise InvalidArgument("name", "one that `toadstone reproduce --list` prints", "none")
    experiment = find(name)
    with folder_if_named(out, work, force=force) as aside, quiet_workers(), Progress("reading") as progress:
        conditions = Conditions(
            seed=seed,
            workers=workers if workers is not None else available_cores(),
            scale=scale,
            work=work,
            minutes=minutes if minutes is not None else math.inf,
            targets=targets,
            on_stage=progress.announce,
            on_step=progress.step,
        )
        try:
            record = run(experiment, conditions, command=shlex.join(["toadstone", *sys.argv[1:]]))
        except BaseException as error:
            if code_behind(error) is not None and work is not None and work.is_dir():
                complain(f"finished trials are in {work}; the same command goes on from there")
            raise
        if aside is not None:
            write_reproduction(record, aside)
    if as_json:
        click.echo(record.to_json())
    else:
        say([*reproduction_lines(record, columns()), *([] if out is None else ["", f"Report: {out / 'report.html'}"])])


def _list(*, as_json: bool) -> None:
    """The catalogue: name, minutes, data, what is shown, where in which paper."""
    from toadstone.experiments.catalogue import EXPERIMENTS
    from toadstone.report.text.formats import flow

    if as_json:
        click.echo(json.dumps([asdict(experiment) for experiment in EXPERIMENTS], indent=2, allow_nan=False))
        return
    for paper in dict.fromkeys(experiment.paper for experiment in EXPERIMENTS):
        say([flow(paper, columns()), ""])
        width = max(len(experiment.name) for experiment in EXPERIMENTS)
        for experiment in (entry for entry in EXPERIMENTS if entry.paper == paper):
            data = ", ".join((*experiment.data, *experiment.images))
            needs = f"{experiment.minutes:g} min on two cores; data: {data}"
            start = f"  {experiment.name:{width}}  "
            say([flow(f"{start}{experiment.title} ({experiment.place}; {needs})", columns(), indent=len(start))])
        say([""])
