"""Attack ridge regression, check the poison, and judge every defence on clean test rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from toadstone.catalogue import entry, resolve
from toadstone.core.arrays import Array, IntArray
from toadstone.core.budget import Budget
from toadstone.core.checks import check_positive
from toadstone.core.dataset import Dataset, Poison
from toadstone.datasets.split import Split
from toadstone.detectors.targets.target_verdict import TargetVerdict
from toadstone.kernels.regression.ridge import RidgeModel, fit_ridge
from toadstone.kernels.rows import stack
from toadstone.learners.severed_ridge import SeveredRidge
from toadstone.learners.trimmed_ridge import TrimmedRidge
from toadstone.pipeline.harness.clock import Clock
from toadstone.pipeline.harness.data_summary import digests
from toadstone.pipeline.harness.header import make_header
from toadstone.pipeline.harness.row_account import source_of
from toadstone.pipeline.regression.facts import summarize_targets
from toadstone.pipeline.regression.targets_check import check_target_poison
from toadstone.records.header import Source
from toadstone.records.regression import AttackedDefence, RegressionAttackRecord

DEFENCES = ("none", "trim", "sever", "verdict")


@dataclass(frozen=True)
class TargetAttackPlan:
    """Options of an attack on ridge regression.

    Parameters
    ----------
    method : str
        Of the catalogue of attacks on regression.
    fraction : float
        Poison rows for each clean row, in [0, 0.5).
    ridge : float
        Penalty of the defender's model.
    seed : int
    source : Source, optional
        Origin of the rows; the name of the split by default.
    command : str

    Raises
    ------
    UnknownName
        If there is no such attack.
    InvalidArgument
        If a number is out of range.
    """

    method: str = "ridge-poisoning"
    fraction: float = 0.03
    ridge: float = 0.01
    seed: int = 0
    source: Source | None = None
    command: str = ""

    def __post_init__(self) -> None:
        entry("regression-attack", self.method)
        check_positive(ridge=self.ridge)
        Budget(self.fraction)

    @property
    def budget(self) -> Budget:
        """As much as the fraction buys, of the kind that the attack spends first."""
        return Budget(self.fraction, entry("regression-attack", self.method).threats[0])

    @property
    def attack(self) -> Any:
        """The attack of that name."""
        found = resolve("regression-attack", self.method)
        if self.method == "harmful-target-ends":
            return found(rows="influential", ridge=self.ridge)
        return found(ridge=self.ridge)


def attack_targets(
    split: Split, plan: TargetAttackPlan, *, on_stage: Callable[[str], None] = lambda stage: None
) -> tuple[RegressionAttackRecord, Poison]:
    """Make the poison, check it, and train behind every defence.

    The attacker knows the training rows and the ridge. TRIM and SEVER are told
    the share of poison, the verdict is not. Errors are on the test rows.

    Parameters
    ----------
    split : Split
        With a numeric target.
    plan : TargetAttackPlan
    on_stage : callable
        Called with the name of each stage as it begins.

    Returns
    -------
    record : RegressionAttackRecord
    poison : Poison

    Raises
    ------
    BudgetExceeded
        If the attack breaks its contract.
    InvalidArgument
        If the budget is for no row.
    """
    clean, clock = split.train, Clock(on_stage)
    with clock.stage("attack"):
        poison = plan.attack.poison(clean, plan.budget, np.random.default_rng(plan.seed))
        check_target_poison(poison, clean, plan.budget)
    spoiled, wrong = _merged(clean, poison)
    defences = []
    with clock.stage("defences"):
        for name in DEFENCES:
            share = np.count_nonzero(wrong) / len(wrong)
            before, _ = _train(name, clean.X, clean.y, plan, share)
            after, kept = _train(name, spoiled.X, spoiled.y, plan, share)
            left_out = np.setdiff1d(np.arange(len(wrong)), kept)
            defences.append(
                AttackedDefence(
                    name,
                    _error(before, split.test),
                    _error(after, split.test),
                    int(np.count_nonzero(wrong[left_out])),
                    int(np.count_nonzero(~wrong[left_out])),
                )
            )
    kind: Literal["add", "flip"] = "add" if plan.budget.kind == "add" else "flip"
    record = RegressionAttackRecord(
        header=make_header("regression-attack", command=plan.command, seed=plan.seed, digests=digests(split)),
        source=source_of(split, plan.source),
        data=summarize_targets(split, clean),
        method=plan.method,
        fraction=plan.fraction,
        budget=kind,
        poison_rows=len(poison),
        ridge=plan.ridge,
        test_rows=len(split.test),
        test_origin=split.test_origin,
        defences=tuple(defences),
        timings=clock.seconds,
    )
    return record, poison


def _merged(clean: Dataset, poison: Poison) -> tuple[Dataset, Any]:
    """Return the rows with the poison, and a mask of the poisoned ones."""
    replaced: IntArray = np.empty(0, dtype=np.int64) if poison.replaces is None else poison.replaces
    if not len(replaced):
        rows = Dataset(stack([clean.X, poison.X]), np.concatenate([clean.y, poison.y]))
        return rows, np.arange(len(rows)) >= len(clean)
    y = np.array(clean.y, dtype=np.float64)
    y[replaced] = poison.y
    return Dataset(clean.X, y), np.isin(np.arange(len(y)), replaced)


def _train(name: str, X: Any, y: Array, plan: TargetAttackPlan, share: float) -> tuple[RidgeModel, IntArray]:
    """Return the model behind a defence, and the rows that it was trained on."""
    kept: IntArray = np.arange(len(y))
    if name == "trim":
        kept = TrimmedRidge(keep=1 - share, ridge=plan.ridge, random_state=plan.seed).fit(X, y).kept_indices_
    elif name == "sever":
        kept = SeveredRidge(fraction=share, ridge=plan.ridge).fit(X, y).kept_indices_
    elif name == "verdict":
        kept = np.setdiff1d(kept, TargetVerdict(random_state=plan.seed).fit(X, y).flagged_indices_)
    return fit_ridge(X[kept], y[kept], plan.ridge), kept


def _error(model: RidgeModel, test: Dataset) -> float:
    return float(np.sqrt(model.squared_residuals(test.X, test.y).mean()))
