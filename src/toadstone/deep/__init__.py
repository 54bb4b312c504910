"""Networks, in the one room that knows torch: an extra, ``pip install 'toadstone[deep]'``."""

from __future__ import annotations

try:
    import torch  # noqa: F401
except ModuleNotFoundError as missing:
    if missing.name != "torch":
        raise
    reason = "toadstone.deep needs PyTorch, which is not installed: pip install 'toadstone[deep]'"
    raise ModuleNotFoundError(reason, name="torch") from None
