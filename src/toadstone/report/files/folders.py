"""Results as files in a new folder, which appears whole or not at all."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from toadstone.certificates.files import write_certificate
from toadstone.core.certificate import Certificate
from toadstone.core.claims import claimed, unusable
from toadstone.core.dataset import Poison
from toadstone.core.files import FULL, written_aside
from toadstone.datasets.readers.rows import write_rows_as_arrays
from toadstone.records.audit import AuditRecord
from toadstone.records.defence import DefenceRecord
from toadstone.records.evaluation import EvaluationRecord
from toadstone.records.reproduction import Reproduction
from toadstone.records.scan import ScanRecord
from toadstone.report.files.evaluation_table import write_matrix
from toadstone.report.files.places import new_aside, put, refuse_existing, refuse_foreign, sweep
from toadstone.report.files.sarif import to_sarif
from toadstone.report.files.tables import write_flagged_rows, write_removed_rows, write_suspects
from toadstone.report.pages.audit_page import render
from toadstone.report.pages.defence_page import render_defence
from toadstone.report.pages.evaluation_page import render_evaluation
from toadstone.report.pages.reproduction_page import render_reproduction
from toadstone.report.pages.scan_page import render_scan


@contextmanager
def new_folder(path: str | Path, *, force: bool = False) -> Iterator[Path]:
    """Create a folder that appears under its name only once it is complete.

    The name is held meanwhile, so that no other run writes to it, and what
    killed runs left beside it is removed.

    Parameters
    ----------
    path : path-like
    force : bool
        Replace a folder of results of an older run, in one step at the end.

    Raises
    ------
    InvalidArgument
        If something of that name exists, with `force` something that no run
        wrote; if another run holds the name; if nothing can be created there,
        or the disk is full.
    """
    target = Path(path)
    with claimed(target) as alone:
        if alone:
            sweep(target)
        with filled(target, force=force) as aside:
            yield aside


@contextmanager
def filled(target: Path, *, force: bool) -> Iterator[Path]:
    """Create a folder as `new_folder` does, under a name that the caller holds."""
    (refuse_foreign if force else refuse_existing)(target)
    aside = new_aside(target)
    try:
        with naming_out(target, aside):
            try:
                aside.mkdir()
            except OSError as error:
                raise unusable(target, error, "a folder that can be created") from None
            yield aside
            (refuse_foreign if force else refuse_existing)(target)
            put(aside, target)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


@contextmanager
def naming_out(target: Path, aside: Path | None = None) -> Iterator[None]:
    """Say of a full disk, and of anything else that stops writing a result, that it is about ``--out``.

    Raises
    ------
    InvalidArgument
        In place of such an error.
    """
    try:
        yield
    except Exception as error:
        stopped = _stopped_writing(error, aside)
        if stopped is None:
            raise
        expected = "a disk with room for the results" if stopped.errno in FULL else "a place that can be written"
        raise unusable(target, stopped, expected) from None


def _stopped_writing(error: BaseException | None, aside: Path | None) -> OSError | None:
    """Find the error of the system; an archive that cannot be closed for lack of room hides it behind another."""
    while error is not None:
        if isinstance(error, OSError) and (
            error.errno in (*FULL, errno.EROFS)
            or (aside is not None and Path(str(error.filename)).is_relative_to(aside))
        ):
            return error
        error = error.__cause__ or error.__context__
    return None


def write_audit(record: AuditRecord, certificate: Certificate, poison: Poison | None, folder: Path) -> None:
    """Write report, record, certificate, suspects and poison into a folder."""
    with written_aside(folder / "record.json") as stream:
        stream.write((record.to_json() + "\n").encode())
    with written_aside(folder / "report.html") as stream:
        stream.write(render(record).encode())
    write_suspects(record.suspects, folder / "suspects.csv")
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
    write_removed_rows(record.removals, folder / "removals.csv")


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
