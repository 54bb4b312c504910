"""The command `toadstone evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from toadstone.commands.gates.limits import GATE_FAILED, gate_unfinished
from toadstone.console import complain, running, show
from toadstone.core.errors import InvalidArgument
from toadstone.options import epilog, json_flag, max_seconds, number, path, reading, stacked
from toadstone.signals import code_behind

_SUITES = stacked(
    click.option(
        "--attacks",
        metavar="NAMES",
        help="Attacks by commas. plain stands for those that need no optimization, and adaptive for the same knowing "
        "the detector; optimized and adaptive-optimized stand for kkt, min-max and the like, for two classes.  "
        "[default: plain,adaptive]",
    ),
    click.option(
        "--defences",
        metavar="NAMES",
        help="Defences by commas; detectors, sanitizers, learners and baselines stand for all of a kind.  "
        "[default: all]",
    ),
    click.option(
        "--image",
        metavar="HxW[xC]",
        help="Rows are images of that height, width and channels.  [default: as the file shows]",
    ),
    number("--fraction", "F", "Poison rows for each clean row, in (0, 0.5).", 0.05),
    number(
        "--false-alarm-rate",
        "SHARE",
        "Share of clean rows that each detector may flag, in (0, 0.1].  [default: its own]",
    ),
    click.option("--seeds", type=int, metavar="N", default=3, show_default=True, help="How many seeds, from --seed."),
    click.option(
        "--rows", type=int, metavar="N", default=2000, show_default=True, help="At most so many training rows a seed."
    ),
    click.option("--test-rows", type=int, metavar="N", default=2000, show_default=True, help="At most, of the test."),
)

_TRUSTED = stacked(
    number("--trusted-share", "SHARE", "Share of the training rows that play trusted ones; 0 for none.", 0.1),
    path("--trusted", "FILE", "Rows known to be clean, none in DATA and in its format, instead."),
)


@click.command(
    short_help="Try attacks against detectors and other defences.",
    epilog=epilog(
        "toadstone evaluate sms --out evaluated-sms",
        "toadstone evaluate rows.csv --attacks random-flip,noise --seeds 5",
        "toadstone evaluate adult --attacks plain --rows 5000 --json",
        "toadstone evaluate enron --attacks kkt,min-max --fraction 0.03",
    ),
)
@path("--out", "DIR", "Folder for report.html, record.json, matrix.csv and the finished trials, from which it goes on.")
@click.option(
    "--force",
    is_flag=True,
    help="Begin anew: give up the finished trials and the results in DIR.",
)
@_SUITES
@_TRUSTED
@click.option("--workers", type=int, metavar="N", help="Processes.  [default: one for each available core]")
@json_flag("the record")
@click.option("--fail-if-missed-by-all", is_flag=True, help="Exit 1 if there is an attack that no detector catches.")
@max_seconds("the other trials are skipped, --out keeps the finished ones")
@reading(click.argument("data"))
def evaluate(
    data: str,
    out: Path | None,
    force: bool,
    image: str | None,
    as_json: bool,
    fail_if_missed_by_all: bool,
    **options: Any,
) -> int:
    """Poison DATA by every attack that suits them, and measure every defence.

    DATA are taken as clean. For each seed, rows are drawn and some of them
    held out as trusted, out of the attacker's reach; each attack poisons the
    others, each defence gets the result, and a model is trained on what it
    keeps. With --out, the same command goes on where it was stopped.
    """
    from toadstone.front.evaluate import evaluate as run
    from toadstone.report.files.places import refuse_inputs_inside

    if force:
        if out is None:
            raise InvalidArgument("force", "--out beside it", "none")
        refuse_inputs_inside(out, (data, options["trusted"]))
    try:
        with running("reading"):
            result = run(data, image=_shape(image), out=out, force=force, **options)
    except BaseException as error:
        if out is not None and code_behind(error) is not None:
            complain(f"finished trials are in {out}; the same command goes on from there")
        raise
    if out is not None:
        result.save(out)
    show(result, out, as_json=as_json)
    if gate_unfinished(result.unfinished, fail_if_missed_by_all):
        return GATE_FAILED
    uncaught = result.record.uncaught()
    if fail_if_missed_by_all and uncaught:
        complain(f"gate failed: no detector catches {', '.join(uncaught)}")
        return GATE_FAILED
    return 0


def _shape(image: str | None) -> tuple[int, int, int] | None:
    if image is None:
        return None
    parts = image.lower().split("x")
    if len(parts) not in (2, 3) or not all(part.isascii() and part.isdigit() and int(part) for part in parts):
        raise InvalidArgument("image", "HEIGHTxWIDTH or HEIGHTxWIDTHxCHANNELS, as in 28x28", image)
    height, width, *channels = map(int, parts)
    return height, width, (channels[0] if channels else 1)
