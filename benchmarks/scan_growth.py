"""Processor time and memory of verdict, checks and detectors as rows grow, beside cleanlab's Datalab on the same rows.

One run a size, in a process of its own, so that peak memory is its own:
``OMP_NUM_THREADS=1 python benchmarks/scan_growth.py``. With ``--wide`` and
``--many`` it takes 2,000 x 200,000 sparse rows and 10,000 rows of 500 classes;
``--rows FILE`` reads comma-separated numbers, the label last, and skips lines
that begin with ``@`` (KEEL's ``letter.dat``).
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array
from sklearn.datasets import make_classification
from timing import table

from toadstone.catalogue import names
from toadstone.core.arrays import IntArray, Labels, Matrix
from toadstone.core.dataset import Dataset
from toadstone.core.row_names import RowNames
from toadstone.detectors import Verdict
from toadstone.pipeline.scan import make_detector
from toadstone.pipeline.scanning.facts import facts
from toadstone.pipeline.scanning.source_values import SourceValues

SIZES = (4_000, 16_000, 64_000)
FLIPPED = 0.03
Rows = tuple[Matrix, Labels, IntArray]


def two_classes(n: int) -> Rows:
    """Twenty columns, two classes of two clusters each."""
    X, y = make_classification(n, 20, n_informative=10, n_redundant=5, class_sep=1.5, flip_y=0, random_state=0)
    return X, *flipped(y)


def wide(n: int = 2_000) -> Rows:
    """Counts of words like those of texts: about 80 of 200,000 columns in a row."""
    rng, per, d = np.random.default_rng(0), 100, 200_000
    y = np.arange(n) % 2
    columns = np.minimum((rng.pareto(0.6, (n, per)) * 20).astype(int), d - 1)
    telling = rng.random((n, per)) < 0.1
    columns = np.where(telling, 500 + 250 * y[:, None] + rng.integers(0, 250, (n, per)), columns)
    X = csr_array((np.ones(n * per), (np.repeat(np.arange(n), per), columns.ravel())), shape=(n, d))
    X.sum_duplicates()
    return X, *flipped(y)


def many_classes(n: int = 10_000) -> Rows:
    rng = np.random.default_rng(0)
    y = np.arange(n) % 500
    return 3 * rng.normal(size=(500, 20))[y] + rng.normal(size=(n, 20)), *flipped(y)


def rows_of(path: str) -> Rows:
    lines = [line.strip().split(",") for line in Path(path).read_text().splitlines() if line.strip()]
    lines = [line for line in lines if not line[0].startswith("@")]
    X = np.array([line[:-1] for line in lines], dtype=float)
    return X, *flipped(np.unique([line[-1].strip() for line in lines], return_inverse=True)[1])


def flipped(y: IntArray) -> tuple[IntArray, IntArray]:
    """Three rows of a hundred get another label."""
    rng = np.random.default_rng(1)
    wrong = rng.choice(len(y), int(FLIPPED * len(y)), replace=False)
    y = y.copy()
    y[wrong] = (y[wrong] + rng.integers(1, y.max() + 1, len(wrong))) % (y.max() + 1)
    return y, wrong


def ours(rows: Rows) -> dict[str, tuple[float, str]]:
    """Seconds of the verdict, of the checks and of each detector, and what they found."""
    X, y, wrong = rows
    found = {"verdict": judged(rows), "checks": checked(rows)}
    for name in names("detector"):
        detector = make_detector(name)
        if not detector.needs_trusted:
            begin = time.process_time()
            flags = detector.fit(X, y).flagged_indices_
            caught = np.isin(wrong, flags).sum()
            found[name] = time.process_time() - begin, f"{caught:,} of {len(wrong):,}, {len(flags) - caught:,} others"
    return found


def judged(rows: Rows) -> tuple[float, str]:
    X, y, wrong = rows
    begin = time.process_time()
    listed = Verdict().fit(X, y).flagged_indices_
    spent, caught = time.process_time() - begin, np.isin(wrong, listed).sum()
    return spent, f"{caught:,} of {len(wrong):,}, {len(listed) - caught:,} others"


def checked(rows: Rows) -> tuple[float, str]:
    X, y, _ = rows
    every = SourceValues(Dataset(X, y), RowNames(), None, np.arange(X.shape[1]), np.zeros(X.shape[1], dtype=bool))
    begin = time.process_time()
    found = facts(every)
    return time.process_time() - begin, ", ".join(fact.kind for fact in found)


def theirs(rows: Rows) -> dict[str, tuple[float, str]]:
    """Datalab with probabilities out of fold and the features, as its tutorial has it; needs ``cleanlab[datalab]``."""
    from cleanlab import Datalab
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    X, y, wrong = rows
    begin = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        chances = cross_val_predict(LogisticRegression(max_iter=1000), X, y, method="predict_proba")
        lab = Datalab(data={"y": y}, label_name="y", verbosity=0)
        lab.find_issues(features=X, pred_probs=chances)
        flags = np.flatnonzero(lab.get_issues("label")["is_label_issue"])
    caught = np.isin(wrong, flags).sum()
    words = f"{caught:,} of {len(wrong):,}, {len(flags) - caught:,} others"
    return {"cleanlab Datalab, all its checks": (time.process_time() - begin, words)}


def measured(kind: str, argument: int | str) -> tuple[dict[str, tuple[float, str]], float]:
    """Run one tool on one data set; its seconds and the peak memory of this process in GiB."""
    warnings.simplefilter("ignore")
    # Compiled kernels are loaded before the clock starts.
    ours(two_classes(300))
    tool, made = kind.split()
    makers: dict[str, Callable[..., Rows]] = {"rows": rows_of, "wide": wide, "many": many_classes, "two": two_classes}
    rows = makers[made](argument)
    found = (ours if tool == "ours" else theirs)(rows)
    return found, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def alone(kind: str, argument: int | str) -> tuple[dict[str, tuple[float, str]], float]:
    # A program of its own: within a worker process the label check of Datalab fails in silence.
    command = [sys.executable, __file__, "--alone", kind, str(argument)]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found, peak = json.loads(ended.stdout.splitlines()[-1])
    return found, peak


def growth(sizes: tuple[int, ...]) -> str:
    runs = {n: alone("ours two", n) for n in sizes}
    their_runs = {n: alone("theirs two", n) for n in sizes} if find_spec("datasets") else {}
    headings = ["CPU seconds", *(f"{n:,}" for n in sizes), "growth of the last", f"wrong labels found of {sizes[-1]:,}"]
    lines = []
    for tool in filter(None, (runs, their_runs)):
        for name in tool[sizes[0]][0]:
            spent = [tool[n][0][name][0] for n in sizes]
            lines.append(_line(name, spent, tool[sizes[-1]][0][name][1]))
        if tool is runs:
            lines.append(_line("all", [sum(t for t, _ in runs[n][0].values()) for n in sizes], ""))
    peaks = [("peak memory, GiB", runs), ("peak memory of Datalab, GiB", their_runs)]
    lines += [[name, *(f"{tool[n][1]:.2f}" for n in sizes), "", ""] for name, tool in peaks if tool]
    return table(headings, lines)


def _line(name: str, spent: list[float], words: str) -> list[str]:
    ratio = f"{spent[-1] / max(spent[-2], 1e-3):.1f}" if len(spent) > 1 else ""
    return [name, *(f"{value:.2f}" for value in spent), ratio, words]


def single(kind: str, argument: int | str) -> str:
    found, peak = alone(f"ours {kind}", argument)
    lines = [[name, f"{spent:.2f}", words] for name, (spent, words) in found.items()]
    total = sum(spent for spent, _ in found.values())
    return table(
        ["detector", "CPU seconds", "wrong labels found"], [*lines, ["all", f"{total:.2f}", f"{peak:.2f} GiB"]]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wide", action="store_true")
    parser.add_argument("--many", action="store_true")
    parser.add_argument("--rows", metavar="FILE")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--alone", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        kind, argument = options.alone
        print(json.dumps(measured(kind, int(argument) if argument.isdigit() else argument)))
    elif options.wide:
        print(single("wide", 2_000))
    elif options.many:
        print(single("many", 10_000))
    elif options.rows:
        print(single("rows", options.rows))
    else:
        print(growth(tuple(options.sizes)))


if __name__ == "__main__":
    sys.exit(main())
