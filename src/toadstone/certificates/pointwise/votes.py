"""Pointwise certificates of votes: models of parts of the rows, of whom an attacker reaches few."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from toadstone.certificates.pointwise.recomputed import refuse_differences, refuse_other_data
from toadstone.core.arrays import IntArray
from toadstone.core.dataset import Dataset
from toadstone.core.errors import CertificateRejected, InvalidData, InvalidInput
from toadstone.core.pointwise import Digests, PointwiseCertificate
from toadstone.kernels.statistics.row_digests import contents
from toadstone.kernels.votes.grouped import GroupParts, Periods
from toadstone.kernels.votes.schemes import DisjointParts, FiniteAggregation, HashBagging, Scheme
from toadstone.kernels.votes.tallies import NO_VOTE, checked_votes
from toadstone.kernels.votes.units import certify_votes

__all__ = ["certify_votes", "make_vote_certificate", "verify_votes"]

_SCHEMES = {scheme.name: scheme for scheme in (DisjointParts, FiniteAggregation, HashBagging, GroupParts, Periods)}
_NOT_PROMISED = (
    "Each count is for one query: the attacker may choose other units for every query.",
    "It does not cover changes of the query itself.",
    "It does not cover labels that no training row has.",
    "It does not cover what the models share: features that were learned, scaled or selected on rows that the attacker "
    "may change, or kinds of columns that were told from them.",
)


def make_vote_certificate(
    ballots: IntArray,
    train: Dataset,
    scheme: Scheme,
    *,
    learner: str,
    digests: Digests,
    groups: Sequence[object] | None = None,
) -> PointwiseCertificate:
    """Certify the predictions of a vote about queries.

    Parameters
    ----------
    ballots : ndarray of int, shape (q, voters)
        Each voter's vote, a position in the training set's classes, or -1,
        as `PartitionVoteClassifier` casts them.
    train : Dataset
        The rows that the voters were trained on.
    scheme : DisjointParts, FiniteAggregation, HashBagging, GroupParts or Periods
        By which they were dealt to voters.
    learner : str
        The model of a voter with its options, in words.
    digests : Digests
    groups : sequence of shape (n,), optional
        The group of each training row, for a scheme of groups.

    Returns
    -------
    PointwiseCertificate
        Its evidence is the votes, in bytes where there are fewer than 255
        classes; the largest number stands for no vote.

    Raises
    ------
    InvalidInput
        If votes or groups do not fit the rows.

    Examples
    --------
    >>> from toadstone.kernels.votes.grouped import GroupParts
    >>> train = Dataset([[0.0], [1.0], [0.1], [0.9], [0.2]], ["ham", "spam", "ham", "spam", "ham"])
    >>> clinics = ["north", "north", "south", "south", "west"]
    >>> made = make_vote_certificate(
    ...     np.array([[0, 0, 0], [1, 1, 0]]), train, GroupParts(group="clinics"),
    ...     learner="nearest row", digests=Digests("", ""), groups=clinics,
    ... )
    >>> made.winners.tolist(), made.counts.tolist(), made.unit, made.n_units
    ([0, 1], [1, 0], 'clinics', 3)
    """
    votes = checked_votes(ballots, len(train.classes)).astype(np.int64)
    _check_ballots(votes, scheme, train, groups)
    return _assemble(votes, train, scheme, learner=learner, digests=digests, groups=groups)


def verify_votes(
    certificate: PointwiseCertificate,
    train: Dataset,
    *,
    digests: Digests,
    groups: Sequence[object] | None = None,
) -> None:
    """Verify a certificate of votes: deal the rows again, and recount; nothing is trained.

    Parameters
    ----------
    certificate : PointwiseCertificate
    train : Dataset
    digests : Digests
        Of the training set and the queries, as they are now.
    groups : sequence of shape (n,), optional
        The group of each training row, for a scheme of groups.

    Raises
    ------
    CertificateRejected
        If the data are others, the votes cannot be of voters with these rows,
        or a field does not follow from the votes.
    """
    refuse_other_data(certificate, digests)
    scheme = _read_scheme(certificate)
    votes = _read_votes(certificate)
    # Before the rows are dealt, for a file may state any number.
    if scheme.n_voters not in (0, votes.shape[1]):
        raise CertificateRejected(f"evidence: expected votes of {scheme.n_voters} voters, got {votes.shape[1]}")
    try:
        checked = checked_votes(votes, len(train.classes)).astype(np.int64)
        _check_ballots(checked, scheme, train, groups)
        learner = str(certificate.settings.get("learner"))
        expected = _assemble(checked, train, scheme, learner=learner, digests=digests, groups=groups)
    except InvalidInput as error:
        raise CertificateRejected(f"evidence: {error}") from None
    refuse_differences(certificate, expected, source="the votes", but=("evidence",))


def _check_ballots(votes: IntArray, scheme: Scheme, train: Dataset, groups: Sequence[object] | None) -> None:
    """Check that exactly the voters without rows do not vote."""
    sizes = np.array([len(rows) for rows in scheme.deal(contents(train.X), groups).rows])
    if votes.shape[1] != len(sizes):
        raise InvalidData(f"votes: expected those of {len(sizes)} voters, got {votes.shape[1]}")
    if ((votes == NO_VOTE) != (sizes == 0)).any():
        raise InvalidData("votes: expected one of every voter that has rows, and of no other")


def _assemble(
    votes: IntArray,
    train: Dataset,
    scheme: Scheme,
    *,
    learner: str,
    digests: Digests,
    groups: Sequence[object] | None,
) -> PointwiseCertificate:
    stored: Any = votes.astype(np.uint8 if len(train.classes) < np.iinfo(np.uint8).max else np.uint16)
    found = scheme.certify(votes, len(train.classes))
    settings = {**scheme.settings(), "learner": learner}
    # Of the settings too, for another key would often give the same counts.
    head = json.dumps([settings, stored.shape, str(stored.dtype)], sort_keys=True)
    sha256 = hashlib.sha256(head.encode() + stored.tobytes()).hexdigest()
    return PointwiseCertificate(
        method=scheme.method,
        unit=scheme.unit,
        adversary=scheme.adversary,
        n_units=scheme.n_units(len(train), groups),
        exact=scheme.exact,
        classes=tuple(str(label) for label in train.classes),
        winners=found.winner,
        counts=found.count,
        settings={**settings, "votes_sha256": sha256},
        evidence={"votes": stored},
        data_sha256=digests.data_sha256,
        queries_sha256=digests.queries_sha256,
        assumptions=(
            f"The votes are those of {learner}, trained for each voter on its own rows alone; a recount does not train "
            "it again.",
            "It is the same whenever it is trained on the same rows with the same seed.",
            scheme.assumption,
        ),
        not_promised=_NOT_PROMISED,
    )


def _read_scheme(certificate: PointwiseCertificate) -> Scheme:
    given = dict(certificate.settings)
    learner, digest = given.pop("learner", None), given.pop("votes_sha256", None)
    made: Any = _SCHEMES.get(str(given.get("scheme")))
    if made is None or not isinstance(learner, str) or not isinstance(digest, str):
        raise CertificateRejected("settings: expected those of a vote, got others")
    try:
        scheme: Scheme = made(**{name: value for name, value in given.items() if name != "scheme"})
    except (InvalidInput, TypeError, AttributeError) as error:
        raise CertificateRejected(f"settings: expected those of {made.name}, got others ({error})") from None
    if scheme.settings() != given:
        raise CertificateRejected(f"settings: expected those of {made.name}, got others")
    return scheme


def _read_votes(certificate: PointwiseCertificate) -> IntArray:
    stored = np.asarray(certificate.evidence.get("votes", 0.0))
    if set(certificate.evidence) != {"votes"} or stored.dtype not in (np.uint8, np.uint16) or stored.ndim != 2:
        raise CertificateRejected("evidence: expected votes in bytes, queries x voters, got other arrays")
    if len(stored) != len(certificate.winners):
        raise CertificateRejected(
            f"evidence: expected votes about {len(certificate.winners)} queries, got {len(stored)}"
        )
    votes = stored.astype(np.int64)
    return np.where(votes == np.iinfo(stored.dtype).max, NO_VOTE, votes)
