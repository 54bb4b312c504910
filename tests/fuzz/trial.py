"""One input: read whole or refused in one sentence, and written whole or not at all."""

from __future__ import annotations

import shutil
import signal
import unicodedata
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from counting import nothing_counted
from mutations import mutated
from seeds import SEEDS, Seed

from toadstone.core.errors import InvalidInput
from toadstone.datasets.readers.read import SourceFile, read_source
from toadstone.datasets.readers.request import Request

SECONDS = 5.0
"""Processor time that one input may take."""

LONGEST = 700
"""Characters of a refusal, without the name of the file."""

OPTIONS = (
    *({"label": "label"}, {"label": "label", "text": "message"}, {"scale": "standard"}, {"quote": "none"}),
    *({"missing": "drop-rows"}, {"missing": "refuse"}, {"weighting": "counts", "text": "text"}, {"separator": ","}),
    *({"dayfirst": True, "decimal": ","}, {"types": {"dose": "number", "a": "category"}}, {"drop": "message,day"}),
    *({"id": "message"}, {"columns": "dose,a"}, {"classes": ("ham", "spam")}, {"encoding": "latin-1"}),
)


_WITH_OPTIONS = 0.3


T = TypeVar("T")


class Broken(AssertionError):
    """A law does not hold for an input."""


@contextmanager
def limited():
    """Break off after some seconds of processor time."""

    def stop(*_: object) -> None:
        raise Broken(f"more than {SECONDS} seconds")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def input_of(number: int) -> tuple[Seed, bytes, Request]:
    """The input of a number, the same each time."""
    rng = np.random.default_rng([11, number])
    seed = SEEDS[number % len(SEEDS)]
    other = SEEDS[int(rng.integers(len(SEEDS)))].content
    options = OPTIONS[int(rng.integers(len(OPTIONS)))] if rng.random() < _WITH_OPTIONS else {}
    request = Request(**options)
    if rng.random() < 0.5:
        request = request.setting_aside()
    return seed, mutated(seed.content, other, rng), request


def tried(seed: Seed, content: bytes, request: Request, folder: Path) -> str:
    """Return "read" or "refused"; the input stays in the folder if a law is broken."""
    path = folder / seed.name
    path.write_bytes(content)
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    with limited(), warnings.catch_warnings():
        warnings.simplefilter("error")
        file = _or_refused(lambda: read_source(path, request), path)
        if file is None:
            return "refused"
        _check_rows(file, seed, content)
        return _check_written(file, seed, content, out, path)


def _or_refused(attempt: Callable[[], T], path: Path) -> T | None:
    try:
        return attempt()
    except InvalidInput as refusal:
        sentence = str(refusal).replace(str(path), path.name)
    if len(sentence) > LONGEST or not sentence.isprintable():
        shown = [mark for mark in sentence if unicodedata.category(mark)[0] in "CZ" and mark != " "]
        raise Broken(f"a refusal of {len(sentence)} characters with {shown[:5]}: {sentence[:LONGEST]!r}")
    return None


def _check_rows(file: SourceFile, seed: Seed, content: bytes) -> None:
    split = file.split
    used = [*split.train.row_ids.tolist(), *split.test.row_ids.tolist()]
    if "test split" in split.test_origin:
        used = split.train.row_ids.tolist()
    aside = [row.position for row in split.aside]
    if len({*used, *aside}) != len(used) + len(aside):
        raise Broken("a row is in two places")
    if not np.isfinite(split.train.X.data if hasattr(split.train.X, "nnz") else split.train.X).all():
        raise Broken("features that are not finite")
    counted = file.request.encoding is None and file.request.classes is None
    records = seed.count(content, file.request.separator or ",", file.request.quote != "none") if counted else None
    if records is not None:
        expected = list(range(len(records) - 1))
        if sorted([*used, *aside]) != expected:
            raise Broken(f"{len(expected)} records, but {len(used)} rows used and {len(aside)} set aside")


def _check_written(file: SourceFile, seed: Seed, content: bytes, out: Path, path: Path) -> str:
    separator, quoted = file.request.separator or ",", file.request.quote != "none"
    n = 1 + max([*file.split.train.row_ids.tolist(), *(row.position for row in file.split.aside)])
    for stem, rows in (("all", range(n)), ("some", range(0, n, 2)), ("none", range(0))):
        written = _or_refused(partial(file.write_rows, rows, out, stem=stem), path)
        if written is None:
            # An archive may be damaged in an array that only writing copies.
            if seed.count is not nothing_counted or any(out.iterdir()):
                raise Broken("a file that was read is refused when it is written")
            return "refused"
        records = seed.count(content, separator, quoted) if file.request.encoding is None else None
        if records is not None:
            again = seed.count(written.read_bytes(), separator, quoted)
            if again != [records[0], *(records[1 + row] for row in rows)]:
                raise Broken(f"{stem} of the rows were written as others")
    if len(list(out.iterdir())) != 3:
        raise Broken(f"files that nobody asked for: {sorted(path.name for path in out.iterdir())}")
    return "read"
