"""Certify the votes of models of parts of the rows for the test rows of a data set."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sklearn.exceptions import ConvergenceWarning

from toadstone.certificates.pointwise.votes import make_run_off_certificate, make_vote_certificate, verify_votes
from toadstone.core.arrays import IntArray, Mask
from toadstone.core.errors import CertificateRejected, InvalidArgument
from toadstone.core.pointwise import Digests, PointwiseCertificate
from toadstone.datasets.split import Split
from toadstone.kernels.votes.elections import Election, check_election
from toadstone.kernels.votes.grouped import GroupParts
from toadstone.kernels.votes.schemes import DisjointParts, FiniteAggregation, Scheme
from toadstone.learners.linear import LinearClassifier
from toadstone.learners.partitioned import PartitionVoteClassifier
from toadstone.learners.voters.training import Map
from toadstone.pipeline.certification.alone import alone_in_votes
from toadstone.pipeline.certification.another_process import in_another_process
from toadstone.pipeline.certification.own_preparation import prepared_on_own_rows
from toadstone.pipeline.certification.pointwise import (
    OnCertified,
    Pointwise,
    Together,
    check_split,
    digests_of,
    sources_of_train,
    with_curve,
)

VALUES = "values of "
_ROWS_OF_A_PART = 100
_LEAST_PARTS, _MOST_PARTS = 5, 501


@dataclass(frozen=True)
class Voters:
    """The model that is trained on each part of the rows.

    Parameters
    ----------
    estimator : classifier, optional
        `LinearClassifier` by default.
    repeats : int
        Models of each part, trained with different seeds, that vote as one.
    map : callable, optional
        Used as the builtin: one that trains in parallel, or resumes.
    election : {"majority", "run-off"}
    """

    estimator: Any = None
    repeats: int = 1
    map: Map | None = None
    election: Election = "majority"


DEFAULT_VOTERS = Voters()


@dataclass(frozen=True)
class VotePlan:
    """Parts of the rows, and the model that is trained on each.

    Parameters
    ----------
    partitions : tuple of int
        Numbers of parts; by default one part for every 100 rows, between 5
        and 501, and a fifth of that.
    spread : int
        Models that share each part; 1 for disjoint parts.
    group : str, optional
        Column of the source of each row: there is one part a source then, and
        `partitions` and `spread` do not count.
    voters : Voters
    """

    partitions: tuple[int, ...] = ()
    spread: int = 1
    group: str | None = None
    voters: Voters = DEFAULT_VOTERS

    def schemes(self, n_train: int) -> tuple[Scheme, ...]:
        """Return the ways to deal rows to models, one for each certificate."""
        if self.group is not None:
            return (GroupParts(group=f"{VALUES}{self.group}"),)
        most = min(max(n_train // _ROWS_OF_A_PART, _LEAST_PARTS), _MOST_PARTS)
        numbers = self.partitions or (max(most // 5, _LEAST_PARTS), most)
        if self.spread == 1:
            return tuple(DisjointParts(number) for number in sorted(set(numbers)))
        return tuple(FiniteAggregation(number, self.spread) for number in sorted(set(numbers)))


def certify_votes_of(split: Split, plan: VotePlan, *, on_certified: OnCertified = None) -> tuple[Pointwise, ...]:
    """Certify the test rows, once for each number of parts.

    Parameters
    ----------
    split : Split
    plan : VotePlan
    on_certified : callable, optional
        Called at the end of each number, for progress.

    Raises
    ------
    InvalidArgument
        If a number is out of range, the model is not the same when it is
        trained again, or there is no such column.
    InvalidData
        If there is a single class, no test row, or a row without a source.
    """
    check_split(split)
    schemes = plan.schemes(len(split.train))
    for scheme in schemes:
        _check_parts(scheme, len(split.train))
    groups = None if plan.group is None else sources_of_train(split, plan.group)
    return certify_schemes(split, schemes, groups, plan.voters, on_certified=on_certified)


def certify_schemes(
    split: Split,
    schemes: Sequence[Scheme],
    groups: Sequence[object] | None,
    voters: Voters,
    *,
    on_certified: OnCertified = None,
) -> tuple[Pointwise, ...]:
    """Certify the test rows by votes of models, once for each way to deal the training rows to them.

    Parameters
    ----------
    split : Split
    schemes : sequence of Scheme
    groups : sequence of shape (n,), optional
        Source or period of each training row, for schemes that need it.
    voters : Voters
    on_certified : callable, optional
        Called at the end of each, for progress.
    """
    digests, made = digests_of(split), []
    for scheme in schemes:
        check_election(voters.election, scheme)
        begin = time.perf_counter()
        certificate, together = _certify(split, scheme, groups, voters, digests)
        alone = alone_in_votes(certificate, scheme, groups)
        made.append(with_curve(certificate, split, time.perf_counter() - begin, together=together, alone=alone))
        if on_certified is not None:
            on_certified()
    return tuple(made)


def _certify(
    split: Split, scheme: Scheme, groups: Sequence[object] | None, voters: Voters, digests: Digests
) -> tuple[PointwiseCertificate, Together | None]:
    train, chosen = split.train, voters.map or map
    # Our own model is known to be the same; the caller's is trained once more where no state of this process reaches.
    again: Map = map if voters.estimator is None else in_another_process
    given = LinearClassifier(tolerance=1e-6) if voters.estimator is None else voters.estimator
    estimator = prepared_on_own_rows(given, split)
    learner = PartitionVoteClassifier(estimator=estimator, scheme=scheme, repeats=voters.repeats)
    words = _in_words(estimator, voters.repeats)
    with warnings.catch_warnings():
        # The counts need a model that is the same each time, and not one at its optimum.
        warnings.simplefilter("ignore" if voters.estimator is None else "default", ConvergenceWarning)
        if voters.election == "run-off":
            rankings = learner.fit_rankings(train.X, train.y, split.test.X, groups=groups, map=chosen, again=again)
            return make_run_off_certificate(
                rankings, train, scheme, learner=words, digests=digests, groups=groups
            ), None
        ballots = learner.fit_votes(train.X, train.y, split.test.X, groups=groups, map=chosen, again=again)
    made = make_vote_certificate(ballots, train, scheme, learner=words, digests=digests, groups=groups)
    return made, partial(_changed_together, scheme, ballots, len(train.classes))


def verify_votes_of(certificate: PointwiseCertificate, split: Split) -> None:
    """Check a certificate of votes against the rows of a split.

    Raises
    ------
    CertificateRejected
        If it does not follow from them.
    """
    group = certificate.settings.get("group")
    if group is not None and not (isinstance(group, str) and group.startswith(VALUES)):
        raise CertificateRejected(f"settings: expected a group of {VALUES}a column, got {group!r}")
    groups: Sequence[object] | None = None if group is None else sources_of_train(split, group.removeprefix(VALUES))
    verify_votes(certificate, split.train, digests=digests_of(split), groups=groups)


def _changed_together(
    scheme: Scheme, ballots: IntArray, n_classes: int, queries: Mask, units: Sequence[int]
) -> list[int]:
    return [scheme.most_changed(ballots[queries], n_classes, each) for each in units]


def _check_parts(scheme: Scheme, n_train: int) -> None:
    if scheme.n_voters > n_train:
        raise InvalidArgument("partitions", f"at most one for each of the {n_train} training rows", scheme.n_voters)


def _in_words(estimator: Any, repeats: int) -> str:
    model = " ".join(str(estimator).split())
    return model if repeats == 1 else f"{model}, {repeats} times with different seeds"
