"""The command `toadstone certify`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from toadstone.commands.gates.limits import gate_bound, gate_certified
from toadstone.console import running, show
from toadstone.core.errors import InvalidArgument
from toadstone.options import FORCE, THREAT, choice, epilog, folder_if_named, json_flag, number, path, reading, stacked

_POINTWISE = stacked(
    click.option(
        "--group",
        metavar="COLUMN",
        help="Column of hospital, annotator or file, which is then no feature: counts are of them, each with "
        "all of its labels (label-flips) or rows (votes).",
    ),
    click.option(
        "--k", type=int, multiple=True, metavar="K", help="Neighbours. Repeatable.  [default: three that suit the data]"
    ),
    click.option(
        "--change",
        type=click.Choice(["modify", "insert", "delete"]),
        help="What an attacker does to a row, for neighbours.  [default: modify]",
    ),
    click.option(
        "--partitions",
        type=int,
        multiple=True,
        metavar="N",
        help="Models that vote, each trained on its own part of the rows. Repeatable.  [default: two that suit the "
        "data for votes; a single model for label-flips]",
    ),
    click.option(
        "--spread", type=int, metavar="D", help="Models that share each part (Finite Aggregation).  [default: 1]"
    ),
    click.option(
        "--repeats", type=int, metavar="R", help="Models of each part that vote as one, with other seeds.  [default: 1]"
    ),
    click.option(
        "--estimator",
        metavar="MODULE:NAME",
        help="Classifier of the prepared columns that votes.  [default: a linear model]",
    ),
    click.option(
        "--election",
        type=click.Choice(["majority", "run-off"]),
        help="Of votes: by majority, or with a second round between the two classes with the most votes.  [default: "
        "majority]",
    ),
    click.option(
        "--time",
        metavar="COLUMN",
        help="Column of dates or numbers that say when a row arrived, for temporal; then no feature.",
    ),
    number("--period", "LENGTH", "Days of a period, or units of a column of numbers, for temporal."),
    click.option(
        "--span", type=int, metavar="N", help="Successive periods that each model is trained on.  [default: 1]"
    ),
    click.option(
        "--target-range",
        type=float,
        nargs=2,
        metavar="LOW HIGH",
        help="With --regression, targets that an attacker of label-flips may set.  [default: the range of the training "
        "targets]",
    ),
    path(
        "--trusted",
        "FILE",
        "Rows that no attacker can change, from which neighbours take the scale of columns of mixed units.  [default: "
        "columns as they stand]",
    ),
)


@click.command(
    options_metavar="[OPTIONS]",
    short_help="Bound what any attack can do to a model or its predictions.",
    epilog=epilog(
        "toadstone certify digits-1-7 --fraction 0.01 --fraction 0.03",
        "toadstone certify mails.csv --text body --label spam --fraction 0.03 --json",
        "toadstone certify enron --fraction 0.03 --ridge 0.1 --out certificates",
        "toadstone certify mnist-1-7 --method label-flips --json",
        "toadstone certify patients.csv --label ill --method votes --group hospital",
        "toadstone certify patients.csv --label ill --method neighbours --k 51",
        "toadstone certify mails.csv --method temporal --time received --period 7",
    ),
)
@choice(
    "--method",
    ["saddle", "label-flips", "votes", "neighbours", "temporal"],
    "What is promised: a bound of a linear model's training loss whatever rows are added (saddle); or for each test "
    "row how many changed labels (label-flips), rows added or removed (votes), rows changed (neighbours) or periods of "
    "time (temporal) cannot change its prediction.",
)
@click.option(
    "--fraction",
    type=float,
    multiple=True,
    metavar="F",
    help="For saddle, which needs it, poison rows for each clean row, in [0, 0.5). For the others shares of all units "
    "at which the certified accuracy is stated.  [default: 0.01, 0.03 and 0.05]  Repeatable.",
)
@click.option(
    "--class-fraction",
    multiple=True,
    metavar="LABEL=F",
    help="For saddle, poison rows of a label (for flip, flipped rows that have it) for each clean row. Once for each "
    "of the two labels, in place of --fraction.",
)
@click.option(
    "--filters",
    metavar="A,B",
    default="l2,slab",
    show_default=True,
    help="Filters that poison of saddle has to pass: one or more of l2, slab and loss, the last with a fixed model.",
)
@choice(
    "--kind",
    ["add", "flip", "replace"],
    "What the attacker of saddle does: adds rows, gives clean rows the other label, or puts rows in their place.",
)
@_POINTWISE
@path("--out", "DIR", "New folder for certificate files, which `toadstone verify` checks.")
@FORCE
@json_flag("the certificates, a list,")
@number("--fail-if-certified-above", "B", "Exit 1 unless every certified bound, a training loss, is at most B.")
@number(
    "--fail-if-certified-below",
    "SHARE",
    "Exit 1 unless at least this share of the test rows is right and certified at the first --fraction of the units. "
    "For one setting, such as --k 51.",
)
@THREAT
@reading(click.argument("data"))
def certify(
    data: str,
    out: Path | None,
    force: bool,
    class_fraction: tuple[str, ...],
    fail_if_certified_above: float | None,
    fail_if_certified_below: float | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Bound what any attack can do to a model, or to its predictions.

    The bound of saddle holds for every attack that the stated assumptions
    allow; the attack value is what a concrete attack reaches, and the truth
    lies between. The other methods count, for each test row, what an attacker
    may control without being able to change the prediction.
    """
    from toadstone.front.certify import certify as run
    from toadstone.front.pointwise.intervals import IntervalResult
    from toadstone.front.pointwise.results import PointwiseResult
    from toadstone.front.saddle.results import CertifyResult
    from toadstone.pipeline.gate import check_limit

    check_limit("fail_if_certified_above", fail_if_certified_above)
    check_limit("fail_if_certified_below", fail_if_certified_below, most=1)
    _check_gates(options["method"], fail_if_certified_above, fail_if_certified_below)
    if options["regression"] and fail_if_certified_below is not None:
        expected = "nothing for a numeric target, of which no prediction is right or wrong"
        raise InvalidArgument("fail_if_certified_below", expected, fail_if_certified_below)
    given: dict[str, Any] = {name: None if value == () else value for name, value in options.items()}
    given["class_fraction"] = _by_class(class_fraction) if class_fraction else None
    with folder_if_named(out, data, force=force) as aside, running("reading"):
        result = run(data, **given)
        if fail_if_certified_below is not None and len(result.record) > 1:
            raise InvalidArgument("fail_if_certified_below", "one setting, such as --ridge 0.1", len(result.record))
        if aside is not None:
            result.write(aside)
    show(result, out, as_json=as_json, page="report.html" if isinstance(result, PointwiseResult) else None)
    if isinstance(result, IntervalResult):
        return 0
    if not isinstance(result, CertifyResult):
        return gate_certified(result.summaries, fail_if_certified_below)
    return max(
        gate_bound(certificate, certificate.budget.fraction, fail_if_certified_above, conclusive=closed)
        for certificate, closed in zip(result.certificates, result.conclusive, strict=True)
    )


def _by_class(stated: tuple[str, ...]) -> dict[str, float]:
    """Return fractions by label, as `LABEL=F` states them."""
    parts = [one.rpartition("=") for one in stated]
    try:
        return {label: float(number) for label, equals, number in parts if equals or label}
    except ValueError:
        raise InvalidArgument(
            "class_fraction", "a label, =, and a number, as in spam=0.01", ", ".join(stated)
        ) from None


def _check_gates(method: str, above: float | None, below: float | None) -> None:
    """Refuse a threshold on something that the method does not state."""
    if method != "saddle" and above is not None:
        raise InvalidArgument("fail_if_certified_above", "nothing for this method, which bounds no loss", above)
    if method == "saddle" and below is not None:
        raise InvalidArgument(
            "fail_if_certified_below",
            "nothing for saddle, whose file proves no count of a prediction; it is for the other methods",
            below,
        )
