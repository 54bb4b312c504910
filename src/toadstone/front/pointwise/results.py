"""Results of certificates of single predictions, and the methods by which they are made and verified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from toadstone.certificates.files import as_fields as certificate_fields
from toadstone.certificates.files import write_certificate
from toadstone.core.pointwise import PointwiseCertificate
from toadstone.front.inputs import Given
from toadstone.front.results import Result
from toadstone.front.run import current_run
from toadstone.kernels.rows import fitting_domain
from toadstone.pipeline.certification.alone import Alone
from toadstone.pipeline.certification.pointwise import FRACTIONS, Pointwise, with_curve
from toadstone.pipeline.certification.predicted import prediction_columns
from toadstone.pipeline.harness.data_summary import summarize
from toadstone.pipeline.harness.header import make_header
from toadstone.pipeline.harness.row_account import source_of
from toadstone.pipeline.layers.wilson import Rate
from toadstone.records.guarantees.pointwise import PointwiseRecord, PointwiseSummary, UnitAlone
from toadstone.records.serial import as_fields
from toadstone.report.certificates.pointwise_text import pointwise_lines, setting_in_words, verified_pointwise_sentence
from toadstone.report.text.formats import flow

_FEW_COUNTS = (1, 2, 3)


class PointwiseResult(Result):
    """Certificates of single predictions, one for each setting; its record is a list of what they come to."""

    def __init__(self, given: Given, found: Sequence[Pointwise], fractions: Sequence[float]) -> None:
        self._found = tuple(found)
        self.summaries = tuple(summary_of(one, len(given.split.train), fractions) for one in found)
        super().__init__(given, [_flat(summary) for summary in self.summaries])
        self.details = self._details()

    def _details(self) -> PointwiseRecord:
        split, run = self.given.split, current_run("certify")
        first = self._found[0].certificate
        digests = {"train": first.data_sha256, "test": first.queries_sha256}
        return PointwiseRecord(
            header=make_header(
                "predictions", command=run.command, seed=self.given.request.random_state, digests=digests
            ),
            source=source_of(split, self.given.source),
            data=summarize(split, split.domain or fitting_domain(split.train.X)),
            adversary=first.adversary,
            summaries=self.summaries,
            steps=tuple(one.steps() for one in self._found),
            assumptions=first.assumptions,
            not_promised=first.not_promised,
        )

    @property
    def certificates(self) -> tuple[PointwiseCertificate, ...]:
        """The certificates, in the order of the settings."""
        return tuple(one.certificate for one in self._found)

    def lines(self, width: int | None = None) -> list[str]:
        """Say what predictions withstand, setting by setting, and what is assumed."""
        unscaled = self.given.split.unscaled is not None
        return pointwise_lines(
            self.summaries, self.certificates, width, unscaled=unscaled, origin=self.given.split.test_origin
        )

    def predictions(self) -> Any:
        """Return a data frame with a row for each test row of each setting.

        Returns
        -------
        data frame
            Of the kind and with the row names of `to_frame`. Columns are
            ``setting`` where there are several, ``label``, ``prediction``,
            ``count`` (units that cannot change the prediction), ``rival``
            (class that overtakes it first, empty where none can) and
            ``changed_by`` (names of the units that each change it alone, where
            units have names).
        """
        return self.given.table(*prediction_columns(self.given.split, self._found, self._names()))

    def _names(self) -> list[str]:
        return [setting_in_words(summary) or summary.method for summary in self.summaries]

    def columns(self) -> tuple[None, Mapping[str, Sequence[Any]]]:
        """Give a row for each setting."""
        shares = [f"certified at {key}" for key in self.summaries[0].certified_accuracy]
        names = [name for name in self.summaries[0].settings if name not in ("key", "votes_sha256")]
        table: dict[str, list[Any]] = {name: [one.settings[name] for one in self.summaries] for name in names}
        table |= {name: [getattr(one, name) for one in self.summaries] for name in ("accuracy", "median", "n_units")}
        for place, title in enumerate(shares):
            table[title] = [list(one.certified_accuracy.values())[place] for one in self.summaries]
        return None, table

    def plot(self) -> Any:
        """Draw the certified accuracy of each setting over the number of units."""
        from toadstone.report.drawings.plots import plot_certified_accuracy

        return plot_certified_accuracy([one.curve for one in self._found], self._names(), self.summaries[0].unit)

    def write(self, folder: Path) -> None:
        """Write each certificate as JSON with its arrays beside it, rows.csv, report.html and record.json."""
        for place, certificate in enumerate(self.certificates, 1):
            number = "" if len(self.certificates) == 1 else f"-{place}"
            write_certificate(certificate, folder / f"certificate{number}.json")
        from toadstone.report.files.folders import write_predictions
        from toadstone.report.files.tables import write_predicted_rows

        write_predictions(self.details, folder)
        rows, columns = prediction_columns(self.given.split, self._found, self._names())
        names = [self.given.split.row_names[row] for row in rows]
        write_predicted_rows(names, columns, self.details.source, folder / "rows.csv")


class PointwiseVerifyResult(Result):
    """A certificate of single predictions that follows from the data."""

    def __init__(self, given: Given, certificate: PointwiseCertificate) -> None:
        self.summary = summary_of(with_curve(certificate, given.split), len(given.split.train), FRACTIONS)
        super().__init__(given, certificate_fields(certificate) | _flat(self.summary) | {"verified": True})
        self.certificate = certificate

    def lines(self, width: int | None = None) -> list[str]:
        """State what the certificate proves."""
        return [flow(verified_pointwise_sentence(self.summary), width)]

    def columns(self) -> tuple[None, Mapping[str, Sequence[Any]]]:
        """Give one row: method, accuracy and median."""
        return None, {name: [self.record[name]] for name in ("method", "accuracy", "median", "n_units", "verified")}

    def write(self, folder: Path) -> None:
        """Write the certificate again."""
        write_certificate(self.certificate, folder / "certificate.json")


def summary_of(found: Pointwise, n_train: int, fractions: Sequence[float]) -> PointwiseSummary:
    """Say what a certificate comes to."""
    certificate, line = found.certificate, found.curve
    settings = dict(certificate.settings)
    if certificate.method == "label-flips" and "ridge" in settings and "scheme" not in settings:
        settings["lambda"] = float(settings["ridge"]) * n_train
    settings.pop("n_train", None)
    rate = Rate.of(len(line.right_counts), line.n_queries)
    keys, units = [f"{fraction:g}" for fraction in fractions], [line.units_at(fraction) for fraction in fractions]
    return PointwiseSummary(
        method=certificate.method,
        unit=certificate.unit,
        exact=certificate.exact,
        settings=settings,
        n_train=n_train,
        n_units=certificate.n_units,
        queries=line.n_queries,
        accuracy=line.accuracy,
        accuracy_low=rate.low,
        accuracy_high=rate.high,
        median=line.median,
        certified_accuracy=dict(zip(keys, map(line.certified, units), strict=True)),
        certified_few={str(few): line.certified(few) for few in _FEW_COUNTS},
        unchanged={str(few): found.unchanged(few) for few in _FEW_COUNTS},
        collective_accuracy=dict(zip(keys, found.least_right(units), strict=False)),
        attacked_accuracy=dict(zip(keys, found.attacked(units), strict=False)),
        collective_unchanged=dict(zip(map(str, _FEW_COUNTS), found.least_unchanged(_FEW_COUNTS), strict=False)),
        alone=() if found.alone is None else units_alone(found.alone),
        seconds=found.seconds,
    )


def units_alone(alone: Alone) -> tuple[UnitAlone, ...]:
    """Say what each unit can change alone, the worst first."""
    changes = alone.changes.sum(axis=0)
    return tuple(
        UnitAlone(alone.names[unit], int(alone.rows[unit]), int(changes[unit])) for unit in alone.worst_first()
    )


def _flat(summary: PointwiseSummary) -> dict[str, Any]:
    """Return a summary as JSON fields, its settings beside the others."""
    fields: dict[str, Any] = as_fields(summary)
    return {**fields.pop("settings"), **fields}
