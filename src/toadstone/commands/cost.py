"""The command `toadstone cost`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from toadstone.commands.gates.limits import gate_cost
from toadstone.console import running, show
from toadstone.options import FORCE, choice, epilog, folder_if_named, json_flag, number, path, reading


@click.command(
    short_help="Say how many rows an attack needs.",
    epilog=epilog(
        "toadstone cost enron --error 0.10",
        "toadstone cost mails.csv --text body --label spam --error 0.2 --out cost",
        "toadstone cost adult --error 0.25 --kind flip --json",
        "toadstone cost mnist-1-7 --fail-if-cost-below 100",
    ),
)
@number(
    "--error",
    "E",
    "Share of the clean training rows that the attacker wants classified wrongly, in (0, 1].  [default: the error "
    "without poison and five points]",
)
@number("--loss", "L", "Their mean hinge loss, in place of the error.")
@choice(
    "--kind",
    ["add", "flip", "replace"],
    "What the attacker does: add rows, change labels, or put rows in the place of others.",
)
@number("--quantile", "Q", "Share of each class's clean rows within the filters, in [0.5, 1).", 0.95)
@number("--ridge", "R", "The defender's penalty: R/2 times the squared norm.  [default: by cross-validation]")
@choice("--domain", ["auto", "real", "box", "integer"], "Values that poison may have; auto looks at the data.")
@number("--most", "F", "Rows to try at most, for each clean row, in (0, 0.5).", 0.4)
@number(
    "--tolerance",
    "T",
    "Relative gap at which certificates stop, in (0, 1).  [default: 1e-4, or 1e-3 for data of more than two million "
    "entries]",
)
@click.option("--workers", type=int, metavar="N", help="Processes.  [default: one for each available core]")
@path("--out", "DIR", "New folder for the report, the certificate and the rows of the attack.")
@FORCE
@json_flag("the record")
@click.option(
    "--fail-if-cost-below",
    type=int,
    metavar="M",
    help="Exit 1 unless it is certified that fewer than M rows cannot do the harm.",
)
@reading(click.argument("data"))
def cost(
    data: str, out: Path | None, force: bool, fail_if_cost_below: int | None, as_json: bool, **options: Any
) -> int:
    """Say how many rows an attack needs to make a linear model err so often.

    Fewer rows than the certified number cannot do it, whatever they are, as
    long as they pass the filters. So many rows as the attack found has
    suffice. The error is that on the clean training rows.
    """
    from toadstone.front.cost import cost as run
    from toadstone.pipeline.gate import check_limit

    check_limit("fail_if_cost_below", fail_if_cost_below)
    with folder_if_named(out, data, force=force) as aside, running("reading"):
        result = run(data, **options)
        if aside is not None:
            result.write(aside)
    show(result, out, as_json=as_json)
    return gate_cost(result.record, fail_if_cost_below)
