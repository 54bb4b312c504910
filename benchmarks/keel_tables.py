"""KEEL's tables, how labels are spoilt in them, and which tables choose and which report."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

HELD_OUT = frozenset(
    [
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
)
"""Tables that nothing was ever chosen on."""

MOST_ROWS = 1200
ATTACKS = ("clean", "5 % flips", "10 % flips", "20 % flips", "5 % of one class")
_MISSING = {"?", "<null>", ""}


@dataclass(frozen=True)
class Spoilt:
    """Rows with their labels, and which of these are wrong."""

    X: np.ndarray
    y: np.ndarray
    wrong: np.ndarray


def tables(folder: Path) -> dict[str, Path]:
    """Files by name, `balanced` before `imbalanced`, alphabetically; of two equal tables the first."""
    paths = [path for part in ("balanced", "imbalanced") for path in sorted((folder / part / "raw").glob("*.dat"))]
    if not paths:
        raise SystemExit(f"{folder}: expected balanced/raw/*.dat and imbalanced/raw/*.dat, got none")
    return {f"{number:03d}": path for number, path in enumerate(paths, 1)}


def choosing_and_reporting(folder: Path) -> tuple[dict[str, Path], dict[str, Path]]:
    """Tables by name: odd numbers choose, even ones report, and tables held out report always."""
    choosing: dict[str, Path] = {}
    reporting: dict[str, Path] = {}
    for number, path in tables(folder).items():
        if path.stem in choosing or path.stem in reporting:
            continue
        held_out = path.stem in HELD_OUT
        (choosing if int(number) % 2 and not held_out else reporting)[path.stem] = path
    return choosing, reporting


def read_table(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Features and labels: numbers as they are, other columns one-hot, what is missing at the mean."""
    blocks, codes = read_columns(path)
    return np.column_stack(blocks), codes


def read_columns(path: Path) -> tuple[list[np.ndarray], np.ndarray]:
    """The features of each column of a file, and the labels; as `read_table`."""
    with path.open(encoding="utf-8") as lines:
        rows = [[cell.strip() for cell in row] for row in csv.reader(lines) if row and not row[0].startswith("@")]
    columns = list(zip(*rows, strict=True))
    blocks = [_column(np.array(column)) for column in columns[:-1]]
    return blocks, np.unique(columns[-1], return_inverse=True)[1]


def drawn(X: np.ndarray, y: np.ndarray, seed: int, most: int = MOST_ROWS) -> tuple[np.ndarray, np.ndarray]:
    """Two thirds of the rows, at most `most`, without classes of fewer than three of them."""
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.permutation(len(y))[: min(most, 2 * len(y) // 3)])
    X, y = X[rows], y[rows]
    often = np.bincount(y)[y] >= 3
    return X[often], np.unique(y[often], return_inverse=True)[1]


def spoil(X: np.ndarray, y: np.ndarray, attack: str, seed: int) -> Spoilt:
    """Give some rows a wrong label, each other label as often."""
    rng = np.random.default_rng(1000 + seed)
    n_classes, labels = int(y.max()) + 1, y.copy()
    if attack == "clean":
        wrong = np.empty(0, dtype=int)
    elif attack.endswith("flips"):
        wrong = rng.permutation(len(y))[: round(float(attack.split()[0]) / 100 * len(y))]
        labels[wrong] = (y[wrong] + rng.integers(1, n_classes, len(wrong))) % n_classes
    else:
        sizes = np.bincount(y)
        # Of the larger classes, so that there is something left of the one that loses rows.
        source = int(rng.choice(np.flatnonzero(sizes >= np.median(sizes))))
        members = rng.permutation(np.flatnonzero(y == source))
        wrong = members[: min(round(0.05 * len(y)), len(members) // 2)]
        labels[wrong] = rng.choice(np.flatnonzero(np.arange(n_classes) != source))
    return Spoilt(X, labels, np.isin(np.arange(len(y)), wrong))


def _column(values: np.ndarray) -> np.ndarray:
    missing = np.isin(values, list(_MISSING))
    try:
        numbers = np.where(missing, "nan", values).astype(float)
    except ValueError:
        return (values[:, None] == np.unique(values)).astype(float)
    return np.where(missing, np.nanmean(numbers), numbers)[:, None]
