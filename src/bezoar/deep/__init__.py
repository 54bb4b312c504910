"""Networks, in the one room that knows torch: an extra, ``pip install 'bezoar[deep]'``."""

from __future__ import annotations

try:
    import torch  # noqa: F401
except ModuleNotFoundError as missing:
    if missing.name != "torch":
        raise
    reason = "bezoar.deep needs PyTorch, which is not installed: pip install 'bezoar[deep]'"
    raise ModuleNotFoundError(reason, name="torch") from None
