"""Downloads of public data sets: fetch, check and parse their files."""

from __future__ import annotations

import importlib
import os
import struct
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toadstone.core.errors import InvalidData
from toadstone.datasets.catalogue.entries import Original

_TIMEOUT = 30.0

_BROKEN = (
    EOFError,
    IndexError,
    KeyError,
    NotImplementedError,
    OSError,
    TypeError,
    ValueError,
    struct.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)


def cache_folder() -> Path:
    """Return the cache folder of downloaded data sets, the usual one of the operating system."""
    import pooch

    return Path(pooch.os_cache("toadstone"))


def fetch(name: str, original: Original, folder: Path) -> dict[str, NDArray[Any]]:
    """Download the files of a data set into a temporary folder and parse them.

    Parameters
    ----------
    name : str
        Name of the data set, for error messages.
    original : Original
    folder : Path
        Parent of the temporary folder; created if needed.

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    InvalidData
        If a file cannot be downloaded, has another checksum, or cannot be
        parsed.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        temporary = tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder)
    except OSError as error:
        reason = (error.strerror or "input/output error").lower()
        raise InvalidData(f"{folder}: expected a folder that can be written, got: {reason}") from None
    with temporary as directory:
        files = [
            _download(name, url, checksum, Path(directory) / f"{position}-{url.rsplit('/', 1)[-1].partition('?')[0]}")
            for position, (url, checksum) in enumerate(zip(original.urls, original.checksums, strict=True))
        ]
        return _parse(name, original, files)


def _download(name: str, url: str, checksum: str | None, file: Path) -> Path:
    # Only a download needs pooch, whose progress bar makes notebooks print a warning when it is imported.
    import pooch

    downloader = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=_TIMEOUT)
    try:
        downloader(url, os.fspath(file), None)
    except (OSError, ValueError) as error:
        raise InvalidData(f"{name}: expected to download {url}, got {_cause(error)}") from None
    if checksum is not None:
        algorithm, _, expected = checksum.partition(":")
        found = pooch.file_hash(os.fspath(file), alg=algorithm)
        if found != expected:
            raise InvalidData(
                f"{name}: expected {url} with {algorithm} {expected}, got {found}; the file was discarded"
            )
    return file


def _cause(error: Exception) -> str:
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP status {response.status_code}"
    return {
        "ConnectTimeout": "a timeout",
        "ReadTimeout": "a timeout",
        "ChunkedEncodingError": "a connection that broke off",
        "ConnectionError": "no connection",
        "SSLError": "no secure connection",
    }.get(type(error).__name__, type(error).__name__)


def _parse(name: str, original: Original, files: Sequence[Path]) -> dict[str, NDArray[Any]]:
    parser = getattr(importlib.import_module("toadstone.datasets.catalogue.originals"), original.parser)
    try:
        arrays: dict[str, NDArray[Any]] = parser(files)
    except _BROKEN:
        raise InvalidData(
            f"{name}: expected the published files at {original.urls[0]}, got damaged or changed ones"
        ) from None
    return {key: np.asarray(values) for key, values in arrays.items()}
