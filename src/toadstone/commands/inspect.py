"""The command `toadstone inspect`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from toadstone.commands.gates.limits import gate_suspected
from toadstone.console import running, show
from toadstone.options import FORCE, epilog, folder_if_named, json_flag, path, reading


@click.command(
    short_help="Look for a backdoor in a trained network.",
    epilog=epilog(
        "toadstone inspect models:make@weights.safetensors --images trusted",
        "toadstone inspect models:make@w.npz --images trusted --repair --out found",
        "toadstone inspect models:make --images trusted.npz --fail-if-suspected",
    ),
)
@click.argument("network", metavar="MODULE:FACTORY[@WEIGHTS]")
@click.option("--head", metavar="LAYER", help="Last layer of the network.  [default: its last linear one]")
@click.option(
    "--repair", is_flag=True, help="Train a copy on with the found triggers under the true labels; needs --out."
)
@click.option(
    "--epochs",
    type=int,
    metavar="N",
    help="Passes of the search for patches over half of the images.  [default: 60, more for fewer than 256 images]",
)
@path("--out", "DIR", "New folder for report.html, record.json, pictures of triggers and repaired weights.")
@FORCE
@json_flag("the record")
@click.option("--fail-if-suspected", is_flag=True, help="Exit 1 if a label is suspected, or there is no decision.")
@reading(
    click.option(
        "--images",
        "images",
        metavar="DATA",
        required=True,
        help="Trusted images with their true labels; in order, the labels stand for the network's outputs.",
    )
)
def inspect(
    network: str,
    images: str,
    out: Path | None,
    force: bool,
    as_json: bool,
    fail_if_suspected: bool,
    repair: bool,
    **options: Any,
) -> int:
    """Look for a backdoor in a trained network, with trusted images only.

    For each label the smallest patch and the smallest added picture are sought
    that make the network answer it. A label is suspected where one of them is
    unusually small and images that the search did not see follow it. About 250
    images of all labels suffice; the training images are not needed. WEIGHTS is
    a safetensors file, or an .npz of arrays; nothing is unpickled.
    """
    from toadstone.core.errors import InvalidArgument
    from toadstone.front.networks.inspect import inspect as run

    if repair and out is None:
        raise InvalidArgument("repair", "--out beside it, where the repaired weights go", "none")
    with folder_if_named(out, images, force=force) as aside, running("reading"):
        result = run(network, images, repair=repair, **options)
        if aside is not None:
            result.write(aside)
    show(result, out, as_json=as_json)
    return gate_suspected(result.record, wanted=fail_if_suspected)
