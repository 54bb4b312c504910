"""Inspect: labels of a trained network that an unusually small trigger leads to."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

from toadstone.core.checks import check_count
from toadstone.core.errors import InvalidData, missing_extra
from toadstone.core.files import written_aside
from toadstone.datasets.readers.request import Reading
from toadstone.front.inputs import Data, Given, open_data, request_of
from toadstone.front.networks.images import pixels_of, shape_of
from toadstone.front.results import Result
from toadstone.front.run import current_run, front_door
from toadstone.pipeline.networks.inspect import Inspected, InspectionPlan
from toadstone.pipeline.networks.inspect import inspect as run_inspection
from toadstone.records.networks.inspection import InspectionRecord
from toadstone.report.networks.inspection_text import inspection_lines


class InspectionResult(Result):
    """Suspected labels of a network, with their triggers; its record is an `InspectionRecord`."""

    record: InspectionRecord

    def __init__(self, given: Given, found: Inspected) -> None:
        super().__init__(given, found.record)
        self.weights = found.weights

    def lines(self, width: int | None = None) -> list[str]:
        """Say which labels are suspected, and why."""
        return inspection_lines(self.record, width)

    def columns(self) -> tuple[None, Mapping[str, Sequence[Any]]]:
        """Give the trigger of each label and kind."""
        found = self.record.searches
        suspected = {(one.found.label, one.found.kind) for one in self.record.suspects}
        return None, {
            "label": [one.label for one in found],
            "kind": [one.kind for one in found],
            "suspected": [(one.label, one.kind) in suspected for one in found],
            "size": [one.size for one in found],
            "share_of_median": [one.share_of_median for one in found],
            "carried": [one.carried for one in found],
        }

    def write(self, folder: Path) -> None:
        """Write report.html, record.json, a picture of each suspected trigger, and the repaired weights if any."""
        from toadstone.report.networks.inspection_page import render_inspection

        for name, text in (("record.json", self.record.to_json()), ("report.html", render_inspection(self.record))):
            with written_aside(folder / name) as stream:
                stream.write((text + "\n").encode())
        for number, suspect in enumerate(self.record.suspects, start=1):
            with written_aside(folder / f"trigger-{number}.png") as stream:
                stream.write(base64.b64decode(suspect.trigger))
        if self.weights is not None:
            from toadstone.deep.tensors.checkpoints import write_tensors

            write_tensors(folder / "repaired.safetensors", self.weights, {"what": "weights"})


@front_door
def inspect(
    network: Any,
    images: Data,
    *,
    head: str | None = None,
    repair: bool = False,
    epochs: int | None = None,
    seed: int = 0,
    **reading: Unpack[Reading],
) -> InspectionResult:
    """Look for a backdoor in a trained network, with trusted images only.

    For each label the smallest patch and the smallest added picture are sought
    that make the network answer it. A label is suspected where one of them is
    at most a third of the median label's in size, and images that the search
    did not see follow it. About 250 images of all labels suffice.

    Parameters
    ----------
    network : str, Module or callable
        ``"module:factory@FILE"``, a function and its weights in a safetensors
        file, or the `torch.nn.Module` itself. Nothing is unpickled.
    images : path, (X, y), Dataset or Split
        Trusted images with their true labels, such as a folder with a folder
        for each label. In their order the labels stand for the outputs of the
        network: the first for output 0.
    head : str, optional
        Name of the last layer; the last linear one by default.
    repair : bool
        Train a copy on, with the found triggers under the true labels; `save`
        writes its weights.
    epochs : int, optional
        Passes of the search for patches over half of the images: 60 by
        default, and more for fewer than 256 images.
    seed : int
        Seed of all that is random, from 0.
    **reading
        Options of how data are read, those of `toadstone.read`.

    Returns
    -------
    InspectionResult

    Raises
    ------
    InvalidInput
        If the network or the images cannot be used.

    References
    ----------
    .. [1] Wang and others, "Neural Cleanse: identifying and mitigating backdoor
       attacks in neural networks", IEEE S&P 2019.
    .. [2] Liu, Dolan-Gavitt and Garg, "Fine-pruning: defending against
       backdooring attacks on deep neural networks", RAID 2018.
    .. [3] Gao and others, "STRIP: a defence against trojan attacks on deep
       neural networks", ACSAC 2019.
    """
    run = current_run("inspect")
    if epochs is not None:
        check_count(epochs=epochs)
    try:
        from toadstone.deep.tensors.factories import load_network
    except ModuleNotFoundError as missing:
        if missing.name != "torch":
            raise
        raise InvalidData(f"network: a network {missing_extra('deep', 'PyTorch')}") from None
    loaded = load_network(network, option="network")
    given = open_data(images, request_of(reading, seed).setting_aside())
    pixels = pixels_of(given.split.whole().X, shape_of(given.split, option="images"), option="network")
    plan = InspectionPlan(
        network=loaded,
        name=network if isinstance(network, str) else type(loaded).__name__,
        pixels=pixels,
        head=head,
        unlearn=repair,
        epochs=epochs,
        seed=seed,
        source=given.source,
        command=run.command,
    )
    return InspectionResult(given, run_inspection(given.split, plan, on_stage=run.watch.announce))
