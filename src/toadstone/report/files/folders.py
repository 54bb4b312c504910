"""Results as files in a new folder, which appears whole or not at all."""

from __future__ import annotations

import errno
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from toadstone.certificates.files import write_certificate
from toadstone.core.certificate import Certificate
from toadstone.core.dataset import Poison
from toadstone.core.errors import InvalidArgument
from toadstone.core.files import written_aside
from toadstone.datasets.readers.rows import write_rows_as_arrays
from toadstone.records.audit import AuditRecord
from toadstone.records.defence import DefenceRecord
from toadstone.records.evaluation import EvaluationRecord
from toadstone.records.reproduction import Reproduction
from toadstone.records.scan import ScanRecord
from toadstone.report.files.evaluation_table import write_matrix
from toadstone.report.files.sarif import to_sarif
from toadstone.report.files.tables import write_flagged_rows, write_removed_rows, write_suspects
from toadstone.report.pages.audit_page import render
from toadstone.report.pages.defence_page import render_defence
from toadstone.report.pages.evaluation_page import render_evaluation
from toadstone.report.pages.reproduction_page import render_reproduction
from toadstone.report.pages.scan_page import render_scan

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def new_folder(path: str | Path) -> Iterator[Path]:
    """Create a folder that appears under its name only once it is complete.

    Raises
    ------
    InvalidArgument
        If something of that name exists, nothing can be created there, or
        the disk is full.
    """
    target = Path(path)
    refuse_existing(target)
    # Beside the target, thus on the same disk, where a rename is one step.
    aside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    missing = [parent for parent in target.parents if not parent.exists()]
    try:
        aside.mkdir(parents=True)
    except OSError as error:
        _remove_empty(missing)
        raise _unusable(target, "a folder that can be created", error) from None
    try:
        yield aside
        aside.rename(target)
    except BaseException as error:
        shutil.rmtree(aside, ignore_errors=True)
        _remove_empty(missing)
        if isinstance(error, OSError) and error.errno in _FULL:
            raise _unusable(target, "a disk with room for the results", error) from None
        raise


def _unusable(target: Path, expected: str, error: OSError) -> InvalidArgument:
    return InvalidArgument("out", expected, f"{target}: {(error.strerror or 'input/output error').lower()}")


def _remove_empty(folders: Iterable[Path]) -> None:
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def refuse_existing(path: str | Path) -> None:
    """Check that a name is not taken.

    Raises
    ------
    InvalidArgument
        If something of that name exists.
    """
    # A link that points nowhere does not exist, but its name is taken.
    if Path(path).exists() or Path(path).is_symlink():
        raise InvalidArgument("out", "a name that is not taken", f"{path}, which exists")


def write_audit(record: AuditRecord, certificate: Certificate, poison: Poison | None, folder: Path) -> None:
    """Write report, record, certificate, suspects and poison into a folder."""
    with written_aside(folder / "record.json") as stream:
        stream.write((record.to_json() + "\n").encode())
    with written_aside(folder / "report.html") as stream:
        stream.write(render(record).encode())
    write_suspects(record.suspects, record.source, folder / "suspects.csv")
    write_certificate(certificate, folder / "certificate.json")
    if poison is not None:
        write_rows_as_arrays(poison.X, poison.y, folder / "poison.npz")


def write_scan(record: ScanRecord, folder: Path) -> None:
    """Write the record of a scan, its page, its table and its SARIF into a folder."""
    for name, text in (
        ("record.json", record.to_json()),
        ("scan.sarif", to_sarif(record)),
        ("report.html", render_scan(record)),
    ):
        with written_aside(folder / name) as stream:
            stream.write((text + "\n").encode())
    write_flagged_rows(record, folder / "suspects.csv")


def write_defence(record: DefenceRecord, folder: Path) -> None:
    """Write the record of a defence, its page and the table of removed rows into a folder."""
    for name, text in (("record.json", record.to_json()), ("report.html", render_defence(record))):
        with written_aside(folder / name) as stream:
            stream.write((text + "\n").encode())
    write_removed_rows(record.removals, record.source, folder / "removals.csv")


def write_evaluation(record: EvaluationRecord, folder: Path) -> None:
    """Write the record of an evaluation, its page and its matrix into a folder, in place of older ones."""
    for name, text in (("record.json", record.to_json()), ("report.html", render_evaluation(record))):
        with written_aside(folder / name) as stream:
            stream.write((text + "\n").encode())
    write_matrix(record, folder / "matrix.csv")


def write_reproduction(record: Reproduction, folder: Path) -> None:
    """Write record and report of a reproduction into a folder."""
    with written_aside(folder / "record.json") as stream:
        stream.write((record.to_json() + "\n").encode())
    with written_aside(folder / "report.html") as stream:
        stream.write(render_reproduction(record).encode())
