"""Pointwise certificates of votes: models of parts of the rows, of whom an attacker reaches few."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from toadstone.certificates.pointwise.recomputed import refuse_differences, refuse_other_data
from toadstone.core.arrays import IntArray
from toadstone.core.dataset import Dataset
from toadstone.core.errors import CertificateRejected, InvalidData, InvalidInput
from toadstone.core.pointwise import Certified, Digests, PointwiseCertificate
from toadstone.kernels.statistics.row_digests import contents
from toadstone.kernels.votes.elections import certify_rankings, checked_rankings, first_votes
from toadstone.kernels.votes.grouped import GroupParts, Periods
from toadstone.kernels.votes.schemes import DisjointParts, FiniteAggregation, HashBagging, Scheme
from toadstone.kernels.votes.tallies import NO_VOTE, checked_votes
from toadstone.kernels.votes.units import certify_votes

__all__ = ["certify_votes", "make_run_off_certificate", "make_vote_certificate", "verify_votes"]

_SCHEMES = {scheme.name: scheme for scheme in (DisjointParts, FiniteAggregation, HashBagging, GroupParts, Periods)}
_RUN_OFF = (
    "The two classes with the most votes meet in a second round, in which each model votes for the one that it scores "
    "higher; the first class wins a tie."
)
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
    return _assemble(Cast(votes), train, scheme, learner=learner, digests=digests, groups=groups)


def make_run_off_certificate(
    rankings: IntArray,
    train: Dataset,
    scheme: Scheme,
    *,
    learner: str,
    digests: Digests,
    groups: Sequence[object] | None = None,
) -> PointwiseCertificate:
    """Certify the predictions of a run-off election about queries.

    Parameters
    ----------
    rankings : ndarray of uint8, shape (q, voters, n_classes)
        As `PartitionVoteClassifier.fit_rankings` returns them.
    train, scheme, learner, digests, groups
        As for `make_vote_certificate`; units must reach known voters.

    Returns
    -------
    PointwiseCertificate
        Its evidence is the rankings; counts are sound.

    Raises
    ------
    InvalidInput
        If rankings or groups do not fit the rows, or the scheme has no run-off.
    """
    checked = checked_rankings(rankings)
    return _assemble(Cast(checked), train, scheme, learner=learner, digests=digests, groups=groups)


@dataclass(frozen=True, eq=False)
class Cast:
    """Answers of voters about queries: votes, or for a run-off rankings of the classes.

    Parameters
    ----------
    given : ndarray of int, shape (q, voters) or (q, voters, n_classes)
    """

    given: Any

    @property
    def is_run_off(self) -> bool:
        """Tell rankings from votes."""
        return int(self.given.ndim) == 3

    @property
    def votes(self) -> IntArray:
        """Class positions that voters vote for first, shape (q, voters)."""
        found: IntArray = first_votes(self.given) if self.is_run_off else self.given
        return found

    def stored(self, n_classes: int) -> dict[str, Any]:
        """Return the evidence: bytes where there are few classes."""
        if self.is_run_off:
            return {"rankings": self.given}
        return {"votes": self.given.astype(np.uint8 if n_classes < np.iinfo(np.uint8).max else np.uint16)}

    def certify(self, scheme: Scheme, n_classes: int) -> Certified:
        """Count units by the election that it is."""
        return certify_rankings(self.given, scheme) if self.is_run_off else scheme.certify(self.given, n_classes)


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
    given = _read_rankings(certificate) if "election" in certificate.settings else _read_votes(certificate)
    # Before the rows are dealt, for a file may state any number.
    if scheme.n_voters not in (0, given.shape[1]):
        raise CertificateRejected(f"evidence: expected votes of {scheme.n_voters} voters, got {given.shape[1]}")
    try:
        if given.ndim == 2:
            given = checked_votes(given, len(train.classes)).astype(np.int64)
        elif checked_rankings(given).shape[2] != len(train.classes):
            raise CertificateRejected(f"evidence: expected ranks of {len(train.classes)} classes, got others")
        learner = str(certificate.settings.get("learner"))
        expected = _assemble(Cast(given), train, scheme, learner=learner, digests=digests, groups=groups)
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
    cast: Cast,
    train: Dataset,
    scheme: Scheme,
    *,
    learner: str,
    digests: Digests,
    groups: Sequence[object] | None,
) -> PointwiseCertificate:
    _check_ballots(cast.votes, scheme, train, groups)
    evidence = cast.stored(len(train.classes))
    (stored,) = evidence.values()
    found = cast.certify(scheme, len(train.classes))
    settings = {**scheme.settings(), "learner": learner, **({"election": "run-off"} if cast.is_run_off else {})}
    # Of the settings too, for another key would often give the same counts.
    head = json.dumps([settings, stored.shape, str(stored.dtype)], sort_keys=True)
    sha256 = hashlib.sha256(head.encode() + stored.tobytes()).hexdigest()
    return PointwiseCertificate(
        method=scheme.method,
        unit=scheme.unit,
        adversary=scheme.adversary,
        n_units=scheme.n_units(len(train), groups),
        exact=scheme.exact and not cast.is_run_off,
        classes=tuple(str(label) for label in train.classes),
        winners=found.winner,
        counts=found.count,
        settings={**settings, "votes_sha256": sha256},
        evidence=evidence,
        data_sha256=digests.data_sha256,
        queries_sha256=digests.queries_sha256,
        assumptions=(
            f"The votes are those of {learner}, trained for each voter on its own rows alone; a recount does not train "
            "it again.",
            "It is the same whenever it is trained on the same rows with the same seed.",
            *((_RUN_OFF,) if cast.is_run_off else ()),
            scheme.assumption,
        ),
        not_promised=_NOT_PROMISED,
        rivals=found.rival,
    )


def _read_scheme(certificate: PointwiseCertificate) -> Scheme:
    given = dict(certificate.settings)
    learner, digest = given.pop("learner", None), given.pop("votes_sha256", None)
    if given.pop("election", "run-off") != "run-off":
        raise CertificateRejected("settings: expected a run-off, or nothing, as election, got others")
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


def _read_rankings(certificate: PointwiseCertificate) -> IntArray:
    stored = np.asarray(certificate.evidence.get("rankings", 0.0))
    if set(certificate.evidence) != {"rankings"} or stored.dtype != np.uint8 or stored.ndim != 3:
        raise CertificateRejected("evidence: expected rankings in bytes, queries x voters x classes, got other arrays")
    if len(stored) != len(certificate.winners):
        raise CertificateRejected(
            f"evidence: expected rankings about {len(certificate.winners)} queries, got {len(stored)}"
        )
    return stored.astype(np.uint8)


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
