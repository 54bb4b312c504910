"""Load a data set by name: from the data folder, the cache, or its publisher."""

from __future__ import annotations

import importlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from toadstone.core.checks import did_you_mean
from toadstone.core.errors import InvalidArgument, InvalidData, UnknownName
from toadstone.datasets.catalogue.entries import ENTRIES, Entry
from toadstone.datasets.catalogue.fetch import cache_folder, fetch
from toadstone.datasets.preparation.labels import rows_of_classes
from toadstone.datasets.readers.formats.arrays import save
from toadstone.datasets.readers.read import SUFFIXES, SourceFile, is_data_file, read_source
from toadstone.datasets.readers.request import Reading, Request, checked
from toadstone.datasets.split import Split, sha256

FOLDER_VARIABLE = "TOADSTONE_DATA"
_BY_NAME = {entry.name: entry for entry in ENTRIES}


def load(source: str | os.PathLike[str], *, random_state: int = 0, **reading: Unpack[Reading]) -> Split:
    """Load a data set of the catalogue by name, or read a file.

    An archive is looked up in the folder that the environment variable
    ``TOADSTONE_DATA`` names, then in the cache. If it is in neither, the
    public files are downloaded, checked, and kept in the cache.

    Parameters
    ----------
    source : str or path-like
        Name of the catalogue, or path of a file.
    random_state : int
        Seed of the hold-out.
    **reading
        Options of `read`. Data sets of the catalogue come prepared: only
        `classes` applies to them, and `test_share` where no test split is
        published.

    Returns
    -------
    Split

    Raises
    ------
    UnknownName
        If it is neither a name nor a file.
    InvalidArgument
        If an option does not apply.
    InvalidData
        If the file, the archive or the download cannot be used.

    Examples
    --------
    >>> split = load("digits-1-7")
    >>> split.train.X.shape, split.test_origin
    ((289, 64), '20 % held out at random, stratified, seed 0')
    """
    return load_requested(os.fspath(source), Request(**checked(reading), random_state=random_state))


def load_requested(name: str, request: Request) -> Split:
    """Load a data set by name, or read a file, with checked options; see `load`."""
    found = open_requested(name, request)
    return found.split if isinstance(found, SourceFile) else found


def open_requested(name: str, request: Request) -> Split | SourceFile:
    """Load a data set by name, or read a file and keep the way back to its rows, with checked options; see `load`."""
    if name in _BY_NAME:
        return _load_entry(_BY_NAME[name], request)
    if is_data_file(name) or os.sep in name or Path(name).exists():
        return read_source(name, request)
    hint = did_you_mean(name, _BY_NAME, most=2, show=repr)
    raise UnknownName(
        f"unknown data set {name!r}: expected a file ending in {', '.join(SUFFIXES)}, "
        f"or one of {', '.join(_BY_NAME)}{hint}"
    )


def locate(name: str) -> Path | None:
    """Return the archive of a catalogue entry on this machine, or None.

    Raises
    ------
    UnknownName
        If the catalogue has no such entry.
    InvalidData
        If the folder named by ``TOADSTONE_DATA`` does not exist.
    """
    if name not in _BY_NAME:
        raise UnknownName(f"unknown data set {name!r}: expected one of {', '.join(_BY_NAME)}")
    file = _BY_NAME[name].file
    if file is None:
        return None
    folder = data_folder()
    places = (cache_folder(),) if folder is None else (folder, cache_folder())
    return next((place / file for place in places if (place / file).is_file()), None)


def data_folder() -> Path | None:
    """Return the folder that ``TOADSTONE_DATA`` names, or None if it is not set.

    Raises
    ------
    InvalidData
        If there is no such folder.
    """
    named = os.environ.get(FOLDER_VARIABLE)
    if not named:
        return None
    if not Path(named).is_dir():
        raise InvalidData(f"{FOLDER_VARIABLE}: expected a folder, got {named}")
    return Path(named)


def _load_entry(entry: Entry, request: Request) -> Split:
    group = _known_group(entry, request)
    request = request if group is None else replace(request, group=None)
    request.refuse_columns(f"the prepared data set {entry.name}")
    request.refuse_regression(f"the prepared data set {entry.name}")
    if request.scale != "auto":
        raise InvalidArgument("scale", f"'auto' for {entry.name}, which comes prepared", repr(request.scale))
    if entry.classes is not None and request.classes not in (None, entry.classes, entry.classes[::-1]):
        raise InvalidArgument("classes", f"only {' and '.join(entry.classes)} for {entry.name}", request.classes)
    wanted = replace(request, classes=request.classes or entry.classes, group=group)
    split = _read_embedded(entry, wanted) if entry.file is None else _read_archive(entry, entry.file, wanted)
    rows_of_classes(split.train.y, wanted.classes, entry.name)
    test_origin = entry.test_origin or request.test_origin
    return replace(split, name=entry.name, test_origin=test_origin, domain=entry.domain)


def _known_group(entry: Entry, request: Request) -> str | None:
    """Return the column of sources that is asked for, if the entry has it; None where none is asked for, or has any."""
    if not entry.beside or request.group is None:
        return None
    group = request.group.strip()
    if group not in entry.beside:
        raise InvalidArgument("group", f"{' or '.join(entry.beside)} for {entry.name}", repr(request.group))
    return group


def _reader(entry: Entry) -> Any:
    module, _, function = entry.reader.partition(":")
    return getattr(importlib.import_module(f"toadstone.datasets.{module}"), function)


def _read_embedded(entry: Entry, request: Request) -> Split:
    split: Split = _reader(entry)(entry.name, request)
    return split


def _read_archive(entry: Entry, file: str, request: Request) -> Split:
    path = locate(entry.name) or _download(entry, cache_folder() / file)
    split: Split = _reader(entry)(path, request)
    if path.parent == cache_folder() and request.classes == entry.classes and request.group is None:
        _check_content(entry, split, path)
    return split


def _download(entry: Entry, path: Path) -> Path:
    hint = f"put {path.name} into the folder that the environment variable {FOLDER_VARIABLE} names"
    if entry.original is None:
        raise InvalidData(f"{entry.name}: expected {path.name}, which is not available for download; {hint}")
    try:
        arrays = fetch(entry.name, entry.original, path.parent)
    except InvalidData as error:
        raise InvalidData(f"{error}; try again, or {hint}") from None
    save(path, arrays)
    return path


def _check_content(entry: Entry, split: Split, path: Path) -> None:
    """Check the digest of a cached archive; delete the archive if it differs."""
    found = (sha256(split.train), sha256(split.test))
    if entry.sha256 is None or found == entry.sha256:
        return
    path.unlink(missing_ok=True)
    raise InvalidData(
        f"{entry.name}: expected content with SHA-256 {entry.sha256[0]}, got {found[0]}; "
        f"{path} was deleted, so try again"
    )
