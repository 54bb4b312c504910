"""Measure the shape of the code: files per folder, long functions, parameters, comments, docstrings and clones.

Run ``python benchmarks/house.py`` for the figures, with ``--list`` for the places as well, and with ``--source FOLDER``
for another tree. ``tests/test_house.py`` holds the limits.
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "toadstone"
MOST_FILES, LONGEST_BODY, MOST_PARAMETERS, CLONE = 15, 40, 8, 6
TAKE_OPTIONS = {"commands", "front"}
"""Rooms whose functions take a parameter for each option of the command line."""
_RIDDLE = re.compile(r"(What|Who|Whom|Whose|Whether|Those|How|Where)\b")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Place = tuple[int, int]


def modules(source: Path) -> Iterator[tuple[Path, ast.Module]]:
    """Yield each file below a folder with its syntax tree."""
    for path in sorted(source.rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def place(source: Path, path: Path, node: ast.AST | None = None) -> str:
    """Name a file, or a line of it."""
    name = path.relative_to(source).as_posix()
    return name if node is None else f"{name}:{getattr(node, 'lineno', 1)} {getattr(node, 'name', '')}".rstrip()


def functions(source: Path) -> Iterator[tuple[Path, Function]]:
    """Yield each function and method below a folder with its file."""
    for path, tree in modules(source):
        for node in ast.walk(tree):
            if isinstance(node, Function):
                yield path, node


def files_per_folder(source: Path) -> Counter[str]:
    """Count the Python files of each folder, ``__init__`` included."""
    return Counter(path.parent.relative_to(source).as_posix() for path in source.rglob("*.py"))


def crowded_folders(source: Path) -> list[str]:
    """List the folders of more than `MOST_FILES` Python files."""
    return [f"{folder}: {count} files" for folder, count in files_per_folder(source).items() if count > MOST_FILES]


def body_lines(node: Function) -> int:
    """Count the lines of a function's body, without signature and docstring."""
    rest = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (node.end_lineno or 0) - rest[0].lineno + 1 if rest else 0


def parameters(node: Function) -> int:
    """Count the parameters of a function, without self and cls."""
    named = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return len([argument for argument in named if argument.arg not in ("self", "cls")])


def long_functions(source: Path) -> list[str]:
    """List the functions whose body is longer than `LONGEST_BODY` lines."""
    return [
        f"{place(source, p, f)}: {body_lines(f)} lines" for p, f in functions(source) if body_lines(f) > LONGEST_BODY
    ]


def crowded_functions(source: Path) -> list[str]:
    """List the functions with more than `MOST_PARAMETERS` parameters outside the rooms that take options."""
    return [
        f"{place(source, p, f)}: {parameters(f)} parameters"
        for p, f in functions(source)
        if parameters(f) > MOST_PARAMETERS and not TAKE_OPTIONS & set(p.relative_to(source).parts)
    ]


def riddles(source: Path) -> list[str]:
    """List the docstrings that open with What, Who, Whether and the like, and so name no thing and no action."""
    found = []
    for path, tree in modules(source):
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | Function) and _RIDDLE.match(ast.get_docstring(node) or ""):
                found.append(place(source, path, node))
    return found


def captions(source: Path) -> dict[str, str]:
    """Return the first line of each folder's ``__init__`` by folder; empty where there is none."""
    folders = sorted({path.parent for path in source.rglob("*.py")})
    texts = {folder: ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8"))) for folder in folders}
    return {place(source, folder): (text or "").partition("\n")[0] for folder, text in texts.items()}


def missing_captions(source: Path) -> list[str]:
    """List the folders whose ``__init__`` does not open with a caption."""
    return [folder for folder, caption in captions(source).items() if not caption]


def docstring_lines(tree: ast.Module) -> set[int]:
    """Return the numbers of the lines of docstrings and other bare strings."""
    found: set[int] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str())):
                found |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return found


def comments_per_hundred(source: Path) -> float:
    """Return the comments for each hundred lines below a folder, without blank lines and docstrings."""
    comments = code = 0
    for path, tree in modules(source):
        text, quoted = path.read_text(encoding="utf-8"), docstring_lines(tree)
        code += sum(bool(line.strip()) and number not in quoted for number, line in enumerate(text.splitlines(), 1))
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        comments += sum(t.type == tokenize.COMMENT and not re.match(r"#\s*(noqa|type:)", t.string) for t in tokens)
    return 100 * comments / max(code, 1)


def code_lines(path: Path) -> list[tuple[int, str]]:
    """Return the lines of code by number, without blank lines, comments, docstrings, imports and lone brackets."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    skipped = docstring_lines(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            skipped |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    stripped = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if number not in skipped]
    return [(number, line) for number, line in stripped if re.search(r"\w", line) and not line.startswith("#")]


def clones(source: Path) -> list[str]:
    """List the pairs of places where the same `CLONE` or more lines of code stand; longer runs count once."""
    paths = sorted(source.rglob("*.py"))
    numbered = [code_lines(path) for path in paths]
    windows: defaultdict[tuple[str, ...], list[Place]] = defaultdict(list)
    for file, lines in enumerate(numbered):
        for start in range(len(lines) - CLONE + 1):
            windows[tuple(line for _, line in lines[start : start + CLONE])].append((file, start))
    # Two windows of one file that overlap are one run that repeats itself, such as a table.
    shared = {
        pair
        for places in windows.values()
        for pair in combinations(places, 2)
        if pair[0][0] != pair[1][0] or pair[1][1] - pair[0][1] >= CLONE
    }
    starts = sorted(((a, i), (b, j)) for (a, i), (b, j) in shared if ((a, i - 1), (b, j - 1)) not in shared)

    def named(file: int, start: int) -> str:
        return f"{place(source, paths[file])}:{numbered[file][start][0]}"

    return [f"{named(*one)} = {named(*other)}" for one, other in starts]


def main() -> None:
    """Print the figures, and with ``--list`` the places."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--list", action="store_true", help="name the places")
    parser.add_argument("--source", type=Path, default=SOURCE, help="the package's folder")
    chosen = parser.parse_args()
    source, exempt = chosen.source, " and ".join(sorted(TAKE_OPTIONS))
    rows = {
        f"folders of more than {MOST_FILES} Python files": crowded_folders(source),
        "folders without a caption": missing_captions(source),
        f"functions whose body is over {LONGEST_BODY} lines": long_functions(source),
        f"functions of over {MOST_PARAMETERS} parameters outside {exempt}": crowded_functions(source),
        "docstrings that open with What, Who, Whether, ...": riddles(source),
        f"pairs of places with the same {CLONE} lines of code": clones(source),
    }
    for measured, places in rows.items():
        print(f"{measured}: {len(places)}")
        if chosen.list:
            print("".join(f"  {found}\n" for found in places), end="")
    rooms = sorted(path.parent for path in source.glob("*/__init__.py"))
    figures = ", ".join(f"{room.name} {comments_per_hundred(room):.1f}" for room in rooms)
    print(f"comments per 100 lines of code: {figures}")


if __name__ == "__main__":
    main()
