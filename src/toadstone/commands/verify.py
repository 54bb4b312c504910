"""The command `toadstone verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from toadstone.console import running, show
from toadstone.options import epilog, json_flag, reading


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
def verify(file: Path, data: str, as_json: bool, **options: Any) -> None:
    """Check a certificate against the data, solving nothing.

    FILE is a certificate.json with its .npz beside it. Read the data with the
    options with which they were read when it was made. A file that was
    altered, or that does not prove its bound, is refused with exit code 2.
    """
    from toadstone.front.certify import verify as run

    with running("checking"):
        result = run(file, data, **options)
    show(result, None, as_json=as_json)
