"""Damaged files of every format are read whole or refused in one sentence: no traceback, no hang, no partial output."""

from __future__ import annotations

import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from counting import delimited_records
from seeds import SEEDS, Seed
from trial import input_of, tried

from toadstone.datasets.readers.read import SUFFIXES
from toadstone.datasets.readers.request import Request

INPUTS, BLOCKS = 2000, 8


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.name)
def test_good_files_are_read(tmp_path: Path, seed: Seed) -> None:
    assert tried(seed, seed.content, Request(), tmp_path) == "read"


def test_every_format_is_fuzzed() -> None:
    names = " ".join(seed.name for seed in SEEDS)
    names += "" if find_spec("openpyxl") else " .xlsx"
    aliases = {".txt": ".csv", ".tab": ".tsv", ".svmlight": ".svm", ".libsvm": ".svm"}
    assert {ending for ending in SUFFIXES if aliases.get(ending, ending) not in names} == set()


@pytest.mark.parametrize(
    "block", [*range(4), *(pytest.param(block, marks=pytest.mark.slow) for block in range(4, BLOCKS))]
)
def test_damaged_files(tmp_path: Path, block: int) -> None:
    outcomes = Counter(tried(*input_of(number), tmp_path) for number in range(block, INPUTS, BLOCKS))
    assert outcomes["read"] > 0.05 * outcomes.total(), "otherwise the changes are too rough to test anything"
    assert outcomes["refused"] > 0.05 * outcomes.total()


LINES = st.lists(st.text(st.sampled_from('a1,;\t"\n\r \0#:.-?é\u2028\x85\x1b'), max_size=12), min_size=12, max_size=16)


@settings(max_examples=150)
@given(header=st.sampled_from(["a,b,label", "a;label", "label\ta", '"a",label,""', ""]), lines=LINES)
def test_texts_that_nobody_meant_as_tables(tmp_path_factory, header: str, lines: list[str]) -> None:
    folder = tmp_path_factory.mktemp("texts")
    seed = Seed("texts.csv", b"", delimited_records)
    rows = [f"{line},{row % 2}" for row, line in enumerate(lines)]
    tried(seed, "\n".join([header, *rows]).encode(), Request(), folder)
