"""Sanitize: remove the most suspicious rows of each class by one sanitizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

from toadstone.catalogue import resolve
from toadstone.datasets.readers.request import Reading
from toadstone.front.inputs import Data, Given, open_data, request_of
from toadstone.front.results import Result
from toadstone.front.run import current_run, front_door
from toadstone.front.targets import TargetReading, run_sanitizing, with_target
from toadstone.pipeline.harness.judge import Defence
from toadstone.pipeline.sanitize import Cleaning, clean_rows
from toadstone.report.text.defence_text import fates, removal_lines
from toadstone.report.text.formats import flow, visible_lines
from toadstone.report.text.rows_text import reading_lines


class SanitizeResult(Result):
    """Kept and removed rows of a sanitizer; its record is a dict of the method, the counts and the removed rows."""

    def __init__(self, given: Given, cleaning: Cleaning, remove: float) -> None:
        super().__init__(given, cleaning.summary())
        self._cleaning, self._remove = cleaning, remove

    @property
    def kept(self) -> Any:
        """The data without the removed rows: a data frame where one was given, else the pair (X, y) as prepared."""
        return self.given.keep(self._cleaning.data.take(self._cleaning.kept))

    def lines(self, width: int | None = None) -> list[str]:
        """Say how many rows are removed, and show the first of them."""
        found = self._cleaning
        of = "all" if self.given.split.target else "each class"
        lead = f"{found.method} removes {len(found.removals)} of {found.n_rows} rows ({self._remove:.3g} of {of})."
        return [
            *(flow(sentence, width) for sentence in (lead, *fates(found.source, found.account, found.set_aside))),
            *["" for _ in found.removals[:1]],
            *removal_lines(found.source, found.removals, width),
            "",
            *visible_lines(reading_lines(self.given.split, width, found.source)),
        ]

    def columns(self) -> tuple[Sequence[int], Mapping[str, Sequence[Any]]]:
        """Give the removed rows, the most anomalous first."""
        removed = self._cleaning.removals
        return [row.position for row in removed], {
            "label": [row.label for row in removed],
            "score": [row.score for row in removed],
            "reason": [row.reason for row in removed],
        }

    def write(self, folder: Path) -> None:
        """Write removed.csv and the kept rows."""
        from toadstone.report.files.tables import write_removals

        write_removals(self._cleaning.removals, self._cleaning.source, folder / "removed.csv")
        self.given.write_kept(self._cleaning.data.take(self._cleaning.kept), folder, stem="kept")


@front_door
def sanitize(
    data: Data,
    *,
    seed: int = 0,
    method: str | None = None,
    remove: float = 0.05,
    ridge: float = 0.01,
    variant: str = "paper",
    target: str | None = None,
    **reading: Unpack[Reading],
) -> SanitizeResult:
    """Remove the most suspicious rows of each class, or those of a numeric target.

    Parameters
    ----------
    data : path, name, data frame, (X, y), Dataset or Split
        A file, a name that ``toadstone datasets`` lists, a pandas, polars or
        pyarrow data frame, a pair of arrays, or what `load` and `read` return.
    seed : int
        Seed of all that is random, from 0.
    method : {"l2", "slab", "loss", "svd", "knn", "trim", "sever"}, optional
        Score of a row: distance to the class mean (l2), that distance along
        the line between the means (slab), its loss (loss), its distance from
        the main directions (svd) or from its nearest neighbours (knn); of a
        numeric target its squared error at the ridge model of all rows (loss)
        or of the rows that it fits best (trim), or its gradient along their
        main direction (sever). l2 by default, trim for a numeric target.
    remove : float
        Share of each class to remove, in (0, 0.5).
    ridge : float
        Penalty of the model that loss trains: ridge/2 times the squared norm.
    variant : {"paper", "reference"}
        Definition of svd and knn: the paper's, or that of its authors' code.
    target : str, optional
        Column of a numeric target, in place of a label with classes; `remove`
        is then the share of all rows.
    **reading
        Options of how data are read, those of `toadstone.read`: label, text
        and more.

    Returns
    -------
    SanitizeResult

    Raises
    ------
    InvalidInput
        If the data or an option cannot be used.

    Examples
    --------
    >>> import toadstone
    >>> toadstone.sanitize("breast-cancer", method="l2", remove=0.05).record["kept"]
    540
    """
    run, numeric = current_run("sanitize"), with_target(data, target, reading)
    if numeric is not None:
        asked = TargetReading(data, numeric, seed, run)
        found = run_sanitizing(asked, method=method or "trim", remove=remove, ridge=ridge, variant=variant)
        return SanitizeResult(*found, remove)
    method = method or "l2"
    request, defence = (
        request_of(reading, seed).setting_aside(),
        Defence(contamination=remove, ridge=ridge, variant=variant, seed=seed),
    )
    resolve("sanitizer", method)
    given = open_data(data, request)
    run.watch.announce(f"sanitizing by {method}")
    return SanitizeResult(given, clean_rows(given.split, defence, method, source=given.source), remove)
