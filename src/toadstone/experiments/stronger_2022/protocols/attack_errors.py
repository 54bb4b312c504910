"""Test errors of attacks behind each defence, as in the paper of 2022."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from toadstone.core.dataset import Poison
from toadstone.datasets.split import Split
from toadstone.experiments.conditions import Conditions
from toadstone.experiments.figures import WILSON, percent, sizes
from toadstone.pipeline.attack import AttackPlan, attack
from toadstone.pipeline.harness.judge import Defence, judge
from toadstone.records.attack import AttackRecord
from toadstone.records.audit import NO_ATTACK, NO_SANITIZER, Evaluation
from toadstone.records.reproduction import Aim, Comparison, Interval, Panel, Published, Series

DEFENCES = {"l2": "L2", "slab": "slab", "loss": "loss", "svd": "SVD", "knn": "nearest neighbours", "none": "none"}
"""The paper's names of the defences by ours, in the paper's order."""

FIVE = ("l2", "slab", "loss", "svd", "knn")
BEST_DEFENCE = "the best of the five"
TITLES = {
    "influence": "influence",
    "kkt": "KKT",
    "min-max": "min-max",
    "min-max-basic": "min-max, basic",
    "label-flip": "label flips",
    "alfa": "ALFA",
    "kkt-influence": "strongest",
}


@dataclass(frozen=True)
class AttackProtocol:
    """Attacks to make, and the attacker's knowledge.

    Parameters
    ----------
    methods : tuple of str
        Names of `toadstone.pipeline.attack_search.methods`.
    fraction : float
        Poison rows for each clean row.
    select_on : {"test", "train", "validation"}
        Rows that attacks are optimised and selected on; the paper's attacker
        knows the test rows and their labels.
    ridge : float, optional
        Penalty of the defender; by default the published one of the data set.
    """

    methods: tuple[str, ...]
    fraction: float = 0.03
    select_on: str = "test"
    ridge: float | None = None

    def in_words(self, split: Split, records: Mapping[str, AttackRecord]) -> dict[str, str]:
        """Return the setting of the attacks in words, for the record."""
        ridge = next(iter(records.values())).ridge
        known = {"test": "the test rows and their labels, as in the paper", "train": "the training rows only"}
        return {
            "Data": sizes(split),
            "Defender": defender_in_words(ridge),
            "Attacker": f"adds {percent(self.fraction)}; assumes filters at the 0.9 quantile of each class's clean "
            f"rows; knows {known.get(self.select_on, 'training rows held out')}",
        }


def defender_in_words(ridge: float) -> str:
    """Describe the paper's defender in words, for the record."""
    return (
        "removes 5\N{NO-BREAK SPACE}% of each class by one defence, then trains a linear model, hinge loss, "
        f"penalty {ridge:g}"
    )


def attack_all(split: Split, protocol: AttackProtocol, conditions: Conditions) -> dict[str, AttackRecord]:
    """Make the strongest attack of each method, and evaluate it against every defence."""
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

        def on_stage(stage: str, method: str = method) -> None:
            conditions.on_stage(f"{method} on {split.name}: {stage}")

        found[method] = attack(split, plan, on_stage=on_stage, on_step=conditions.on_step).record
    return found


def evaluate_clean(split: Split, defence: Defence) -> Evaluation:
    """Evaluate the model trained on the clean rows, without attack and without sanitizer."""
    nothing = Poison(split.train.X[:0], split.train.y[:0])
    (cell,) = judge(split.train, split.test, nothing, (NO_SANITIZER,), defence, name=NO_ATTACK)
    return cell


def best_defence(cells: Sequence[Evaluation]) -> Evaluation:
    """Return the evaluation with the smallest test error, among the defences that remove rows."""
    return min((cell for cell in cells if cell.sanitizer != NO_SANITIZER), key=lambda cell: cell.test_error)


def error_row(
    what: str, cell: Evaluation, paper: Published | None, reason: str, *, aim: Aim = "higher", note: str = ""
) -> Comparison:
    """Compare a test error with the paper's."""
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


def best_defence_rows(
    records: Mapping[str, AttackRecord], paper: Mapping[str, Published], reasons: Mapping[str, str]
) -> list[Comparison]:
    """Compare each method's error behind the best defence with the paper's."""
    return [
        error_row(
            f"{TITLES.get(name, name)}: test error behind {BEST_DEFENCE}",
            best_defence(record.evaluations),
            paper.get(name),
            reasons.get(name, ""),
            note=f"Strongest of {record.tried} tried: {record.candidate}.",
        )
        for name, record in records.items()
    ]


def defence_rows(
    label: str,
    cells: Sequence[Evaluation],
    paper: Mapping[tuple[str, str], Published],
    reason: str,
    *,
    aim: Aim = "higher",
) -> list[Comparison]:
    """Compare an attack's error behind each defence with the paper's, which is keyed by (label, sanitizer)."""
    return [
        error_row(
            f"{label}: test error behind {DEFENCES[cell.sanitizer]}",
            cell,
            paper.get((label, cell.sanitizer)),
            reason,
            aim=aim,
        )
        for cell in sorted(cells, key=lambda cell: list(DEFENCES).index(cell.sanitizer))
    ]


def record_rows(records: Mapping[str, AttackRecord]) -> list[Comparison]:
    """List each method's error behind each defence; the paper does not state them."""
    return [
        row
        for name, record in records.items()
        for row in defence_rows(TITLES.get(name, name), record.evaluations, {}, "")
    ]


def defence_panel(
    title: str, attacks: Mapping[str, Sequence[Evaluation]], paper: Mapping[tuple[str, str], Published]
) -> Panel:
    """Plot bars of each attack's error behind each defence, and behind the best one if all five are there."""
    series = []
    for label, cells in attacks.items():
        found = {cell.sanitizer: cell.test_error for cell in cells}
        places = {DEFENCES[name]: found[name] for name in DEFENCES if name in found}
        if len(set(found) - {NO_SANITIZER}) == len(FIVE):
            places[BEST_DEFENCE] = best_defence(cells).test_error
        series.append(Series(label, "ours", tuple(places), tuple(places.values())))
        stated = {DEFENCES.get(key, key): one.value for (attack, key), one in paper.items() if attack == label}
        if stated:
            series.append(Series(label, "paper", tuple(stated), tuple(stated.values())))
    return Panel(title, "bars", "", "test error", "category", "share", tuple(series))


def record_panel(title: str, records: Mapping[str, AttackRecord], paper: Mapping[str, Published]) -> Panel:
    """Plot bars of each method's error behind each defence, with the paper's error behind the best one."""
    return defence_panel(
        title,
        {TITLES.get(name, name): record.evaluations for name, record in records.items()},
        {(TITLES.get(name, name), BEST_DEFENCE): stated for name, stated in paper.items()},
    )
