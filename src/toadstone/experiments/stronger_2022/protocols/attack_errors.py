"""Test errors that attacks leave behind each defence, as in the paper of 2022."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from toadstone.datasets.split import Split
from toadstone.experiments.conditions import Conditions
from toadstone.experiments.figures import WILSON, percent, sizes
from toadstone.pipeline.attack import AttackPlan, attack
from toadstone.records.attack import AttackRecord
from toadstone.records.audit import NO_SANITIZER, Evaluation
from toadstone.records.reproduction import Aim, Comparison, Interval, Panel, Published, Series

DEFENCES = {"l2": "L2", "slab": "slab", "loss": "loss", "svd": "SVD", "knn": "nearest neighbours", "none": "none"}
"""Names of the paper, in its order, by ours."""

LEAST = "the best of the five"
TITLES = {
    "influence": "influence",
    "kkt": "KKT",
    "minmax": "min-max",
    "minmax-basic": "min-max, basic",
    "label-flip": "label flips",
    "alfa": "ALFA",
    "best": "strongest",
}


@dataclass(frozen=True)
class AttackProtocol:
    """Which attacks to make, and what they know.

    Parameters
    ----------
    methods : tuple of str
        Of `toadstone.pipeline.attack_search.methods`.
    fraction : float
        Poison rows for each clean row.
    select_on : {"test", "train", "validation"}
        What attacks aim at and are told apart on; the paper's attacker knows
        the test rows and their labels.
    ridge : float, optional
        By default the published one of the data set.
    """

    methods: tuple[str, ...]
    fraction: float = 0.03
    select_on: str = "test"
    ridge: float | None = None

    def in_words(self, split: Split, ridge: float) -> dict[str, str]:
        """The setting, for the record."""
        known = {"test": "the test rows and their labels, as in the paper", "train": "the training rows only"}
        return {
            "Data": sizes(split),
            "Defender": f"removes 5\N{NO-BREAK SPACE}% of each class by one defence, then trains a linear model, hinge "
            f"loss, penalty {ridge:g}",
            "Attacker": f"adds {percent(self.fraction)}; expects the 0.9 quantile of each class's clean rows to pass; "
            f"knows {known.get(self.select_on, 'training rows held out')}",
        }


def attack_all(split: Split, protocol: AttackProtocol, conditions: Conditions) -> dict[str, AttackRecord]:
    """The strongest attack of each method, judged by every defence."""
    found = {}
    for method in protocol.methods:
        plan = AttackPlan(
            method=method,
            fraction=protocol.fraction,
            select_on=protocol.select_on,
            ridge=protocol.ridge,
            seed=conditions.seed,
            workers=conditions.workers,
        )

        def tell(stage: str, method: str = method) -> None:
            conditions.on_stage(f"{method} on {split.name}: {stage}")

        found[method] = attack(split, plan, on_stage=tell, on_step=conditions.on_step).record
    return found


def least(record: AttackRecord) -> Evaluation:
    """The evaluation against the defence that fares best."""
    return min(
        (cell for cell in record.evaluations if cell.sanitizer != NO_SANITIZER), key=lambda cell: cell.test_error
    )


def error_row(
    what: str, cell: Evaluation, paper: Published | None, reason: str, *, aim: Aim = "higher", note: str = ""
) -> Comparison:
    """A measured test error beside the paper's."""
    return Comparison(
        what=what,
        unit="share",
        aim=aim,
        paper=paper,
        ours=cell.test_error,
        interval=Interval(cell.low, cell.high, WILSON),
        note=note,
        reason=reason,
    )


def least_rows(
    records: Mapping[str, AttackRecord], paper: Mapping[str, Published], reasons: Mapping[str, str]
) -> list[Comparison]:
    """Each method's error against whichever defence fares best."""
    return [
        error_row(
            f"{TITLES.get(name, name)}: test error behind {LEAST}",
            least(record),
            paper.get(name),
            reasons.get(name, ""),
            note=f"Of {record.tried} tried, the strongest: {record.candidate}.",
        )
        for name, record in records.items()
    ]


def defence_rows(
    records: Mapping[str, AttackRecord], paper: Mapping[tuple[str, str], Published], reason: str
) -> list[Comparison]:
    """Each method's error behind each defence; the paper's by (method, defence)."""
    return [
        error_row(
            f"{TITLES.get(name, name)}: test error behind {DEFENCES[cell.sanitizer]}",
            cell,
            paper.get((name, cell.sanitizer)),
            reason,
        )
        for name, record in records.items()
        for cell in sorted(record.evaluations, key=lambda cell: list(DEFENCES).index(cell.sanitizer))
    ]


def defence_panel(title: str, records: Mapping[str, AttackRecord], paper: Mapping[str, Published]) -> Panel:
    """Bars: each method behind each defence, and behind the best, where the paper's are known."""
    series = []
    for name, record in records.items():
        label = TITLES.get(name, name)
        errors = {DEFENCES[sanitizer]: record.test_error[sanitizer] for sanitizer in DEFENCES} | {
            LEAST: record.worst_case
        }
        series.append(Series(label, "ours", tuple(errors), tuple(errors.values())))
        if name in paper:
            series.append(Series(label, "paper", (LEAST,), (paper[name].value,)))
    return Panel(
        title=title,
        kind="bars",
        x_label="",
        y_label="test error",
        x_unit="category",
        unit="share",
        series=tuple(series),
    )
