"""The copy on which mutmut works, and its score."""

import importlib.util
import json
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "mutants.py"


@pytest.fixture
def mutants(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("mutants", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path / "root")
    return module


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_a_part_has_the_tests_that_mirror_it(mutants):
    write(mutants.ROOT / "tests" / "kernels" / "test_rows.py", "")
    assert mutants.tests_of("kernels") == ["tests/kernels"]
    assert mutants.tests_of("kernels/rows.py") == ["tests/kernels/test_rows.py"]
    assert mutants.tests_of("kernels/losses.py") == ["tests/kernels"]
    assert mutants.tests_of("report/pages") == []


def test_only_changes_are_copied_and_compiled_functions_of_the_part_become_plain(mutants, tmp_path):
    source, work = mutants.ROOT / "src", tmp_path / "work"
    write(source / "a.py", "@njit(cache=True, nogil=True)\ndef f():\n    return 1\n")
    write(source / "b.py", "")
    assert mutants.is_compiled(source)
    assert not mutants.is_compiled(source / "b.py")
    assert mutants.mirror(source, work)
    assert (work / "src" / "a.py").read_text() == (source / "a.py").read_text()
    assert mutants.mirror(source, work, part=source / "a.py")
    assert (work / "src" / "a.py").read_text() == "def f():\n    return 1\n"
    assert not mutants.mirror(source, work, part=source)
    (source / "b.py").unlink()
    assert mutants.mirror(source, work)
    assert not (work / "src" / "b.py").exists()


def test_survivors_are_tried_again(mutants, tmp_path):
    meta = tmp_path / "mutants" / "src" / "a.py.meta"
    write(meta, json.dumps({"exit_code_by_key": {"killed": 1, "survived": 0, "unreached": 33, "new": None}, "more": 1}))
    mutants.forget_survivors(tmp_path)
    expected = {"killed": 1, "survived": None, "unreached": None, "new": None}
    assert json.loads(meta.read_text()) == {"exit_code_by_key": expected, "more": 1}


def test_the_score_counts_what_was_tried(mutants, tmp_path):
    stats = {"killed": 6, "timeout": 1, "segfault": 0, "survived": 2, "suspicious": 0, "no_tests": 1, "total": 12}
    write(tmp_path / "mutants" / "mutmut-cicd-stats.json", json.dumps(stats))
    assert mutants.score(tmp_path) == (
        "score: 7 of 10 mutants noticed (70.0 %), 2 survived, 1 in functions that no selected test reaches, "
        "2 of 12 not tried yet"
    )
