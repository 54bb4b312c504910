"""Results on disk: a new folder, whole or not there at all."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bezoar.certificates.files import write_certificate
from bezoar.core.certificate import Certificate
from bezoar.core.dataset import Poison
from bezoar.core.errors import InvalidArgument
from bezoar.core.files import written_aside
from bezoar.core.record import RunRecord
from bezoar.datasets.rows import write_rows_as_arrays
from bezoar.report.html import render
from bezoar.report.suspects import write_suspects


@contextmanager
def new_folder(path: str | Path) -> Iterator[Path]:
    """A folder that appears under its name only once it is complete.

    Raises
    ------
    InvalidArgument
        If something of that name exists, or nothing can be created there.
    """
    target = Path(path)
    refuse_existing(target)
    aside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        aside.mkdir(parents=True)
    except OSError as error:
        reason = (error.strerror or "input/output error").lower()
        raise InvalidArgument("out", "a folder that can be created", f"{target}: {reason}") from None
    try:
        yield aside
        aside.rename(target)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def refuse_existing(path: str | Path) -> None:
    """Refuse a name that is taken.

    Raises
    ------
    InvalidArgument
        If something of that name exists.
    """
    if Path(path).exists() or Path(path).is_symlink():
        raise InvalidArgument("out", "a name that is not taken", f"{path}, which exists")


def write_audit(record: RunRecord, certificate: Certificate, poison: Poison | None, folder: Path) -> None:
    """Write report, record, certificate, suspects and poison into a folder."""
    with written_aside(folder / "record.json") as stream:
        stream.write((record.to_json() + "\n").encode())
    with written_aside(folder / "report.html") as stream:
        stream.write(render(record).encode())
    write_suspects(record.suspects, folder / "suspects.csv")
    write_certificate(certificate, folder / "certificate.json")
    if poison is not None:
        write_rows_as_arrays(poison.X, poison.y, folder / "poison.npz")
