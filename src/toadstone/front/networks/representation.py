"""Features of the images of a source, by a network of the caller's."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument, InvalidData, missing_extra
from toadstone.datasets.split import Split
from toadstone.front.networks.images import pixels_of, shape_of
from toadstone.pipeline.defence.seen_features import SeenFeatures

_NAMED = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*(@.+)?|[A-Za-z_]\w*")
_OPTION = "represent"


def is_network(represent: Any) -> bool:
    """Tell a network, or the name of one, from a matrix or the file of one.

    Examples
    --------
    >>> [is_network(one) for one in ("models:body", "models:body@w.safetensors", "activations.npy", None)]
    [True, True, False, False]
    """
    if isinstance(represent, str):
        return bool(_NAMED.fullmatch(represent)) and not Path(represent).exists()
    return callable(represent) and not isinstance(represent, os.PathLike)


def seen_by(represent: Any, head: str | None, split: Split, trusted: Dataset | None) -> SeenFeatures | None:
    """Return what the last layer of a network gets for each image; None where `represent` is no network.

    Parameters
    ----------
    represent : str, Module, callable or other
        As for `toadstone.deep.load_network`.
    head : str, optional
        Name of the last layer; the last linear one by default.
    split : Split
        Of images.
    trusted : Dataset, optional

    Raises
    ------
    InvalidInput
        If the rows are no images, PyTorch is missing, or the network is of no
        use for them.
    """
    if not is_network(represent):
        if head is not None:
            raise InvalidArgument("head", "a network given by `represent` beside it", head)
        return None
    shape = shape_of(split, option=_OPTION)
    try:
        from toadstone.deep.tensors.factories import load_network
        from toadstone.deep.tensors.factories import represent as represented
    except ModuleNotFoundError as missing:
        if missing.name != "torch":
            raise
        raise InvalidData(f"represent: a network {missing_extra('deep', 'PyTorch')}") from None
    network = load_network(represent, option=_OPTION)
    rows = represented(network, pixels_of(split.whole().X, shape, option=_OPTION), head=head)
    known = None if trusted is None else represented(network, pixels_of(trusted.X, shape, option=_OPTION), head=head)
    name = represent if isinstance(represent, str) else type(network).__name__
    note = f"labels were judged in {rows.shape[1]:,} features of the network {name}, groups looked for in the pixels"
    return SeenFeatures(rows, known, note)
