"""Good files of every format that the readers know; a new format is one more line in `SEEDS`."""

from __future__ import annotations

import csv
import datetime
import decimal
import gzip
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
from counting import delimited_records, nothing_counted, svmlight_records
from scipy.sparse import random_array

from toadstone.datasets.readers.read import SUFFIXES

N = 24


@dataclass(frozen=True)
class Seed:
    """A good file, and how its records are counted by other means than the reader's."""

    name: str
    content: bytes
    count: Callable[[bytes, str, bool], list | None]


def _cells() -> list[list[str]]:
    rng = np.random.default_rng(0)
    words = ["free cash", 'he said ""no""'.replace('""', '"'), "line one\nline two", "", "ça va, oui", "5\u2028x"]
    return [
        [
            f"{rng.normal():.3f}" if row % 7 else "",
            ("red", "green", "blue", "NA")[row % 4],
            f"2024-{row % 12 + 1:02}-{row % 28 + 1:02}",
            f"{words[row % len(words)]} {row % 3}",
            ("ham", "spam")[row % 2],
        ]
        for row in range(N)
    ]


HEADER = ["dose", "colour", "day", "message", "label"]


def _delimited(separator: str = ",", end: str = "\n", quoting: int = csv.QUOTE_MINIMAL) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=separator, lineterminator=end, quoting=quoting)
    writer.writerow(HEADER)
    writer.writerows(_cells())
    return stream.getvalue().encode()


def _european() -> bytes:
    rows = [f"{row},5;{1000 + row}.{row:03};{row % 2}" for row in range(N)]
    return "\r\n".join(["a;b;label", *rows]).encode()


def _raw() -> bytes:
    return "\n".join(["text\tlabel", *(f'so "{row} it goes\t{row % 2}' for row in range(N))]).encode()


def _columns() -> pa.Table:
    row = np.arange(N)
    return pa.table(
        {
            "a": pa.array(row, pa.int32(), mask=row % 5 == 0),
            "b": [decimal.Decimal(int(i)) / 4 for i in row],
            "kind": pa.array([f"k{i % 3}" for i in row]).dictionary_encode(),
            "text": [f"word{i % 4} and more" if i % 6 else None for i in row],
            "day": [datetime.date(2024, 1, 1) + datetime.timedelta(days=int(i)) for i in row],
            "flag": pa.array(row % 2 == 0),
            "x": pa.array(row / 3, pa.float32()),
            "label": pa.array([("no", "yes")[i % 2] for i in row]),
        }
    )


def _parquet(**options: object) -> bytes:
    sink = io.BytesIO()
    pq.write_table(_columns(), sink, **options)
    return sink.getvalue()


def _feather(compression: str) -> bytes:
    sink = io.BytesIO()
    feather.write_feather(_columns(), sink, compression=compression)
    return sink.getvalue()


def _npz(save: Callable[..., None], **arrays: np.ndarray) -> bytes:
    sink = io.BytesIO()
    save(sink, **arrays)
    return sink.getvalue()


def _archives() -> dict[str, bytes]:
    rng = np.random.default_rng(1)
    y = np.arange(N) % 2
    X = rng.normal(size=(N, 3))
    sparse = random_array((N, 9), density=0.3, rng=rng, format="csr")
    parts = {f"X_{part}": getattr(sparse, part) for part in ("data", "indices", "indptr")}
    parts["X_shape"] = np.array(sparse.shape)
    images = rng.integers(0, 256, (N, 2, 2)).astype(np.uint8)
    names = np.array(["a", "b", "c"])
    return {
        "dense.npz": _npz(np.savez, X=X, y=y, feature_names=names),
        "packed.npz": _npz(np.savez_compressed, X=X, y=np.array(["no", "yes"])[y]),
        "sparse.npz": _npz(np.savez, y=y, **parts),
        "images.npz": _npz(np.savez, X_train=images, y_train=y, X_test=images[:6], y_test=y[:6]),
    }


def _svmlight() -> bytes:
    rows = [f"{('+1', '-1')[row % 2]} qid:{row} 1:{row} 4:2.5e-1 9:1 # row {row}" for row in range(N)]
    return "\n".join(["# a comment", *rows, ""]).encode()


def _json_rows() -> list[dict[str, object]]:
    return [{"id": row, **dict(zip(HEADER, cells, strict=True))} for row, cells in enumerate(_cells())]


def _arff() -> bytes:
    rows = [f"{row / 4},k{row % 3},{'?' if row % 5 == 0 else row},{('no', 'yes')[row % 2]}" for row in range(N)]
    names = ("a numeric", "kind {k0,k1,k2}", "b integer", "label {no,yes}")
    head = ["% a comment", "@relation rows", "", *(f"@attribute {name}" for name in names), "@data"]
    return "\n".join([*head, *rows, ""]).encode()


def _workbook() -> bytes:
    import openpyxl

    book, sink = openpyxl.Workbook(), io.BytesIO()
    for cells in (HEADER, *_cells()):
        book.active.append(cells)
    book.save(sink)
    return sink.getvalue()


def _known() -> tuple[Seed, ...]:
    """Seeds of formats that are extras or that this version may lack."""
    makers = {
        "rows.jsonl": lambda: "\n".join(map(json.dumps, _json_rows())).encode(),
        "rows.ndjson": lambda: "\r\n".join(json.dumps(row, ensure_ascii=False) for row in _json_rows()).encode(),
        "rows.json": lambda: json.dumps(_json_rows(), indent=1).encode(),
        "rows.arff": _arff,
        "rows.xlsx": _workbook,
    }
    readable = {name: make for name, make in makers.items() if Path(name).suffix in SUFFIXES}
    if find_spec("openpyxl") is None:
        readable.pop("rows.xlsx", None)
    return tuple(Seed(name, make(), nothing_counted) for name, make in readable.items())


SEEDS = (
    Seed("plain.csv", _delimited(), delimited_records),
    Seed("quoted.csv", _delimited(end="\r\n", quoting=csv.QUOTE_ALL), delimited_records),
    Seed("old.csv", _delimited(end="\r", quoting=csv.QUOTE_ALL), delimited_records),
    Seed("marked.csv", b"\xef\xbb\xbf" + _delimited(), delimited_records),
    Seed("wide.csv", ("\ufeff" + _european().decode()).encode("utf-16-le"), delimited_records),
    Seed("european.txt", _european(), delimited_records),
    Seed("raw.tsv", _raw(), delimited_records),
    Seed("tabs.tsv", _delimited("\t"), delimited_records),
    Seed("packed.csv.gz", gzip.compress(_delimited(), mtime=0), nothing_counted),
    Seed("plain.parquet", _parquet(compression="none", write_page_checksum=True), nothing_counted),
    Seed("packed.parquet", _parquet(compression="zstd", use_dictionary=False), nothing_counted),
    Seed("plain.feather", _feather("uncompressed"), nothing_counted),
    Seed("packed.arrow", _feather("lz4"), nothing_counted),
    *(Seed(name, content, nothing_counted) for name, content in _archives().items()),
    Seed("rows.svm", _svmlight(), svmlight_records),
    *_known(),
)
