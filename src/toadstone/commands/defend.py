"""The command `toadstone defend`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import click

from toadstone.catalogue.networks import NetworkTraining
from toadstone.commands.gates.limits import gate_drop, gate_removed, gate_spared, gate_unfinished
from toadstone.console import running, show
from toadstone.options import (
    CIRCUMSTANCES,
    ESTIMATORS,
    FORCE,
    MODEL,
    REPRESENT,
    TARGET,
    choice,
    epilog,
    folder_if_named,
    json_flag,
    max_seconds,
    number,
    path,
    reading,
)


@click.command(
    short_help="Remove what the verdict lists, and say what it cost.",
    epilog=epilog(
        "toadstone defend mails.csv --text body --label spam --out defended",
        "toadstone defend rows.csv --trusted checked.csv --action relabel --out out",
        "toadstone defend patients.csv --label died --model models:make --out out",
        "toadstone defend pictures --model models:net --training epic",
    ),
)
@path("--out", "DIR", "New folder for the kept rows, removals.csv, record.json and report.html.")
@FORCE
@choice(
    "--action",
    ["remove", "relabel", "weight"],
    "What to do with listed rows: remove them; write the suggested label where its probability is at least 0.8 and "
    "remove the others; or keep all and write a weight for each, one less its probability of being wrong.",
)
@number(
    "--max-removed",
    "SHARE",
    "Share of the rows that may be removed in all, in [0, 0.5); exit 1 if listed rows stay because of it.  "
    "[default: no limit]",
)
@MODEL
@click.option(
    "--training",
    type=click.Choice(get_args(NetworkTraining)),
    help="How a network of --model is trained on images.  [default: plain]",
)
@click.option("--epochs", type=int, metavar="N", help="Of that training.  [default: 10]")
@ESTIMATORS
@REPRESENT
@path(
    "--trusted",
    "FILE",
    "Rows known to be clean, none in DATA and in its format: the verdict learns from them, and they measure the cost.",
)
@CIRCUMSTANCES
@json_flag("the record")
@number("--fail-if-removed-above", "SHARE", "Exit 1 if more than this share of the rows is removed.")
@number(
    "--fail-if-accuracy-drops-above",
    "SHARE",
    "Exit 1 unless accuracy on trusted rows, or else on a published test set, surely drops by at most this.",
)
@max_seconds("the cost is not measured")
@TARGET
@reading(click.argument("data"))
def defend(
    data: str,
    out: Path | None,
    force: bool,
    as_json: bool,
    fail_if_removed_above: float | None,
    fail_if_accuracy_drops_above: float | None,
    **options: Any,
) -> int:
    """Remove, relabel or weigh the rows that the verdict lists, and report what that cost.

    The verdict lists groups of rows that share rare values and look like
    another label, and rows whose labels are probably wrong, these unless
    the data prefer no wrong labels by 20 to 1. Accuracy is compared on trusted rows
    or on a published test set; where there is neither, nothing is measured,
    for the rows that a defence keeps cannot judge it. With --out, writes the
    kept rows, and each treated one with its reason.
    """
    from toadstone.commands.gates.target_limits import gate_targets_removed
    from toadstone.front.defend import defend as run
    from toadstone.front.targets import TargetDefenceResult
    from toadstone.pipeline.gate import check_limit

    check_limit("fail_if_removed_above", fail_if_removed_above, most=1.0)
    check_limit("fail_if_accuracy_drops_above", fail_if_accuracy_drops_above, most=1.0)
    inputs = (data, options["trusted"], options["represent"])
    with folder_if_named(out, *inputs, force=force) as aside, running("reading"):
        result = run(data, **options)
        if aside is not None:
            result.write(aside)
    show(result, out, as_json=as_json)
    if isinstance(result, TargetDefenceResult):
        return max(
            gate_spared(result.record),
            gate_targets_removed(result.record, fail_if_removed_above, fail_if_accuracy_drops_above),
            gate_unfinished(result.unfinished, fail_if_removed_above),
        )
    return max(
        gate_spared(result.record),
        gate_removed(result.record, fail_if_removed_above),
        gate_drop(result.record, fail_if_accuracy_drops_above),
        gate_unfinished(result.unfinished, fail_if_removed_above, fail_if_accuracy_drops_above),
    )
