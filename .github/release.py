"""Check that a release agrees with itself, and print its notes: ``python .github/release.py v0.2.0``.

The tag, ``__version__``, the changelog and CITATION.cff have to name one version and one day.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def faults(root: Path, tag: str) -> list[str]:
    """Return one sentence for each disagreement between a tag and the files of the repository."""
    version = tag.removeprefix("v")
    coded = _only(root / "src" / "toadstone" / "core" / "version.py", r'^__version__ = "(.+)"$')
    heading = _only(root / "CHANGELOG.md", rf"^## \[?{re.escape(version)}\]? - (.+)$")
    cited = _only(root / "CITATION.cff", r"^version: (.+)$")
    released = _only(root / "CITATION.cff", r"^date-released: (.+)$")
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    dated = re.fullmatch(r"\d{4}-\d{2}-\d{2}", heading)
    checks = {
        f"tag: expected v and three numbers, got {tag}": re.fullmatch(r"v\d+\.\d+\.\d+", tag),
        f"src/toadstone/core/version.py: expected version {version}, got {coded or 'none'}": coded == version,
        f"CHANGELOG.md: expected `## {version} - YYYY-MM-DD`, got {heading or 'no such heading'}": dated,
        f"CITATION.cff: expected version {version}, got {cited or 'none'}": cited == version,
        f"CITATION.cff: expected date-released {heading}, got {released or 'none'}": not dated or released == heading,
        "pyproject.toml: expected Repository in [project.urls], got none": "Repository" in project.get("urls", {}),
    }
    return [sentence for sentence, holds in checks.items() if not holds]


def notes(changelog: str, version: str) -> str:
    """Return the changelog's section of one version, without its heading."""
    found = re.search(rf"^## \[?{re.escape(version)}\]?[^\n]*\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    return found.group(1).strip() if found else ""


def _only(path: Path, pattern: str) -> str:
    found = re.search(pattern, path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return found.group(1).strip().strip('"') if found else ""


def main() -> None:
    """Check the tag that the command line names."""
    if len(sys.argv) != 2:
        sys.exit("release: expected a tag such as v0.2.0")
    found = faults(ROOT, sys.argv[1])
    if found:
        sys.exit("\n".join(f"release: {sentence}" for sentence in found))
    print(notes((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), sys.argv[1].removeprefix("v")))


if __name__ == "__main__":
    main()
