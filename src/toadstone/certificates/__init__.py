"""Certificates: upper bounds on the harm of any attack, their files and their verification."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toadstone.core.lazy import lazy_exports

if TYPE_CHECKING:
    from toadstone.certificates.data_dependent.inflated_sphere import (
        certify_inflated_sphere,
        verify_inflated_sphere,
    )
    from toadstone.certificates.data_dependent.sphere_and_slab import estimate_sphere_and_slab
    from toadstone.certificates.pointwise.label_flips import certify_label_flips, verify_label_flips
    from toadstone.certificates.pointwise.label_free import check_label_free
    from toadstone.certificates.pointwise.label_learners import LabelLinearLearner
    from toadstone.certificates.pointwise.votes import certify_votes, make_vote_certificate, verify_votes

__all__ = [
    "LabelLinearLearner",
    "certify_inflated_sphere",
    "certify_label_flips",
    "certify_votes",
    "check_label_free",
    "estimate_sphere_and_slab",
    "make_vote_certificate",
    "verify_inflated_sphere",
    "verify_label_flips",
    "verify_votes",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "LabelLinearLearner": "pointwise.label_learners",
        "certify_inflated_sphere": "data_dependent.inflated_sphere",
        "certify_label_flips": "pointwise.label_flips",
        "certify_votes": "pointwise.votes",
        "check_label_free": "pointwise.label_free",
        "estimate_sphere_and_slab": "data_dependent.sphere_and_slab",
        "make_vote_certificate": "pointwise.votes",
        "verify_inflated_sphere": "data_dependent.inflated_sphere",
        "verify_label_flips": "pointwise.label_flips",
        "verify_votes": "pointwise.votes",
    },
)
