"""How long attacks take, and what error they leave, beside the times of the paper.

Each part runs in a process of its own, which tells its peak memory. Attackers
know the test labels, as the paper's do. Times are from loaded data; what a
part includes stands in its row.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace

import numpy as np
from timing import duration, publish, table, training_rows

from toadstone.attacks.decoys.burn_in import paper_burn_in
from toadstone.attacks.decoys.decoys import GRIDS, fit_clean, fit_decoy
from toadstone.attacks.decoys.kkt import KKTAttack
from toadstone.attacks.decoys.minmax import MinMaxAttack
from toadstone.attacks.decoys.multiclass_decoys import OnlineTraining, fit_multiclass_decoy
from toadstone.attacks.decoys.multiclass_minmax import MulticlassMinMaxAttack
from toadstone.attacks.influence.influence import InfluenceAttack
from toadstone.core.budget import Budget
from toadstone.core.certificate import Ridge, Setting
from toadstone.core.dataset import Poison
from toadstone.datasets.catalogue.load import load
from toadstone.datasets.split import Split
from toadstone.kernels.sets.sets import ConvexSet
from toadstone.pipeline.attack import AttackPlan
from toadstone.pipeline.attack import attack as search_attack
from toadstone.pipeline.attack_search.attacker import Knowledge, described, kkt_candidate
from toadstone.pipeline.attack_search.search import QUICK, Search, SearchEffort, SearchProblem
from toadstone.pipeline.certify import FILTERS, build_feasible_set
from toadstone.pipeline.harness.judge import Defence, judge
from toadstone.pipeline.harness.threat_model import ThreatModel

BUDGET, CORES = Budget(0.03), os.cpu_count() or 1
FIVE = ("l2", "slab", "loss", "svd", "knn")
RIDGES = {"enron": 0.09, "imdb": 0.01, "mnist": 0.001}


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    seconds: float
    error: float | None
    paper: str
    memory: float = 0.0


def inside(split: Split, domain: str) -> ConvexSet:
    """What the attacker expects to pass the sphere and the slab."""
    return build_feasible_set(split.train, Setting(FILTERS, 0.9, domain, "hinge", Ridge(RIDGES[split.name])))


def decoy_of(split: Split, quantile: float, repeats: int) -> np.ndarray:
    """A decoy from the test rows, its clean model included."""
    ridge = RIDGES[split.name]
    clean = fit_clean(split.train, ridge=ridge, tolerance=1e-5)
    return fit_decoy(
        split.train, split.test, clean, quantile=quantile, repeats=repeats, ridge=ridge, tolerance=1e-5
    ).theta


def least_error(split: Split, poison: Poison, names: tuple[str, ...] = FIVE) -> float:
    """What the best of the defences leaves."""
    cells = judge(split.train, split.test, poison, names, Defence(ridge=RIDGES[split.name]), name="x", workers=CORES)
    return min(cell.test_error for cell in cells)


def kkt(split: Split, quantile: float, repeats: int, copies: int) -> Poison:
    """One decoy and the KKT attack that leads to it."""
    attack = KKTAttack(
        theta=decoy_of(split, quantile, repeats),
        feasible_set=inside(split, "integer"),
        ridge=RIDGES[split.name],
        positive_share=0.5,
        integer=True,
        repeats=copies,
    )
    return attack.poison(split.train, BUDGET, np.random.default_rng(0))


def minmax(split: Split, quantile: float, repeats: int) -> Poison:
    """One decoy and the min-max attack with it."""
    attack = MinMaxAttack(
        decoy=decoy_of(split, quantile, repeats),
        feasible_set=inside(split, "integer"),
        ridge=RIDGES[split.name],
        burn_in=paper_burn_in(split.name, BUDGET.fraction),
        integer=True,
    )
    return attack.poison(split.train, BUDGET, np.random.default_rng(0))


def enron_kkt() -> list[Row]:
    split = load("enron")
    kkt(split, 0.5, 3, 2)
    begin = time.perf_counter()
    poison = kkt(split, 0.4, 8, 2)
    return [Row("Enron: KKT, one decoy", time.perf_counter() - begin, least_error(split, poison), "17 % in 27 s")]


def enron_sweep() -> list[Row]:
    split = load("enron")
    defence = Defence(ridge=RIDGES["enron"])
    threat = ThreatModel(split.train, BUDGET, "integer", defence, FILTERS, 0.9)
    known = Knowledge(threat, split.train, split.test, GRIDS["enron"])
    begin = time.perf_counter()
    decoys = known.decoys(CORES)
    problem = SearchProblem(split.train, split.test, BUDGET, defence, QUICK, ("svd", "knn"))
    search_state = Search(problem, SearchEffort(0, CORES), finalists=4)
    search_state.run([kkt_candidate(known, decoy, described(decoy), 0.5) for decoy in decoys])
    found = search_state.decide()
    took = time.perf_counter() - begin
    return [Row(f"Enron: KKT at all {len(decoys)} decoys, judged", took, found.strength, "")]


def enron_minmax() -> list[Row]:
    split = load("enron")
    minmax(split, 0.5, 3)
    begin = time.perf_counter()
    poison = minmax(split, 0.35, 12)
    took = time.perf_counter() - begin
    return [Row("Enron: min-max, one decoy", took, least_error(split, poison), "23 % in 28 min")]


def enron_influence() -> list[Row]:
    split = load("enron")
    attack = InfluenceAttack(
        probe=split.test,
        feasible_set=inside(split, "integer"),
        ridge=RIDGES["enron"],
        step=0.5,
        integer=True,
        max_steps=60,
    )
    begin = time.perf_counter()
    poison = attack.poison(split.train, BUDGET, np.random.default_rng(0))
    took = time.perf_counter() - begin
    return [Row("Enron: influence, 60 steps", took, least_error(split, poison), "17 % in 286 min")]


def enron_best() -> list[Row]:
    plan = AttackPlan(method="kkt-influence", select_on="test", workers=CORES)
    begin = time.perf_counter()
    record = search_attack(load("enron"), plan).record
    took = time.perf_counter() - begin
    return [Row("Enron: the best found, its split test included", took, record.worst_case, "")]


def imdb_kkt() -> list[Row]:
    split = load("imdb")
    begin = time.perf_counter()
    poison = kkt(split, 0.4, 5, 3)
    made = time.perf_counter()
    error = least_error(split, poison)
    judged = time.perf_counter()
    return [
        Row("IMDB: KKT, one decoy", made - begin, error, ""),
        Row("IMDB: five defences on it", judged - made, None, ""),
    ]


def imdb_minmax() -> list[Row]:
    split = load("imdb")
    begin = time.perf_counter()
    poison = minmax(split, 0.4, 5)
    took = time.perf_counter() - begin
    return [Row("IMDB: min-max, one decoy (L2, slab, loss)", took, least_error(split, poison, FIVE[:3]), "")]


def mnist_minmax() -> list[Row]:
    split = load("mnist")
    training = OnlineTraining()
    codes = np.searchsorted(split.train.classes, split.train.y)
    clean = training(split.train.X, codes, 10, np.ones(len(codes), dtype=np.int64))
    decoy = fit_multiclass_decoy(split.train, split.test, clean, training, quantile=0.2, repeats=60)
    begin = time.perf_counter()
    attack = MulticlassMinMaxAttack(feasible_set=inside(split, "box"), decoy=decoy.theta, max_decoy_loss=-1.5)
    poison = attack.poison(split.train, BUDGET, np.random.default_rng(0))
    took = time.perf_counter() - begin
    defence = Defence(ridge=0.003, learner="online")
    cells = judge(split.train, split.test, poison, ("l2", "loss"), defence, name="x")
    return [Row("MNIST, ten classes: min-max (L2, loss)", took, min(cell.test_error for cell in cells), "")]


PARTS = (
    enron_kkt, enron_sweep, enron_minmax, enron_influence, enron_best, imdb_kkt, imdb_minmax, mnist_minmax,
)  # fmt: skip


def alone(name: str) -> None:
    """One part in this process; its rows as JSON."""
    rows = globals()[name]()
    usage = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    peak = max(usage) / 2**20
    print(json.dumps([asdict(replace(row, memory=peak)) for row in rows]))


def main() -> None:
    training_rows("imdb")
    rows: list[Row] = []
    for part in PARTS:
        told = subprocess.run([sys.executable, __file__, part.__name__], capture_output=True, text=True, check=True)
        rows += [Row(**fields) for fields in json.loads(told.stdout)]
        print(rows[-1].what, file=sys.stderr)
    lines = [
        [
            row.what,
            duration(row.seconds),
            "" if row.error is None else f"{100 * row.error:.1f} %",
            row.paper,
            f"{row.memory:.2f} GiB",
        ]
        for row in rows
    ]
    text = (
        "3 % poison; the error is that of the best of five defences, or of those named. The paper's times are those of "
        "its section 5.3, on two cores, and for influence a GPU besides; peak is that of the largest process. KKT and "
        "min-max include their decoy and its clean model, but not the judgement; the sweep includes everything."
    )
    publish(
        "attacks",
        "Attacks: time, error, memory",
        [table(["", "time", "error", "paper", "peak"], lines), text],
        ["numpy"],
    )


if __name__ == "__main__":
    if sys.argv[-1] in {part.__name__ for part in PARTS}:
        alone(sys.argv[-1])
    else:
        main()
