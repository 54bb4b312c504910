"""The command `toadstone certify`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toadstone.commands.gates import gate_bound
from toadstone.console import Progress, columns, say
from toadstone.options import (
    FRACTION,
    THREAT,
    Source,
    epilog,
    folder_if_named,
    hypothesis_of,
    json_flag,
    number,
    path,
    reading,
)

if TYPE_CHECKING:
    from toadstone.pipeline.certify import Certified


@click.command(
    options_metavar="--fraction F [OPTIONS]",
    short_help="Bound what poison can do, for one or more fractions.",
    epilog=epilog(
        "toadstone certify digits-1-7 --fraction 0.01 --fraction 0.03",
        "toadstone certify mails.csv --text body --label spam --fraction 0.03 --json",
        "toadstone certify enron --fraction 0.03 --ridge 0.1 --out certificates",
        "toadstone certify mnist --classes 4,9 --fraction 0.01",
    ),
)
@click.option("--fraction", type=float, multiple=True, required=True, metavar="F", help=f"{FRACTION} Repeatable.")
@path("--out", "DIR", "New folder for certificate files, which `toadstone verify` checks.")
@json_flag("the certificates, a list,")
@number("--fail-if-certified-above", "B", "Exit 1 unless every certified bound, a training loss, is at most B.")
@THREAT
@reading(click.argument("data"))
def certify(
    source: Source,
    seed: int,
    fraction: Sequence[float],
    quantile: float,
    norm_squared: float | None,
    ridge: float | None,
    domain: str,
    loss: str,
    tolerance: float | None,
    out: Path | None,
    fail_if_certified_above: float | None,
    as_json: bool,
) -> int:
    """Bound what poison can do, for one or more fractions.

    The bound holds for every attack that the stated assumptions allow. The
    attack value is what a concrete attack reaches; the truth lies between.
    """
    from toadstone.certificates.files import as_fields
    from toadstone.pipeline.certify import certify_split
    from toadstone.pipeline.gate import check_limit
    from toadstone.report.text.audit_text import certificate_lines

    check_limit("fail_if_certified_above", fail_if_certified_above)
    hypothesis = hypothesis_of(norm_squared, ridge)
    with folder_if_named(out) as aside, Progress("reading", len(set(fraction))) as progress:
        split = source.read(domain)
        progress.announce("certificates")
        certified = certify_split(
            split,
            fraction,
            quantile=quantile,
            hypothesis=hypothesis,
            domain=domain,
            loss=loss,
            tolerance=tolerance,
            seed=seed,
            on_certified=progress.step,
        )
        if aside is not None:
            _write_certificates(certified, aside)
    conclusive = [certified.conclusive(certificate) for certificate in certified.certificates]
    if as_json:
        fields = [
            as_fields(result.certificate) | {"conclusive": closed, "seconds": result.seconds}
            for result, closed in zip(certified.results, conclusive, strict=True)
        ]
        click.echo(json.dumps(fields, indent=2, allow_nan=False))
    else:
        say(certificate_lines(certified.certificates, conclusive, split, certified.hypothesis_origin, columns()))
        say([f"Written to {out}."] if out else [])
    return max(
        gate_bound(certificate, certificate.budget.fraction, fail_if_certified_above, conclusive=closed)
        for certificate, closed in zip(certified.certificates, conclusive, strict=True)
    )


def _write_certificates(certified: Certified, folder: Path) -> None:
    from toadstone.certificates.files import write_certificate

    for certificate in certified.certificates:
        write_certificate(certificate, folder / f"certificate-{certificate.budget.fraction!r}.json")
