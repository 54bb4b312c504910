"""Run the guide's commands and write their output into its pages: `make guide`; `--check` fails where a page is stale.

A page names its story in its first line, `<!-- story: NAME -->`; its `console` blocks are run in the folder that
data.py writes for it, in the order of the page: what follows a line "$ COMMAND" is its output. A comment
`<!-- first N lines -->` before a block cuts the outputs in it. "$ echo $?" prints the last exit code.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

GUIDE = Path(__file__).parent
STORY = re.compile(r"\A<!-- story: ([\w-]+) -->\n")
BLOCK = re.compile(r"(?:<!-- first (\d+) lines -->\n)?```console\n(.*?)```\n", re.DOTALL)
WIDTH = 110


def main() -> None:
    """Render the pages named, or all, and write or compare them."""
    checking = "--check" in sys.argv[1:]
    named = [Path(name) for name in sys.argv[1:] if not name.startswith("--")]
    stale = []
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, GUIDE / "data.py", folder], check=True)
        for page in named or sorted(GUIDE.glob("*.md")):
            before = page.read_text(encoding="utf-8")
            found = STORY.match(before)
            after = rendered(before, Path(folder, found[1])) if found else before
            if after != before:
                stale.append(page.name)
                if not checking:
                    page.write_text(after, encoding="utf-8")
    if checking and stale:
        sys.exit(f"guide: expected the output of today's commands, got another one in {', '.join(stale)}: make guide")


def rendered(page: str, folder: Path) -> str:
    """Return a page with the outputs of its commands."""
    code = 0

    def block(found: re.Match[str]) -> str:
        nonlocal code
        head, most = found[0][: found.start(2) - found.start()], int(found[1] or 10_000)
        lines = []
        for command in re.findall(r"^\$ (.*)$", found[2], re.MULTILINE):
            lines.append(f"$ {command}")
            if command == "echo $?":
                lines.append(str(code))
                continue
            output, code = run(command, folder)
            lines += [*output[:most], *(["…"] if len(output) > most else [])]
        return "\n".join([head.rstrip("\n"), *lines, "```\n"])

    return BLOCK.sub(block, page)


def run(command: str, folder: Path) -> tuple[list[str], int]:
    """Run one command in a folder; return what it prints, broken to the width of a page, and its exit code."""
    there = f'python() {{ "{sys.executable}" "$@"; }}\ntoadstone() {{ python -m toadstone "$@"; }}\n{command}'
    done = subprocess.run(
        ["bash", "-c", there], cwd=folder, env=os.environ, capture_output=True, text=True, encoding="utf-8", check=False
    )
    # Progress goes to the same stream as refusals, and a terminal alone shows it.
    errors = [line for line in done.stderr.splitlines() if not re.search(r"\d s so far$", line)]
    return [part for line in [*done.stdout.splitlines(), *errors] for part in broken(line)], done.returncode


def broken(line: str) -> list[str]:
    """Break a line of prose; a table is left alone."""
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    if len(line) <= WIDTH:
        return [line.rstrip()]
    return textwrap.wrap(line, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    main()
