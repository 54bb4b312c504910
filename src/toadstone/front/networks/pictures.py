"""Pictures of single images of a split, for reports."""

from __future__ import annotations

from collections.abc import Mapping

from toadstone.datasets.split import Split
from toadstone.front.networks.images import hold_pixels, pixels_of
from toadstone.pipeline.evaluation.attack_choices import layout_of
from toadstone.pipeline.harness.row_account import ids_of
from toadstone.pipeline.networks.png import png
from toadstone.records.scan import ScanRecord

_ROWS, _OF_A_GROUP = 25, 8


def pictures_of(split: Split, record: ScanRecord) -> Mapping[str, str]:
    """Return PNG files in base64 of the images that the page of a scan shows, by the names of their rows.

    Parameters
    ----------
    split : Split
    record : ScanRecord
        Of it.

    Returns
    -------
    mapping from str to str
        Empty where rows are no images, or were standardised.
    """
    alone = [row for row in record.rows if row.group is None]
    names = [row.row for row in (*alone[:_ROWS], *record.review[:_ROWS])]
    names += [name for group in record.groups[:_ROWS] for name in group.rows[:_OF_A_GROUP]]
    shape, data = layout_of(split), split.whole()
    if shape is None or not hold_pixels(data.X):
        return {}
    place = {split.row_names[row]: position for position, row in enumerate(ids_of(data).tolist())}
    known = [name for name in dict.fromkeys(names) if name in place]
    pixels = pixels_of(data.X[[place[name] for name in known]], shape, option="image")
    return {name: png(picture) for name, picture in zip(known, pixels, strict=True)}
