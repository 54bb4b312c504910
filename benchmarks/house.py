"""Measure the house: files per folder, long functions, parameters, comments, docstrings that do not say what it is.

Run ``python benchmarks/house.py`` for a table, ``python benchmarks/house.py --list`` for the places as well.
``tests/test_house.py`` holds the limits.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "toadstone"
MOST_FILES, LONGEST_BODY, MOST_PARAMETERS = 15, 40, 8
_RIDDLE = re.compile(r"(What|Who|Whom|Whose|Whether|Those|How|Where)\b")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules() -> Iterator[tuple[Path, ast.Module]]:
    """Every file of the package, with its syntax tree."""
    for path in sorted(SOURCE.rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def place(path: Path, node: ast.AST | None = None) -> str:
    """Name a file, or a line of it."""
    name = path.relative_to(SOURCE).as_posix()
    return name if node is None else f"{name}:{getattr(node, 'lineno', 1)} {getattr(node, 'name', '')}".rstrip()


def functions() -> Iterator[tuple[Path, Function]]:
    """Every function and method of the package."""
    for path, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, Function):
                yield path, node


def files_per_folder() -> Counter[str]:
    """Python files of each folder, its ``__init__`` included."""
    return Counter(path.parent.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py"))


def body_lines(node: Function) -> int:
    """Lines of a function's body, without signature and docstring."""
    rest = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (node.end_lineno or 0) - rest[0].lineno + 1 if rest else 0


def parameters(node: Function) -> int:
    """Parameters of a function, without self and cls."""
    named = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return len([argument for argument in named if argument.arg not in ("self", "cls")])


def long_functions() -> list[str]:
    """Functions whose body is longer than `LONGEST_BODY` lines."""
    return [f"{place(p, f)}: {body_lines(f)} lines" for p, f in functions() if body_lines(f) > LONGEST_BODY]


def crowded_functions() -> list[str]:
    """Functions outside ``commands`` with more than `MOST_PARAMETERS` parameters; estimators count as any other."""
    return [
        f"{place(p, f)}: {parameters(f)} parameters"
        for p, f in functions()
        if parameters(f) > MOST_PARAMETERS and "commands" not in p.parts
    ]


def riddles() -> list[str]:
    """Docstrings that open with What, Who, Whether and the like instead of saying what the thing is or does."""
    found = []
    for path, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | Function) and _RIDDLE.match(ast.get_docstring(node) or ""):
                found.append(place(path, node))
    return found


def missing_captions() -> list[str]:
    """Folders whose ``__init__`` does not open with a caption of one line."""
    folders = {path.parent for path in SOURCE.rglob("*.py")}
    captions = {folder: ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8"))) for folder in folders}
    return sorted(place(folder) for folder, caption in captions.items() if not caption or not caption.split("\n")[0])


def comments_per_hundred(folder: str) -> float:
    """Comment lines for each hundred lines of code, without blank lines and docstrings, below a folder."""
    comments = code = 0
    for path in (SOURCE / folder).rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        quoted: set[int] = set()
        for node in ast.walk(ast.parse(text)):
            match node:
                case ast.Expr(value=ast.Constant(value=str())):
                    quoted |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
        lines = [line for number, line in enumerate(text.splitlines(), 1) if line.strip() and number not in quoted]
        code += len(lines)
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        comments += sum(t.type == tokenize.COMMENT and not re.match(r"#\s*(noqa|type:)", t.string) for t in tokens)
    return 100 * comments / max(code, 1)


def main() -> None:
    """Print the figures, and with ``--list`` the places."""
    crowded = [f"{folder}: {count} files" for folder, count in files_per_folder().items() if count > MOST_FILES]
    rooms = sorted({path.relative_to(SOURCE).parts[0] for path in SOURCE.rglob("*.py") if path.parent != SOURCE})
    rows: dict[str, list[str]] = {
        f"folders of more than {MOST_FILES} Python files": crowded,
        "folders without a caption": missing_captions(),
        f"functions whose body is over {LONGEST_BODY} lines": long_functions(),
        f"functions of over {MOST_PARAMETERS} parameters outside commands": crowded_functions(),
        "docstrings that open with What, Who, Whether, ...": riddles(),
    }
    for what, places in rows.items():
        print(f"{what}: {len(places)}")
        if "--list" in sys.argv:
            print("".join(f"  {found}\n" for found in places), end="")
    print("comments per 100 lines of code: " + ", ".join(f"{room} {comments_per_hundred(room):.1f}" for room in rooms))


if __name__ == "__main__":
    main()
