"""Write the table of rooms in architecture.md from the captions and the import contract: ``python docs/rooms.py``."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "toadstone"
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- rooms: written by docs/rooms.py -->\n", "<!-- end of rooms -->\n"


def layers(pyproject: str) -> list[list[str]]:
    """Return the rooms of each layer of the import contract, the lowest layer first."""
    contracts = tomllib.loads(pyproject)["tool"]["importlinter"]["contracts"]
    lines = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    named = [[part.strip(" ()").removeprefix("toadstone.") for part in line.split("|")] for line in reversed(lines)]
    rooms = [[name for name in layer if (PACKAGE / name / "__init__.py").exists()] for layer in named]
    return [layer for layer in rooms if layer]


def caption(folder: Path) -> str:
    """Return the first line of a folder's ``__init__``."""
    text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0].replace("|", "\\|")


def table() -> str:
    """Return a row for each room, by layers from the lowest, and below it one for each folder within."""
    rows = ["| room | contents |", "|---|---|"]
    for layer in layers((ROOT / "pyproject.toml").read_text(encoding="utf-8")):
        for room in layer:
            rows.append(f"| **`{room}`** | {caption(PACKAGE / room)} |")
            for inner in sorted(path.parent for path in (PACKAGE / room).rglob("*/__init__.py")):
                rows.append(f"| `{inner.relative_to(PACKAGE).as_posix()}` | {caption(inner)} |")
    return "\n".join(rows) + "\n"


def direction() -> str:
    """Return the layers in one line of text, from the lowest."""
    texts = [
        layer[0] if len(layer) == 1 else "{" + " | ".join(layer) + "}"
        for layer in layers((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    ]
    lines, line = [], texts[0]
    for text in texts[1:]:
        if len(line) + len(text) > 108:
            lines.append(line)
            line = "  "
        line += f" <- {text}"
    return "\n".join([*lines, line])


def page(text: str) -> str:
    """Return a page with its table of rooms written anew."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n```text\n{direction()}\n```\n\n{table()}\n{END}{tail}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
