"""EPIC's selection against other libraries, and what EPIC adds to a training; needs the extra ``toadstone[deep]``."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec


def main() -> None:
    if find_spec("torch") is None:
        print("bench: left out, since it needs torch: pip install 'toadstone[deep]'")
        return
    import_module("epic_selection").main()


if __name__ == "__main__":
    main()
