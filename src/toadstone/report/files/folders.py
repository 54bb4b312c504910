"""Results as files in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from toadstone.certificates.files import write_certificate
from toadstone.core.certificate import Certificate, CostCertificate
from toadstone.core.dataset import Poison
from toadstone.core.files import written_aside
from toadstone.datasets.readers.rows import write_rows_as_arrays
from toadstone.records.audit import AuditRecord
from toadstone.records.defence import DefenceRecord
from toadstone.records.evaluation import EvaluationRecord
from toadstone.records.federated import FederatedRecord
from toadstone.records.guarantees.cost import CostRecord
from toadstone.records.guarantees.pointwise import PointwiseRecord
from toadstone.records.reproduction import Reproduction
from toadstone.records.row_scores import RowScores
from toadstone.records.scan import ScanRecord
from toadstone.report.federated.federated_files import write_federated_curves, write_federated_matrix
from toadstone.report.federated.federated_page import render_federation
from toadstone.report.files.evaluation_table import write_matrix
from toadstone.report.files.sarif import to_sarif
from toadstone.report.files.tables import (
    write_listed_rows,
    write_relabelled_rows,
    write_removed_rows,
    write_scores,
    write_suspects,
)
from toadstone.report.pages.audit_page import render
from toadstone.report.pages.cost_page import render_cost
from toadstone.report.pages.defence_page import render_defence
from toadstone.report.pages.evaluation_page import render_evaluation
from toadstone.report.pages.predictions_page import render_predictions
from toadstone.report.pages.reproduction_page import render_reproduction
from toadstone.report.pages.scan_page import render_scan


def write_audit(record: AuditRecord, certificate: Certificate | None, poison: Poison | None, folder: Path) -> None:
    """Write report, record, suspects, and certificate and poison if there are any, into a folder."""
    with written_aside(folder / "record.json") as stream:
        stream.write((record.to_json() + "\n").encode())
    with written_aside(folder / "report.html") as stream:
        stream.write(render(record).encode())
    write_suspects(record.suspects, record.source, folder / "suspects.csv")
    if certificate is not None:
        write_certificate(certificate, folder / "certificate.json")
    if poison is not None:
        write_rows_as_arrays(poison.X, poison.y, folder / "poison.npz")


def write_cost(record: CostRecord, certificate: CostCertificate | None, poison: Poison | None, folder: Path) -> None:
    """Write record and report of a cost, and certificate and poison if there are any, into a folder."""
    for name, text in (("record.json", record.to_json()), ("report.html", render_cost(record))):
        with written_aside(folder / name) as stream:
            stream.write((text + "\n").encode())
    if certificate is not None:
        write_certificate(certificate, folder / "certificate.json")
    if poison is not None:
        write_rows_as_arrays(poison.X, poison.y, folder / "poison.npz")


def write_predictions(record: PointwiseRecord, folder: Path) -> None:
    """Write record and report of certified predictions into a folder."""
    for name, text in (("record.json", record.to_json()), ("report.html", render_predictions(record))):
        with written_aside(folder / name) as stream:
            stream.write((text + "\n").encode())


def write_scan(record: ScanRecord, scores: RowScores, folder: Path, pictures: Mapping[str, str]) -> None:
    """Write record, page with pictures, SARIF, listed rows and the scores of all rows of a scan into a folder."""
    for name, text in (
        ("record.json", record.to_json()),
        ("scan.sarif", to_sarif(record)),
        ("report.html", render_scan(record, pictures)),
    ):
        with written_aside(folder / name) as stream:
            stream.write((text + "\n").encode())
    write_listed_rows(record, folder / "suspects.csv")
    write_scores(scores, record.source, folder / "scores.csv")


def write_defence(record: DefenceRecord, folder: Path) -> None:
    """Write the record of a defence, its page and the tables of removed and relabelled rows into a folder."""
    for name, text in (("record.json", record.to_json()), ("report.html", render_defence(record))):
        with written_aside(folder / name) as stream:
            stream.write((text + "\n").encode())
    write_removed_rows(record.removals, record.source, folder / "removals.csv")
    if record.action == "relabel":
        write_relabelled_rows(record.relabelled, record.source, folder / "relabelled.csv")


def write_evaluation(record: EvaluationRecord, folder: Path) -> None:
    """Write the record of an evaluation, its page and its matrix into a folder, in place of older ones."""
    for name, text in (("record.json", record.to_json()), ("report.html", render_evaluation(record))):
        with written_aside(folder / name) as stream:
            stream.write((text + "\n").encode())
    write_matrix(record, folder / "matrix.csv")


def write_federation(record: FederatedRecord, folder: Path) -> None:
    """Write the record of a federated simulation, its page, matrix and curves into a folder, in place of older ones."""
    for name, text in (("record.json", record.to_json()), ("report.html", render_federation(record))):
        with written_aside(folder / name) as stream:
            stream.write((text + "\n").encode())
    write_federated_matrix(record, folder / "matrix.csv")
    write_federated_curves(record, folder / "curves.csv")


def write_reproduction(record: Reproduction, folder: Path) -> None:
    """Write record and report of a reproduction into a folder."""
    with written_aside(folder / "record.json") as stream:
        stream.write((record.to_json() + "\n").encode())
    with written_aside(folder / "report.html") as stream:
        stream.write(render_reproduction(record).encode())
