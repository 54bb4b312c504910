"""The command `toadstone federate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from toadstone.commands.gates.limits import GATE_FAILED, gate_lost, gate_unfinished
from toadstone.console import complain, running, show
from toadstone.core.errors import InvalidArgument
from toadstone.options import choice, epilog, json_flag, max_seconds, number, path, reading, stacked
from toadstone.signals import code_behind

_CLIENTS = stacked(
    click.option("--clients", type=int, metavar="N", default=50, show_default=True, help="How many clients."),
    click.option(
        "--malicious",
        metavar="F",
        default="10%",
        show_default=True,
        help="How many of them are malicious, or a share; several by commas are tried one after the other. The rule is "
        "told as many.",
    ),
    click.option(
        "--attacks",
        metavar="NAMES",
        help="Attacks of malicious clients by commas, or all. No attack is always among them.  [default: eight that "
        "differ]",
    ),
    click.option(
        "--rules",
        metavar="NAMES",
        help="Rules of the server by commas, each after its pre-aggregations, as in nnm+trimmed-mean; or all. The mean "
        "is always among them.  [default: six, among them two behind nnm]",
    ),
    click.option(
        "--split",
        metavar="HOW",
        help="How rows come to clients: dirichlet:A, the fewer classes a client the smaller A; iid; or column.  "
        "[default: column beside --group, dirichlet:0.1 else]",
    ),
    click.option(
        "--group",
        metavar="COLUMN",
        help="Column of hospital, annotator or device, which is then no feature: the rows of a client are from one of "
        "them.",
    ),
)

_TRAINING = stacked(
    choice("--model", ["linear", "cnn"], "Softmax regression, or a small convolutional network (images, PyTorch)."),
    click.option("--rounds", type=int, metavar="N", default=50, show_default=True, help="Rounds of a training."),
    click.option("--steps", type=int, metavar="N", default=5, show_default=True, help="Steps of a client in a round."),
    click.option("--batch", type=int, metavar="N", default=32, show_default=True, help="Rows of a step."),
    number("--rate", "R", "Length of a step.  [default: 0.5, of the network 0.1]"),
    number("--momentum", "M", "Of what clients send, in [0, 1).", 0.9),
    click.option("--seeds", type=int, metavar="N", default=3, show_default=True, help="How many seeds, from --seed."),
    click.option(
        "--rows", type=int, metavar="N", default=10_000, show_default=True, help="At most so many training rows a seed."
    ),
    click.option("--test-rows", type=int, metavar="N", default=2000, show_default=True, help="At most, of the test."),
    click.option(
        "--root-rows",
        type=int,
        metavar="N",
        default=100,
        show_default=True,
        help="Rows of the server's own, for rules such as fltrust; no client has them.",
    ),
    click.option(
        "--vote-groups",
        type=int,
        metavar="N",
        default=0,
        help="Also deal the clients to so many groups, let their models vote, and certify the vote.  [default: none]",
    ),
)


@click.command(
    short_help="Try malicious clients against the rules of a federated server.",
    epilog=epilog(
        "toadstone federate mnist --out federated-mnist",
        "toadstone federate patients.csv --label ill --group hospital --clients 20",
        "toadstone federate mnist --malicious 5%,10% --rules median,krum --json",
        "toadstone federate adult --attacks alie,ipm,min-max --fail-if-lost-above 3",
    ),
)
@path(
    "--out", "DIR", "Folder for report.html, record.json, matrix.csv, curves.csv and the finished trials, from which "
    "it goes on.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Begin anew: give up the finished trials and the results in DIR.")
@_CLIENTS
@_TRAINING
@click.option("--workers", type=int, metavar="N", help="Processes.  [default: one for each available core]")
@json_flag("the record")
@number(
    "--fail-if-lost-above",
    "POINTS",
    "Exit 1 unless a rule stays within so many percentage points of the accuracy without an attack, whatever the "
    "attack.",
)
@max_seconds("the other trials are skipped, --out keeps the finished ones")
@reading(click.argument("data"))
def federate(
    data: str,
    out: Path | None,
    force: bool,
    as_json: bool,
    fail_if_lost_above: float | None,
    **options: Any,
) -> int:
    """Train in rounds with malicious clients, and measure every rule of the server.

    DATA are taken as clean. For each seed, rows are drawn and dealt to
    clients, some of which are malicious; each attack says what these send,
    and each rule what the server adds to the model. With --out, the same
    command goes on where it was stopped.
    """
    from toadstone.front.federate import federate as run
    from toadstone.pipeline.gate import check_limit
    from toadstone.report.files.places import refuse_inputs_inside

    check_limit("fail_if_lost_above", fail_if_lost_above, most=100)
    if force:
        if out is None:
            raise InvalidArgument("force", "--out beside it", "none")
        refuse_inputs_inside(out, (data,))
    try:
        with running("reading"):
            result = run(data, out=out, force=force, **options)
    except BaseException as error:
        if out is not None and code_behind(error) is not None:
            complain(f"finished trials are in {out}; the same command goes on from there")
        raise
    if out is not None:
        result.save(out)
    show(result, out, as_json=as_json)
    if gate_unfinished(result.unfinished, fail_if_lost_above):
        return GATE_FAILED
    return gate_lost(result.record, fail_if_lost_above)
