"""The command `toadstone certify`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from toadstone.commands.gates import gate_bound
from toadstone.console import running, show
from toadstone.options import FORCE, FRACTION, THREAT, epilog, folder_if_named, json_flag, number, path, reading


@click.command(
    options_metavar="--fraction F [OPTIONS]",
    short_help="Bound the training loss under any attack.",
    epilog=epilog(
        "toadstone certify digits-1-7 --fraction 0.01 --fraction 0.03",
        "toadstone certify mails.csv --text body --label spam --fraction 0.03 --json",
        "toadstone certify enron --fraction 0.03 --ridge 0.1 --out certificates",
        "toadstone certify mnist --classes 4,9 --fraction 0.01",
    ),
)
@click.option("--fraction", type=float, multiple=True, required=True, metavar="F", help=f"{FRACTION} Repeatable.")
@path("--out", "DIR", "New folder for certificate files, which `toadstone verify` checks.")
@FORCE
@json_flag("the certificates, a list,")
@number("--fail-if-certified-above", "B", "Exit 1 unless every certified bound, a training loss, is at most B.")
@THREAT
@reading(click.argument("data"))
def certify(
    data: str, out: Path | None, force: bool, fail_if_certified_above: float | None, as_json: bool, **options: Any
) -> int:
    """Bound the training loss under any attack, for one or more fractions.

    The bound holds for every attack that the stated assumptions allow. The
    attack value is what a concrete attack reaches; the truth lies between.
    """
    from toadstone.front.certify import certify as run
    from toadstone.pipeline.gate import check_limit

    check_limit("fail_if_certified_above", fail_if_certified_above)
    with folder_if_named(out, data, force=force) as aside, running("reading"):
        result = run(data, **options)
        if aside is not None:
            result.write(aside)
    show(result, out, as_json=as_json, page=None)
    return max(
        gate_bound(certificate, certificate.budget.fraction, fail_if_certified_above, conclusive=closed)
        for certificate, closed in zip(result.certificates, result.conclusive, strict=True)
    )
