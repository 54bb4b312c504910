"""Print constraints that pin every requirement to its lower bound in pyproject.toml: the oldest versions it admits."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


def oldest(pyproject: str) -> list[str]:
    """Return ``name==bound`` for each requirement with a lower bound; extras within extras have none."""
    project = tomllib.loads(pyproject)["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(requirement for extra in extras for requirement in extra)]
    bounds = (re.match(r"([A-Za-z0-9._-]+)>=([0-9.]+)", requirement) for requirement in wanted)
    return list(dict.fromkeys(f"{bound[1]}=={bound[2]}" for bound in bounds if bound))


if __name__ == "__main__":
    print(*oldest(PYPROJECT.read_text(encoding="utf-8")), sep="\n")
