"""EPIC's selection against other libraries, and its overhead in a training. Needs the extra ``deep``."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from toadstone.core.errors import missing_extra


def main() -> None:
    if find_spec("torch") is None:
        print(f"bench: left out, since it {missing_extra('deep', 'PyTorch')}")
        return
    import_module("epic_selection").main()


if __name__ == "__main__":
    main()
