"""Shares of the predictions on PneumoniaMNIST that no single hospital can change, and attacks by one hospital.

Every prediction that is not certified is attacked, and the learner is trained again from scratch on the changed rows.
Run ``python benchmarks/hospitals.py --write``, which takes minutes.
"""

from __future__ import annotations

import argparse
import platform
from dataclasses import dataclass

import numpy as np
from timing import RESULTS, duration, table, training_rows, worked

from toadstone.core.arrays import Labels
from toadstone.datasets.catalogue.load import load
from toadstone.datasets.split import Split
from toadstone.kernels.votes.grouped import GroupParts
from toadstone.learners.label_linear.ridge import OneHotRidgeClassifier
from toadstone.learners.linear import LinearClassifier
from toadstone.learners.partitioned import PartitionVoteClassifier
from toadstone.pipeline.certification.label_flips import FlipPlan, certify_label_flips_of
from toadstone.pipeline.certification.pointwise import Pointwise, sources_of_train
from toadstone.pipeline.certification.votes import VotePlan, certify_votes_of

DATA, COLUMN = "pneumonia-hospitals", "hospital"


@dataclass(frozen=True)
class Attacked:
    """Predictions that are not certified, how many of them a hospital changed, and how many certified ones."""

    tried: int
    changed: int
    broken: int = 0


def relabelled(split: Split, hospitals: Labels, found: Pointwise) -> Attacked:
    """All labels of a hospital become one class, for each hospital and class; all models are trained again."""
    winner, counts = found.certificate.winners, found.certificate.counts
    changed = np.zeros(len(counts), dtype=bool)
    for hospital in np.unique(hospitals):
        for label in split.train.classes:
            y = np.where(hospitals == hospital, label, split.train.y)
            learner = PartitionVoteClassifier(estimator=LinearClassifier(tolerance=1e-6), scheme=GroupParts())
            votes = learner.fit_votes(split.train.X, y, split.test.X, groups=hospitals.tolist())
            changed |= learner.scheme_.certify(votes, len(split.train.classes)).winner != winner
    weak = counts == 0
    return Attacked(int(weak.sum()), int(changed[weak].sum()), int(changed[~weak].sum()))


def flipped(split: Split, hospitals: Labels, found: Pointwise) -> Attacked:
    """The most effective labels of one hospital change, others for each query; the ridge is trained again."""
    settings = found.certificate.settings
    setting = {"ridge": settings["ridge"], "bias": settings["bias"]}
    learner = OneHotRidgeClassifier(**setting).fit(split.train.X, split.train.y)
    weak = np.flatnonzero(found.certificate.counts == 0)
    changed = 0
    for query in weak.tolist():
        x = split.test.X[[query]]
        rows, labels = learner.strongest_flips(x, n_units=1, groups=hospitals)
        if len(set(hospitals[rows])) != 1:
            raise SystemExit(f"{DATA}: expected flips in one hospital, got {set(hospitals[rows])}")
        y = split.train.y.copy()
        y[rows] = labels
        again = OneHotRidgeClassifier(**setting).fit(split.train.X, y)
        changed += int(again.predict(x)[0] != learner.predict(x)[0])
    return Attacked(len(weak), changed)


def row(name: str, found: Pointwise, attacked: Attacked, spent: float) -> list[str]:
    """A row of the table."""
    return [
        name,
        f"{found.curve.accuracy:.2%}",
        f"{found.unchanged(1):.1%}",
        f"{found.curve.certified(1):.1%}",
        f"{found.unchanged(2):.1%}",
        f"{attacked.changed} of {attacked.tried}",
        duration(spent),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="also write docs/results/hospitals.md")
    options = parser.parse_args()
    training_rows(DATA)
    split = load(DATA)
    hospitals = np.array(sources_of_train(split, COLUMN))
    (votes,), spent = worked(lambda: certify_votes_of(split, VotePlan(group=COLUMN)))
    by_votes = relabelled(split, hospitals, votes)
    rows = [row("votes of one model a hospital", votes, by_votes, spent)]
    flips, spent = worked(lambda: certify_label_flips_of(split, FlipPlan(group=COLUMN)))
    for found in flips:
        name = f"ridge regression, lambda {found.certificate.settings['ridge'] * len(split.train):.0f}"
        rows.append(row(f"label flips, {name}", found, flipped(split, hospitals, found), spent / len(flips)))
    headings = ["method", "accuracy", "one hospital changes nothing", "and right", "two change nothing"]
    headings += ["not certified, and changed by one hospital", "certificates' time"]
    text = "\n\n".join(
        [
            "# No single hospital",
            f"`{DATA}`: PneumoniaMNIST, {len(split.train):,} training rows in five made-up hospitals of different "
            f"brightness, all {len(split.test)} test rows. Certified are predictions, right or wrong, that no one "
            "hospital can change, by all of its rows (votes) or by all of its labels (label flips).",
            f"**{votes.unchanged(1):.1%} of the predictions of the vote cannot be changed by any one of the 5 "
            "hospitals**, whatever rows it sends.",
            table(headings, rows),
            "The share cannot be larger where an attack by one hospital changes each prediction that is not certified. "
            "Votes: all labels of one hospital become one class, for each hospital and class, and all models are "
            f"trained again; {by_votes.broken} of the certified predictions change. Label flips: the labels of one "
            "hospital that do most against a query change, and the ridge regression is trained again.",
            f"The penalties are the default ones; no label chose any. {np.mean(split.test.y == 1):.2%} of the test "
            "rows have the label of the larger class, so that a strong penalty withstands more and learns less.",
            f"`python benchmarks/hospitals.py --write` on {platform.machine()}, processor time of one thread. The "
            f"certificates are those of `toadstone certify {DATA} --method votes --group {COLUMN}` and `--method "
            "label-flips`.",
        ]
    )
    print(text)
    if options.write:
        (RESULTS / "hospitals.md").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
