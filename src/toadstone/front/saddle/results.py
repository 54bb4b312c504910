"""Results of certificates of the training loss, and of their verification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from toadstone.certificates.cost.verify import Recomputed
from toadstone.certificates.files import as_fields, write_certificate
from toadstone.certificates.saddle.certify import Timed
from toadstone.certificates.saddle.changed_rows import error_bound
from toadstone.core.budget import Budget
from toadstone.core.certificate import CostCertificate, ModelCertificate
from toadstone.front.inputs import Given
from toadstone.front.results import Result
from toadstone.pipeline.certification.kept_rows import KeptRows
from toadstone.pipeline.certify import CertifiedSplit
from toadstone.report.certificates.certificate_text import certificate_lines, kept_sentence, verified_sentence
from toadstone.report.cost.cost_text import verified_cost_sentence
from toadstone.report.text.formats import flow


class CertifyResult(Result):
    """Certificates, one for each fraction; its record is a list of their readable parts."""

    def __init__(self, given: Given, certified: CertifiedSplit[ModelCertificate], kept: KeptRows | None = None) -> None:
        super().__init__(
            given,
            [
                as_fields(result.certificate)
                | {"conclusive": certified.conclusive(result.certificate), "seconds": result.seconds}
                | changed_fields(result, len(given.split.train))
                | kept_fields(kept, result.certificate.budget)
                for result in certified.results
            ],
        )
        self._certified = certified

    @property
    def certificates(self) -> tuple[ModelCertificate, ...]:
        """The certificates, in the order of the fractions."""
        return self._certified.certificates

    @property
    def conclusive(self) -> tuple[bool, ...]:
        """For each certificate, True if bound and attack met within the tolerance."""
        return tuple(self._certified.conclusive(certificate) for certificate in self.certificates)

    def lines(self, width: int | None = None) -> list[str]:
        """Say the bounds, the attacks that come close, and the assumptions."""
        found, split, last = self._certified, self.given.split, self.record[-1]
        about = kept_sentence(last, len(split.test)) if "unchanged" in last else ""
        return certificate_lines(
            found.certificates,
            list(self.conclusive),
            split,
            found.hypothesis_origin,
            width,
            about_test_rows=about,
        )

    def columns(self) -> tuple[None, Mapping[str, Sequence[Any]]]:
        """Give a row for each fraction."""
        names = ["fraction", "bound", "attack_value", "gap", "conclusive", "seconds"]
        more = ("clean_bound", "error_bound", "unchanged", "certified_accuracy")
        names += [name for name in more if name in self.record[0]]
        return None, {name: [fields[name] for fields in self.record] for name in names}

    def plot(self) -> Any:
        """Draw the bound and the loss that an attack reaches over the fraction."""
        from toadstone.report.drawings.plots import plot_curve

        return plot_curve(self._certified.curve)

    def write(self, folder: Path) -> None:
        """Write each certificate as JSON with its arrays beside it."""
        for certificate in self.certificates:
            write_certificate(certificate, folder / f"certificate-{certificate.budget.fraction!r}.json")


class VerifyResult(Result):
    """A certificate that proves its bound; its record is the certificate's readable part, and the bound recomputed."""

    def __init__(self, given: Given, certificate: ModelCertificate, recomputed: float) -> None:
        super().__init__(given, as_fields(certificate) | {"recomputed_bound": recomputed, "verified": True})
        self.certificate = certificate

    def lines(self, width: int | None = None) -> list[str]:
        """State what the certificate proves."""
        return [flow(verified_sentence(self.certificate, self.record["recomputed_bound"]), width)]

    def columns(self) -> tuple[None, Mapping[str, Sequence[Any]]]:
        """Give one row: fraction, bound and attack."""
        return None, {name: [self.record[name]] for name in ("fraction", "bound", "attack_value", "gap", "verified")}

    def write(self, folder: Path) -> None:
        """Write the certificate again."""
        write_certificate(self.certificate, folder / "certificate.json")


class CostVerifyResult(Result):
    """A certificate that proves its number of rows; its record is the readable part, and bound and floor recomputed."""

    def __init__(self, given: Given, certificate: CostCertificate, found: Recomputed) -> None:
        recomputed = {"recomputed_bound": found.bound, "recomputed_floor": found.floor, "verified": True}
        super().__init__(given, as_fields(certificate) | recomputed)
        self.certificate = certificate

    def lines(self, width: int | None = None) -> list[str]:
        """State what the certificate proves."""
        rows = len(self.certificate.floor_duals)
        bound, floor = self.record["recomputed_bound"], self.record["recomputed_floor"]
        return [flow(verified_cost_sentence(self.certificate, rows, bound=bound, floor=floor), width)]

    def columns(self) -> tuple[None, Mapping[str, Sequence[Any]]]:
        """Give one row: the harm, the rows that it takes at least, bound and floor."""
        names = ("harm", "wanted", "certified_rows", "bound", "floor", "verified")
        return None, {name: [self.record[name]] for name in names}

    def write(self, folder: Path) -> None:
        """Write the certificate again."""
        write_certificate(self.certificate, folder / "certificate.json")


def changed_fields(result: Timed[ModelCertificate], n: int) -> dict[str, float]:
    """Return what is stated besides where rows are flipped or replaced, of n clean rows."""
    if result.certificate.changed is None:
        return {}
    stated = {"error_bound": error_bound(result.certificate, n)}
    return stated if result.whole_value is None else stated | {"whole_value": result.whole_value}


def kept_fields(kept: KeptRows | None, budget: Budget) -> dict[str, float]:
    """Return what is stated about the test rows, each by itself."""
    if kept is None:
        return {}
    return {
        "unchanged": kept.unchanged(budget),
        "certified_accuracy": kept.certified_accuracy(budget),
        "median_rows": kept.median,
    }
