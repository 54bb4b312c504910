"""The command `toadstone verify`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from toadstone.console import Progress, columns
from toadstone.options import Source, epilog, json_flag, reading


@click.command(
    options_metavar="--data DATA [OPTIONS]",
    short_help="Check a certificate against the data.",
    epilog=epilog(
        "toadstone verify report/certificate.json --data digits-1-7",
        "toadstone verify report/certificate.json --data rows.csv --label kind",
    ),
)
@click.argument("file", type=click.Path(path_type=Path))
@reading(click.option("--data", required=True, metavar="DATA", help="The data that the certificate is about."))
@json_flag("the certificate")
def verify(file: Path, source: Source, seed: int, as_json: bool) -> None:
    """Check a certificate against the data, solving nothing.

    FILE is a certificate.json with its .npz beside it. Read the data with the
    options with which they were read when it was made. A file that was
    altered, or that does not prove its bound, is refused with exit code 2.
    """
    from toadstone.certificates.files import as_fields, read_certificate
    from toadstone.pipeline.certify import verify_split
    from toadstone.report.text.audit_text import flow, verified_sentence

    with Progress("checking"):
        certificate = read_certificate(file)
        verify_split(certificate, source.read(certificate.setting.domain))
    if as_json:
        click.echo(json.dumps(as_fields(certificate) | {"verified": True}, indent=2, allow_nan=False))
    else:
        click.echo(flow(verified_sentence(certificate), columns()))
