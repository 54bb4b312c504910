"""What the pages on architecture and on adding methods say is so."""

import ast
import doctest
import importlib.util
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PACKAGE = ROOT / "src" / "toadstone"
ARCHITECTURE = (DOCS / "architecture.md").read_text(encoding="utf-8")
EXTENDING = (DOCS / "extending.md").read_text(encoding="utf-8")
INCLUDED = re.findall(r"^```\{literalinclude\} (\S+)\n:pyobject: (\w+)$", EXTENDING, flags=re.MULTILINE)


def test_the_table_of_rooms_is_that_of_the_captions_and_of_the_import_contract():
    spec = importlib.util.spec_from_file_location("rooms", DOCS / "rooms.py")
    rooms = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rooms)
    assert rooms.page(ARCHITECTURE) == ARCHITECTURE, "run python docs/rooms.py"


def test_every_room_is_in_the_table():
    rooms = {path.parent.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("__init__.py")} - {"."}
    assert rooms == set(re.findall(r"^\| \**`([\w/]+)`\** \|", ARCHITECTURE, flags=re.MULTILINE))


def test_every_room_has_a_page_of_reference():
    listed = re.findall(r"^api/(\w+)$", (DOCS / "reference.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert sorted(listed) == sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))


def test_lines_belong_in_rooms_that_exist():
    table = ARCHITECTURE.partition("## Where does my line belong?")[2]
    rooms = re.findall(r"^\|.*\| `(\w+)`[^|]*\|$", table, flags=re.MULTILINE)
    assert len(rooms) > 12
    assert {room for room in rooms if not (PACKAGE / room / "__init__.py").is_file()} == set()


def test_diagrams_name_modules_that_exist():
    dotted = set(re.findall(r"\b((?:front|pipeline|kernels|deep)\.[a-z_.]+[a-z])", ARCHITECTURE))
    assert len(dotted) > 8
    for name in dotted:
        parts = name.split(".")
        module, function = PACKAGE.joinpath(*parts[:-1]).with_suffix(".py"), parts[-1]
        whole = PACKAGE.joinpath(*parts)
        assert whole.is_dir() or whole.with_suffix(".py").is_file() or f"def {function}(" in module.read_text("utf-8")


@pytest.mark.parametrize(
    "name", sorted(set(re.findall(r"`((?:src|tests|docs|benchmarks)/[\w/]+(?:\.py|/)?)`", EXTENDING + ARCHITECTURE)))
)
def test_paths_exist(name):
    if "NAME" not in name:
        assert (ROOT / name).exists()


def source_of(path, name):
    text = (DOCS / path).read_text(encoding="utf-8")
    (node,) = [node for node in ast.parse(text).body if getattr(node, "name", None) == name]
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return "\n" * (first - 1) + "\n".join(text.splitlines()[first - 1 : node.end_lineno])


def module_of(path):
    relative = (DOCS / path).resolve().relative_to(PACKAGE.parent).with_suffix("")
    return importlib.import_module(".".join(relative.parts))


def test_four_kinds_of_methods_are_shown():
    assert len(INCLUDED) == 4
    assert len(re.findall(r"^## A ", EXTENDING, flags=re.MULTILINE)) + EXTENDING.count("## An ") == 4


@pytest.mark.parametrize(("path", "name"), INCLUDED, ids=[name for _, name in INCLUDED])
def test_included_code_runs(path, name, monkeypatch):
    module = module_of(path)
    monkeypatch.setattr(module, name, getattr(module, name))
    exec(compile(source_of(path, name), path, "exec"), vars(module))
    assert sys.modules[module.__name__] is module
    tests = [test for test in doctest.DocTestFinder(recurse=False).find(getattr(module, name), name, module)]
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for test in tests:
        runner.run(test)
    assert runner.summarize(verbose=False).failed == 0
    if isinstance(getattr(module, name), type):
        assert runner.tries > 0
