"""The command `toadstone evaluate`."""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toadstone.commands.gates import GATE_FAILED
from toadstone.console import Progress, columns, complain, say
from toadstone.core.checks import check_count
from toadstone.core.errors import InvalidArgument
from toadstone.options import Source, epilog, json_flag, number, path, reading, stacked

if TYPE_CHECKING:
    from toadstone.core.trusted import Trusted
    from toadstone.datasets.split import Split
    from toadstone.pipeline.evaluation.plan import EvaluationSetup
    from toadstone.records.evaluation import EvaluationRecord

_SUITES = stacked(
    click.option(
        "--attacks",
        metavar="NAMES",
        help="Attacks by commas; plain and adaptive stand for all that are not, and all that are told the detector.  "
        "[default: all that suit DATA]",
    ),
    click.option(
        "--defences",
        metavar="NAMES",
        help="Defences by commas; detectors, sanitizers, learners and baselines stand for all of a kind.  "
        "[default: all]",
    ),
    click.option("--image", metavar="HxW[xC]", help="Rows are images of that height, width and channels."),
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
    path("--trusted", "FILE", "Rows that you vouch for, none of them in DATA, instead. In the format of DATA."),
)


@click.command(
    short_help="Try attacks against detectors and other defences.",
    epilog=epilog(
        "toadstone evaluate sms --out evaluated-sms",
        "toadstone evaluate rows.csv --attacks random-flip,noise --seeds 5",
        "toadstone evaluate adult --attacks plain --rows 5000 --json",
    ),
)
@path("--out", "DIR", "Folder for report.html, record.json, matrix.csv and the finished trials, from which it goes on.")
@_SUITES
@_TRUSTED
@click.option("--workers", type=int, metavar="N", help="Processes.  [default: one for each core]")
@json_flag("the record")
@click.option("--fail-if-missed-by-all", is_flag=True, help="Exit 1 if there is an attack that no detector catches.")
@reading(click.argument("data"))
def evaluate(
    source: Source,
    seed: int,
    out: Path | None,
    attacks: str | None,
    defences: str | None,
    image: str | None,
    fraction: float,
    false_alarm_rate: float | None,
    seeds: int,
    rows: int,
    test_rows: int,
    trusted_share: float,
    trusted: Path | None,
    workers: int | None,
    as_json: bool,
    fail_if_missed_by_all: bool,
) -> int:
    """Poison DATA by every attack that suits them, and see which defence notices.

    DATA are taken as clean. For each seed, rows are drawn and some of them
    are held out as trusted ones, beyond the attacker's reach; each attack
    poisons the others, each defence gets the result without being told of
    it, and a model is trained on what is left. With --out, the same command
    goes on where it was stopped.
    """
    from toadstone.pipeline.evaluation.plan import EvaluationPlan, prepare

    if workers is not None:
        check_count(workers=workers)
    plan = EvaluationPlan(
        fraction=fraction,
        seed=seed,
        seeds=seeds,
        rows=rows,
        test_rows=test_rows,
        trusted_share=trusted_share,
        attacks=_names(attacks),
        defences=_names(defences),
        image=_shape(image),
        false_alarm_rate=false_alarm_rate,
        source=source.data,
        command=shlex.join(["toadstone", *sys.argv[1:]]),
    )
    with Progress("reading") as progress:
        split = source.read()
        vouched = None if trusted is None else _vouched(source, trusted, split)
        progress.announce("choosing the ridge")
        setup = prepare(split, plan, trusted=vouched)
    record = _run(setup, out, workers or os.cpu_count() or 1)
    _show(record, out, as_json=as_json)
    uncaught = record.uncaught()
    if fail_if_missed_by_all and uncaught:
        complain(f"gate failed: no detector catches {', '.join(uncaught)}")
        return GATE_FAILED
    return 0


def _run(setup: EvaluationSetup, out: Path | None, workers: int) -> EvaluationRecord:
    from toadstone.pipeline.evaluation.journal import Journal
    from toadstone.pipeline.evaluation.run import run_evaluation
    from toadstone.report.files.folders import write_evaluation

    try:
        opened = nullcontext() if out is None else Journal(out, setup.digest)
        with opened as journal, Progress("trials", len(setup.planned)) as progress:
            record = run_evaluation(setup, journal=journal, workers=workers, on_unit=progress.step)
    except (KeyboardInterrupt, SystemError, SystemExit):
        if out is not None:
            complain(f"finished trials are in {out}; the same command goes on from there")
        raise
    if out is not None:
        write_evaluation(record, out)
    return record


def _show(record: EvaluationRecord, out: Path | None, *, as_json: bool) -> None:
    from toadstone.report.text.evaluation_text import evaluation_lines

    if as_json:
        click.echo(record.to_json())
    else:
        say([*evaluation_lines(record, columns()), *([] if out is None else ["", f"Report: {out / 'report.html'}"])])


def _vouched(source: Source, trusted: Path, split: Split) -> Trusted:
    from toadstone.core.trusted import Trusted

    return Trusted(source.read_trusted(trusted, split), because=f"those of {trusted.name}, which the user vouches for")


def _names(listed: str | None) -> tuple[str, ...] | None:
    return None if listed is None else tuple(name.strip() for name in listed.split(","))


def _shape(image: str | None) -> tuple[int, int, int] | None:
    if image is None:
        return None
    parts = image.lower().split("x")
    if len(parts) not in (2, 3) or not all(part.isascii() and part.isdigit() and int(part) for part in parts):
        raise InvalidArgument("image", "HEIGHTxWIDTH or HEIGHTxWIDTHxCHANNELS, as in 28x28", image)
    height, width, *channels = map(int, parts)
    return height, width, (channels[0] if channels else 1)
