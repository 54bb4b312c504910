"""Every certificate of single predictions on six data sets, in one table.

Settings are fixed by rules that look at no label and at no result: the middle one of the default penalties of ridge
regression, one model for every hundred rows (501 at most), and 3 % of the rows as neighbours. Run
``python benchmarks/guarantees_table.py --write``; ``--only NAME`` measures one data set and prints it.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from bench_label_flips import as_they_are, frequent_words, logarithms
from timing import RESULTS, duration, table, worked

import toadstone
from toadstone.core.arrays import Array, IntArray
from toadstone.core.dataset import Dataset
from toadstone.datasets.catalogue.load import load_requested
from toadstone.datasets.readers.request import Request
from toadstone.datasets.split import Split
from toadstone.kernels.label_response.responses import weight_blocks
from toadstone.kernels.label_response.ridge import RidgeResponse
from toadstone.kernels.label_response.smoothing import likelihood_counts, smooth_flips
from toadstone.kernels.privacy.group_privacy import tolerated_rows
from toadstone.pipeline.certification.label_flips import default_ridges

PREPARED: dict[str, tuple[str, Callable[..., tuple[object, object]]]] = {
    "enron": ("logarithms of counts", logarithms),
    "sms": ("logarithms of counts", logarithms),
    "imdb": ("logarithms of counts of the 5,000 words in most texts", frequent_words),
    "adult": ("numbers and categories", as_they_are),
    "pneumonia": ("pixels in [0, 1]", as_they_are),
    "mnist-1-7": ("pixels in [0, 1]", as_they_are),
}
MOST_QUERIES, FEWEST_QUERIES = 2500, 2000
NOISE, FRACTIONS = 0.1, (0.01, 0.03, 0.05)
COLUMNS = ["data", "method", "queries", "accuracy", "median", "at 1 %", "at 3 %", "at 5 %", "all at once, 1 %", "time"]


def split_of(name: str, *, row_by_row: bool) -> Split:
    """A data set with at most so many test rows, drawn at random, in the preparation of its row of `PREPARED`."""
    split = load_requested(name, Request(row_by_row=row_by_row))
    train, test = PREPARED[name][1](split.train.X, split.test.X)
    drawn = np.sort(np.random.default_rng(0).permutation(len(split.test))[:MOST_QUERIES])
    made = Dataset(train, split.train.y, row_ids=split.train.row_ids)
    asked = Dataset(test[drawn], split.test.y[drawn], row_ids=split.test.row_ids[drawn])
    return replace(split, train=made, test=asked)


def shown(queries: int) -> str:
    return f"{queries:,}" + ("" if queries >= FEWEST_QUERIES else " (few)")


def certified(name: str, method: str, split: Split, **options: object) -> list[str]:
    """A row of the table: what `toadstone.certify` says."""
    result, spent = worked(lambda: toadstone.certify(split, method=method, **options))
    (found,) = result.summaries
    share = next(iter(found.collective_accuracy.values()), None)
    return [
        name,
        method,
        shown(found.queries),
        f"{found.accuracy:.1%}",
        f"{found.median} ({found.median / found.n_units:.2%})",
        *(f"{value:.1%}" for value in found.certified_accuracy.values()),
        "" if share is None else f"{share:.1%}",
        duration(spent),
    ]


def smoothed(name: str, split: Split, ridge: float) -> list[str]:
    """A row of the table: label-flip smoothing of the same ridge regression, by its best count."""
    train = split.train
    codes, labels = (np.searchsorted(train.classes, y) for y in (train.y, split.test.y))
    response = RidgeResponse(train.X, ridge=ridge, bias="regularized")

    def smooth() -> tuple[IntArray, Array]:
        parts = [
            smooth_flips(alpha, codes, noise=NOISE, error=error)
            for alpha, error in weight_blocks(response, split.test.X)
        ]
        return np.concatenate([part.winner for part in parts]), np.concatenate([part.log_failure for part in parts])

    (winner, failure), spent = worked(smooth)
    held = np.where(winner == labels, likelihood_counts(failure, noise=NOISE, n_rows=len(codes)), -1)
    median = int(max(np.sort(held)[::-1][(len(held) - 1) // 2], 0))
    shares = [f"{np.mean(held >= np.ceil(share * len(codes) - 1e-9)):.1%}" for share in FRACTIONS]
    accuracy = f"{np.mean(held >= 0):.1%}"
    cells = [accuracy, f"{median} ({median / len(codes):.2%})", *shares, "", duration(spent)]
    return [name, f"smoothing, q = {NOISE:g}", shown(len(held)), *cells]


def rows_of(name: str) -> list[list[str]]:
    """The rows of a data set, a method each."""
    fitted, alone = (split_of(name, row_by_row=row_by_row) for row_by_row in (False, True))
    n = len(fitted.train)
    penalties = default_ridges(fitted.train.X)
    ridge = penalties[len(penalties) // 2]
    return [
        certified(name, "label-flips", fitted, ridge=ridge),
        smoothed(name, fitted, ridge),
        certified(name, "votes", alone, partitions=min(max(n // 100, 5), 501)),
        certified(name, "neighbours", alone, k=2 * int(0.03 * n / 2) + 1),
    ]


def page(rows: list[list[str]], missing: Sequence[str] = ()) -> str:
    """The page of results; data sets that were left out are named."""
    private = tolerated_rows(0.01, limit=0.5, n_rows=13_007, privacy_epsilon=1.0, privacy_delta=1e-5)
    return "\n\n".join(
        [
            "# Guarantees of single predictions",
            "Accuracy and certified accuracy are shares of the test rows that are right, and right whatever an "
            "attacker does with so many per cent of the units, other units for every row (pointwise); the median is "
            f"over all of them. At most {MOST_QUERIES:,} test rows, drawn at random with seed 0. Sets of fewer than "
            f"{FEWEST_QUERIES:,} are marked as few: their figures are no more than a sign. The last but one column is "
            "collective: the share that stays right at least under any one choice of 1 % of the units for all rows. "
            "Units are labels for label-flips and smoothing, rows added or removed for votes, rows modified for "
            "neighbours. Processor time of one thread, collective bound and attack included.",
            table(COLUMNS, rows),
            "Settings follow rules that look at no label and no result: the middle one of the default penalties for "
            "ridge regression and its smoothing, one model for every 100 rows (at most 501), 3 % of the rows as "
            "neighbours. A vote of one model for every 100 rows withstands half a per cent of the rows at most. "
            "Preparation: " + "; ".join(f"{name}, {words}" for name, (words, _) in PREPARED.items()) + ". "
            "Rows of Adult are encoded one by one for votes, whose models scale by their own rows, and for "
            "neighbours, which compare numbers as they stand. Words of IMDB were chosen by how many texts have them, "
            "and features of the published sets by their authors: certificates take both as fixed.",
            "Smoothing is by the likelihood of the noise, the best that its probability allows, and is for the "
            "smoothed classifier. Differential privacy promises something else, for the model and not for a row: "
            "whatever the data, training at epsilon 1 and delta 1e-5 that has an expected loss of 1 % on clean rows "
            f"stays below 50 % after {private} poisoned rows.",
            f"`python benchmarks/guarantees_table.py --write` on {platform.machine()}."
            + (f" Not measured yet: {', '.join(missing)} (`--only NAME`)." if missing else ""),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="also write docs/results/guarantees.md")
    parser.add_argument("--only", choices=sorted(PREPARED), help="one data set, printed alone")
    options = parser.parse_args()
    if options.only:
        print(table(COLUMNS, rows_of(options.only)))
        return
    text = page([row for name in PREPARED for row in rows_of(name)])
    print(text)
    if options.write:
        (RESULTS / "guarantees.md").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
