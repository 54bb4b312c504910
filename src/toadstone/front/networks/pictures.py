"""Pictures of single images of a split, for reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from toadstone.core.errors import InvalidArgument
from toadstone.datasets.split import Split
from toadstone.front.networks.images import pixels_of, shape_of
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
    try:
        return _encoded(split, dict.fromkeys(names))
    except InvalidArgument:
        return {}


def _encoded(split: Split, names: Iterable[str]) -> dict[str, str]:
    shape = shape_of(split, option="image")
    data = split.whole()
    place = {split.row_names[row]: position for position, row in enumerate(ids_of(data).tolist())}
    known = [name for name in names if name in place]
    if not known:
        return {}
    pixels = pixels_of(data.X[[place[name] for name in known]], shape, option="image")
    return {name: png(picture) for name, picture in zip(known, pixels, strict=True)}
