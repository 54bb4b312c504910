"""The command `toadstone attack`."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from toadstone.console import running, say, show
from toadstone.core.claims import claimed
from toadstone.core.errors import InvalidArgument
from toadstone.options import FORCE, FRACTION, choice, epilog, json_flag, number, path, reading

LEARNERS = ("linear", "crammer-singer", "online")


@click.command(
    short_help="Find the strongest attack of a method, and judge it.",
    epilog=epilog(
        "toadstone attack enron --method kkt --fraction 0.03 --select-on test --json",
        "toadstone attack rows.parquet --method min-max --out poison.npz",
        "toadstone attack mails.csv --text body --label spam --weighting counts",
        "toadstone attack homes.csv --label price --regression --fraction 0.1",
    ),
)
@click.option(
    "--method",
    metavar="NAME",
    help="An attack that adds rows to raise the test error: a search over decoys and class balances that then follows "
    "influence (kkt-influence); the attacks of Koh, Steinhardt and Liang 2022 (kkt, min-max, influence, "
    "iterative-influence, basic-influence), and of 2017 (min-max-basic, gradient); flipped labels (label-flip, the "
    "strongest of random-flip, targeted-flip and flips of the smallest margin; pair-flip, alfa). With --regression "
    "ridge-poisoning, target-ends or harmful-target-ends.  [default: kkt-influence, or ridge-poisoning]",
)
@click.option("--fraction", type=float, default=0.03, show_default=True, metavar="F", help=FRACTION)
@choice(
    "--select-on",
    ["validation", "train", "test"],
    "Rows on which candidates are compared: training rows held out, all training rows, or the test rows, as in the "
    "papers, whose attacker knows their labels.",
)
@click.option(
    "--target",
    metavar="ROWS",
    help="Aim at these test rows alone, as in 3,17: how many of them are misclassified is what counts. Rows count from "
    "0, in DATA or in its published test set. For kkt and influence.",
)
@click.option(
    "--filters",
    metavar="A,B",
    default="l2,slab",
    show_default=True,
    help="Filters that the attacker expects: one or more of l2, slab and loss.",
)
@number("--quantile", "Q", "Share of each class's clean rows that is to pass each of them, in [0.5, 1).", 0.9)
@click.option(
    "--learner",
    type=click.Choice(LEARNERS),
    help="How the defender trains: several classes one against the rest (linear), all together by the exact solver "
    "(crammer-singer), or by the epochs of AdaGrad of Koh, Steinhardt and Liang 2022 (online).  [default: linear for "
    "two classes, crammer-singer for more]",
)
@number(
    "--ridge",
    "L",
    "Penalty of the defender's model: L/2 times the squared norm.  [default: the published one of a named data set, "
    "or else by cross-validation]",
)
@choice("--domain", ["auto", "real", "box", "integer"], "Values that poison may have; auto looks at the data.")
@number("--remove", "SHARE", "Share of each class that a defence removes, in (0, 0.5).", 0.05)
@click.option("--workers", type=int, metavar="N", help="Processes.  [default: one for each available core]")
@path("--out", "NPZ", "New file for the poison rows, which `toadstone audit --poison` reads.")
@FORCE
@json_flag("the record")
@reading(click.argument("data"))
def attack(data: str, out: Path | None, force: bool, target: str | None, as_json: bool, **options: Any) -> None:
    """Find the strongest attack of a method, and judge it against every defence.

    The attacker adds rows that pass the filters it expects, knowing the
    training rows and the defender's model. Each defence then fits on clean
    rows and poison, removes the most suspicious rows of each class, and
    retrains. The smallest test error over the defences is the attack's worth.
    """
    from toadstone.front.attack import attack as run
    from toadstone.report.files.places import refuse_existing_file, refuse_inputs_inside
    from toadstone.report.text.formats import visible

    if out is None and force:
        raise InvalidArgument("force", "--out beside it", "none")
    with nullcontext() if out is None else claimed(out, kind="file"), running("reading"):
        if out is not None:
            if force:
                refuse_inputs_inside(out, (data,))
            refuse_existing_file(out, force=force)
        result = run(data, target=_numbers(target), **options)
        if out is not None:
            result.save(out, force=force)
    show(result, None, as_json=as_json)
    if out is not None and not as_json:
        say(["", visible(f"Poison: {out}")])


def _numbers(target: str | None) -> tuple[int, ...]:
    parts = [] if target is None else [part.strip() for part in target.split(",")]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise InvalidArgument("target", "numbers of test rows, as in 3,17", target)
    return tuple(int(part) for part in parts)
