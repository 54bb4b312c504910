"""The data sets of the paper of 2022, and the error of a model on clean rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from toadstone.core.dataset import Poison
from toadstone.datasets import ENTRIES, load, sha256
from toadstone.datasets.split import Split
from toadstone.experiments.conditions import Conditions, Measured
from toadstone.experiments.stronger_2022.protocols.attack_errors import error_row
from toadstone.pipeline.harness.judge import Defence, judge
from toadstone.records.audit import NO_ATTACK, NO_SANITIZER, Evaluation
from toadstone.records.reproduction import Comparison, Panel, Published, Series

ERRORS: Mapping[str, Published] = {
    "enron": Published(0.030, "text", 0.0005),
    "imdb": Published(0.119, "text", 0.0005),
}

_ERROR = (
    "The bias is penalized as in the paper's own program and the solver goes to a gap of 1e-6; the rows of its IMDB "
    "file are not in our text, ours are built from the published reviews."
)


def run(conditions: Conditions) -> Measured:
    """On the real data."""
    conditions.on_stage("reading")
    return measure((load("enron"), load("imdb")), conditions)


def measure(splits: tuple[Split, ...], conditions: Conditions) -> Measured:
    """Sizes, and the test error of a model trained on the clean rows."""
    rows: list[Comparison] = []
    errors: dict[str, float] = {}
    ridges = {split.name: _ridge(split) for split in splits}
    for split in splits:
        conditions.on_stage(f"training on {split.name}")
        cell = _clean(split, ridges[split.name], conditions)
        rows += [
            *_sizes(split),
            error_row(f"{split.name}: clean test error", cell, ERRORS.get(split.name), _ERROR, aim="equal"),
        ]
        errors[split.name] = cell.test_error
        conditions.on_step()
    paper = {name: stated.value for name, stated in ERRORS.items() if name in errors}
    series = [Series("clean test error", "ours", tuple(errors), tuple(errors.values()))]
    series += [Series("clean test error", "paper", tuple(paper), tuple(paper.values()))] if paper else []
    return Measured(
        setting={
            "Model": "linear, hinge loss, bias penalized",
            "Penalty": ", ".join(f"{name} {ridge:g}" for name, ridge in ridges.items()),
        },
        comparisons=tuple(rows),
        panels=(Panel("Clean test error", "bars", "", "test error", "category", "share", tuple(series)),),
        data={split.name: sha256(split.train) for split in splits},
        notes=("The table itself is not in our text; its sizes are therefore not compared.",),
    )


def _ridge(split: Split) -> float:
    """The penalty published for a data set, or else the defender's usual one."""
    return next((entry.ridge for entry in ENTRIES if entry.name == split.name), None) or Defence().ridge


def _clean(split: Split, ridge: float, conditions: Conditions) -> Evaluation:
    train = split.train
    nothing = Poison(train.X[:0], train.y[:0])
    defence = Defence(ridge=ridge, seed=conditions.seed)
    (cell,) = judge(train, split.test, nothing, (NO_SANITIZER,), defence, name=NO_ATTACK)
    return cell


def _sizes(split: Split) -> list[Comparison]:
    sizes = {
        "training rows": len(split.train),
        "test rows": len(split.test),
        "features": split.train.n_features,
        "rows of the rarer class": int(min(np.unique(split.train.y, return_counts=True)[1])),
    }
    return [Comparison(f"{split.name}: {what}", "count", "equal", None, float(size)) for what, size in sizes.items()]
