"""The limits that the house keeps, as ``benchmarks/house.py`` measures them."""

import importlib.util
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FORMER_NAME = "bez" + "oar"
"""In two parts, so that this file does not hold it."""

MAY_NAME_IT = {
    "CHANGELOG.md",
    "docs/decisions/0007-the-name.md",
    "src/toadstone/certificates/files.py",
    "tests/certificates/test_files.py",
}


def script(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


house = script(ROOT / "benchmarks" / "house.py")


@pytest.mark.parametrize(
    "measure",
    [
        house.crowded_folders,
        house.missing_captions,
        house.long_functions,
        house.crowded_functions,
        house.riddles,
    ],
    ids=lambda measure: measure.__name__,
)
def test_nothing_is_over_the_limit(measure):
    assert measure(house.SOURCE) == []


def test_kernels_say_why():
    assert house.comments_per_hundred(house.SOURCE / "kernels") >= 2


def test_the_former_name_is_gone():
    found = subprocess.run(["git", "grep", "-il", FORMER_NAME], cwd=ROOT, capture_output=True, text=True, check=False)
    if found.returncode not in (0, 1):
        pytest.skip("not a git checkout")
    assert set(found.stdout.split()) <= MAY_NAME_IT


@pytest.fixture
def tree(tmp_path):
    def write(**files):
        for name, text in files.items():
            (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        return tmp_path

    return write


def test_long_bodies_and_many_parameters_are_found(tree):
    names = ", ".join(f"a{i}" for i in range(9))
    body = "".join(f"    b{i} = {i}\n" for i in range(41))
    source = tree(one=f'def wide({names}):\n    pass\n\n\ndef long(self):\n    """Do.\n\n    More.\n    """\n{body}')
    assert house.crowded_functions(source) == ["one.py:1 wide: 9 parameters"]
    assert house.long_functions(source) == ["one.py:5 long: 41 lines"]


def test_limits_are_still_allowed(tree):
    names = ", ".join(f"a{i}" for i in range(8))
    body = "".join(f"    b{i} = {i}\n" for i in range(40))
    source = tree(one=f"def wide(self, {names}):\n{body}")
    assert house.crowded_functions(source) == house.long_functions(source) == []


def test_riddles_are_found(tree):
    source = tree(one='"""Whether it is."""\n\n\ndef f():\n    """Whatever: return it."""\n')
    assert house.riddles(source) == ["one.py:1"]


def test_captions(tree):
    assert house.captions(tree(__init__='"""A room.\n\nMore."""\n')) == {".": "A room."}
    assert house.missing_captions(tree(__init__="import os\n")) == ["."]


def test_comments_are_counted_for_each_hundred_lines_of_code(tree):
    source = tree(one='"""A.\n\nB.\n"""\n\n# Because.\na = 1  # noqa: X\nb = "# no"\nc = 3\n')
    assert house.comments_per_hundred(source) == 25


LINES = [f"a{i} = {i}" for i in range(7)]


def test_a_clone_is_six_lines_of_code_and_counts_once(tree):
    spread = "\n\n# comment\n".join(LINES)
    source = tree(one="\n".join(LINES), two=f'"""Docstring."""\nimport os\n{spread}\n')
    assert house.clones(source) == ["one.py:1 = two.py:3"]


def test_five_lines_are_no_clone(tree):
    assert house.clones(tree(one="\n".join(LINES[:5]), two="\n".join(LINES[:5]))) == []


def test_a_table_is_no_clone_of_itself(tree):
    assert house.clones(tree(one="a = 1\n" * 10)) == []
    assert house.clones(tree(one="a = 1\n" * 12)) == ["one.py:1 = one.py:7"]
