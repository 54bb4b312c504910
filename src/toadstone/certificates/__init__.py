"""Certificates: upper bounds on the harm of any attack, their files and their verification."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toadstone.core.lazy import lazy_exports

if TYPE_CHECKING:
    from toadstone.certificates.votes import certify_votes

__all__ = ["certify_votes"]

__getattr__, __dir__ = lazy_exports(__name__, {"certify_votes": "votes"})
