"""Cost: the rows that an attacker needs to do a harm, certified from below and found from above."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack, cast

from toadstone.core.certificate import CostCertificate
from toadstone.core.dataset import Poison
from toadstone.datasets.readers.request import Reading
from toadstone.front.inputs import Data, Given, open_data, request_of, workers_of
from toadstone.front.results import Result
from toadstone.front.run import current_run, front_door
from toadstone.pipeline.cost import Cost, CostPlan
from toadstone.pipeline.cost import cost as run_cost
from toadstone.pipeline.costing.candidates import CostKind
from toadstone.records.guarantees.cost import CostRecord
from toadstone.report.cost.cost_text import cost_lines


class CostResult(Result):
    """Rows that cannot do a harm, and rows that can; its record is a `CostRecord`."""

    record: CostRecord

    def __init__(self, given: Given, found: Cost) -> None:
        super().__init__(given, found.record)
        self._found = found

    @property
    def certificate(self) -> CostCertificate | None:
        """The proof of the certified number, which `verify` checks; None where that is at most one."""
        return self._found.certificate

    @property
    def poison(self) -> Poison | None:
        """The rows of the attack found; None where there is none."""
        return self._found.poison

    def lines(self, width: int | None = None) -> list[str]:
        """Say both numbers of rows, and what they rest on."""
        return cost_lines(self.record, width)

    def columns(self) -> tuple[None, Mapping[str, Sequence[Any]]]:
        """Give one row: the harm, both numbers of rows, and what the attack does."""
        record, found = self.record, self.record.found
        return None, {
            "kind": [record.kind],
            "error": [record.error],
            "loss": [record.loss],
            "certified_rows": [record.certified_rows],
            "attack_rows": [record.attack_rows],
            "ratio": [record.ratio],
            "attack_error": [None if found is None else found.error],
            "attack_test_error": [None if found is None else found.test_error],
        }

    def write(self, folder: Path) -> None:
        """Write report.html, record.json, certificate.json with its arrays, and poison.npz."""
        from toadstone.report.files.folders import write_cost

        write_cost(self.record, self.certificate, self.poison, folder)


@front_door
def cost(
    data: Data,
    *,
    error: float | None = None,
    loss: float | None = None,
    kind: str = "add",
    seed: int = 0,
    quantile: float = 0.95,
    ridge: float | None = None,
    domain: str = "auto",
    most: float = 0.4,
    tolerance: float | None = None,
    workers: int | None = None,
    **reading: Unpack[Reading],
) -> CostResult:
    """Say how many rows an attacker needs to make a defender err so often, or lose so much.

    From below it is certified: fewer rows cannot do it, whatever they are.
    From above it is found: an attack is searched for, carried out and kept.

    Parameters
    ----------
    data : path, name, data frame, (X, y), Dataset or Split
        A file, a name that ``toadstone datasets`` lists, a pandas, polars or
        pyarrow data frame, a pair of arrays, or what `load` and `read` return.
    error : float, optional
        Share of the clean training rows that is to be classified wrongly, in
        (0, 1]; by default the error without poison and five points.
    loss : float, optional
        Their mean hinge loss, in place of the error.
    kind : {"add", "flip", "replace"}
        What the attacker does: add rows, change labels, or put rows in the
        place of others.
    seed : int
        Seed of all that is random, from 0.
    quantile : float
        Share of each class's clean rows that passes the filters, in [0.5, 1);
        added rows pass them too.
    ridge : float, optional
        The defender's penalty; chosen by cross-validation by default.
    domain : {"auto", "real", "box", "integer"}
        Values that poison may have.
    most : float
        Rows to try at most, for each clean row, in (0, 0.5).
    tolerance : float, optional
        Relative gap at which certificates stop, in (0, 1); 1e-4 by default,
        1e-3 for data of more than two million entries.
    workers : int, optional
        Processes, one for each available core by default; results do not depend on it.
    **reading
        Options of how data are read, those of `toadstone.read`: label, text
        and more.

    Returns
    -------
    CostResult

    Raises
    ------
    InvalidInput
        If the data or an option cannot be used.

    References
    ----------
    .. [1] Steinhardt, Koh and Liang, "Certified defenses for data poisoning
       attacks", NIPS 2017.
    .. [2] Suya, Mahloujifar, Suri, Evans and Tian, "Model-targeted poisoning
       attacks with provable convergence", ICML 2021.

    Examples
    --------
    >>> import toadstone
    >>> result = toadstone.cost("breast-cancer", error=0.06, ridge=0.3, workers=1)
    >>> result.record.certified_rows <= result.record.attack_rows
    True
    """
    run, request = current_run("cost"), request_of(reading, seed)
    plan = CostPlan(
        error=error,
        loss=loss,
        kind=cast(CostKind, kind),
        quantile=quantile,
        ridge=ridge,
        domain=domain,
        most=most,
        tolerance=tolerance,
        seed=seed,
        workers=workers_of(workers),
        command=run.command,
    )
    given = open_data(data, request, domain=domain)
    found = run_cost(
        given.split, replace(plan, source=given.source), on_stage=run.watch.announce, on_step=run.watch.step
    )
    return CostResult(given, found)
