"""The command `toadstone audit`."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toadstone.commands.gates import gate_bound, gate_error
from toadstone.console import Progress, columns, complain, say
from toadstone.core.errors import InvalidArgument
from toadstone.options import FRACTION, THREAT, Source, epilog, hypothesis_of, json_flag, number, path, reading

if TYPE_CHECKING:
    from toadstone.core.dataset import Poison


@click.command(
    short_help="Certify, attack, defend, rank rows; write a report.",
    epilog=epilog(
        "toadstone audit digits-1-7 --fraction 0.03 --out report",
        "toadstone audit mails.csv --text body --label spam --fraction 0.01",
        "toadstone audit enron --fraction 0.03 --quantile 0.7 --norm-squared 6",
        "toadstone audit rows.parquet --fraction 0.02 --fail-if-error-above 0.1",
    ),
)
@click.option("--fraction", type=float, default=0.03, show_default=True, metavar="F", help=FRACTION)
@path("--out", "DIR", "New folder for the results.  [default: audit-NAME]")
@json_flag("the record")
@number("--fail-if-certified-above", "B", "Exit 1 unless the certified bound, a training loss, is at most B.")
@number(
    "--fail-if-error-above",
    "E",
    "Exit 1 unless the best defence keeps the test error under attack within E, a share: 0.1 is one in ten.",
)
@number("--remove", "SHARE", "Share of each class that a defence removes, in (0, 0.5).", 0.05)
@path(
    "--poison",
    "NPZ",
    "Evaluate these rows too: X or its CSR parts, and y; within fraction and domain. Repeatable.",
    multiple=True,
)
@click.option(
    "--attacks",
    default="label-flip,kkt,adaptive",
    show_default=True,
    metavar="NAMES",
    help="Attacks to try besides the certificate's own, aimed at the training rows, by commas; or none.",
)
@click.option("--workers", type=int, metavar="N", help="Processes.  [default: one for each core]")
@THREAT
@reading(click.argument("data"))
def audit(
    source: Source,
    seed: int,
    fraction: float,
    out: Path | None,
    quantile: float,
    norm_squared: float | None,
    ridge: float | None,
    domain: str,
    loss: str,
    tolerance: float | None,
    remove: float,
    poison: Sequence[Path],
    attacks: str,
    workers: int | None,
    fail_if_certified_above: float | None,
    fail_if_error_above: float | None,
    as_json: bool,
) -> int:
    """Certify, attack, defend, rank suspicious rows, and write a report.

    Writes report.html, record.json, certificate.json with its .npz,
    suspects.csv and poison.npz into a new folder.
    """
    from toadstone.pipeline.audit import AuditPlan, best_error, count_steps
    from toadstone.pipeline.audit import audit as run
    from toadstone.pipeline.gate import check_limit
    from toadstone.report.files.folders import new_folder, write_audit
    from toadstone.report.text.audit_text import audit_lines

    check_limit("fail_if_certified_above", fail_if_certified_above)
    check_limit("fail_if_error_above", fail_if_error_above, most=1.0)
    folder = out or Path(f"audit-{source.stem}")
    plan = AuditPlan(
        fraction=fraction,
        quantile=quantile,
        hypothesis=hypothesis_of(norm_squared, ridge),
        domain=domain,
        loss=loss,
        contamination=remove,
        tolerance=tolerance,
        attacks=() if attacks == "none" else tuple(name.strip() for name in attacks.split(",")),
        seed=seed,
        workers=workers if workers is not None else os.cpu_count() or 1,
        command=shlex.join(["toadstone", *sys.argv[1:]]),
    )
    with new_folder(folder) as aside, Progress("reading", count_steps(plan, len(poison))) as progress:
        poisons, split = _read_poisons(poison), source.read(domain)
        result = run(split, plan, poisons=poisons, on_stage=progress.announce, on_step=progress.step)
        write_audit(result.record, result.certificate, result.poison, aside)
    if as_json:
        click.echo(result.record.to_json())
        if out is None:
            complain(f"note: the report is {folder / 'report.html'}")
    else:
        say([*audit_lines(result.record, columns()), "", f"Report: {folder / 'report.html'}"])
    point = result.record.headline
    error = best_error(result.record.evaluations)
    return max(
        gate_bound(point, point.fraction, fail_if_certified_above, conclusive=point.conclusive),
        gate_error(error, fail_if_error_above, conclusive=point.conclusive),
    )


def _read_poisons(files: Sequence[Path]) -> dict[str, Poison]:
    from toadstone.datasets.readers.rows import read_poison
    from toadstone.pipeline.attack_search.audit_attacks import SUITE
    from toadstone.pipeline.audit import CANDIDATE

    poisons: dict[str, Poison] = {}
    for file in files:
        if file.stem in {*poisons, CANDIDATE, *SUITE}:
            taken = ", ".join((CANDIDATE, *SUITE))
            raise InvalidArgument("poison", f"files of different names, none called {taken}", file)
        poisons[file.stem] = read_poison(file)
    return poisons
