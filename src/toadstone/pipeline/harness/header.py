"""The header of a record: what ran, on which rows, with which versions."""

from __future__ import annotations

import datetime
import platform
import sys
from collections.abc import Mapping
from importlib.metadata import version

from threadpoolctl import threadpool_info

from toadstone.core.version import __version__
from toadstone.records.header import SCHEMA_VERSIONS, Header, RecordName

_PACKAGES = ("numpy", "scipy", "scikit-learn", "numba")


def make_header(
    record: RecordName, *, command: str, seed: int, digests: Mapping[str, str], packages: tuple[str, ...] = ()
) -> Header:
    """Describe the run that ends now.

    Parameters
    ----------
    record : str
        Kind of the record.
    command : str
        The command line, or the call of the Python function.
    seed : int
    digests : mapping from str to str
        SHA-256 of the rows, by their part in the run.
    packages : tuple of str
        Distributions to name besides those that compute every record.
    """
    return Header(
        record=record,
        schema_version=SCHEMA_VERSIONS[record],
        command=command,
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        seed=seed,
        threads=max((pool["num_threads"] for pool in threadpool_info()), default=1),
        peak_memory_mb=_peak_memory(),
        digests=dict(digests),
        versions={"python": platform.python_version(), "toadstone": __version__}
        | {name: version(name) for name in (*_PACKAGES, *packages)},
    )


def _peak_memory() -> float | None:
    if sys.platform == "win32":
        return None
    import resource

    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, 1)
