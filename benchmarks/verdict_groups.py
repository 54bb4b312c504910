"""What GroupSearch finds of planted groups in the tables of KEEL, and what it accuses where nothing was planted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

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
