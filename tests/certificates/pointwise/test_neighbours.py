"""Certificates of nearest neighbours: they say what the kernel counts, and no field can be tampered with."""

from dataclasses import fields, replace

import numpy as np
import pytest

from toadstone.certificates.pointwise.neighbours import NeighbourVote, make_neighbour_certificate, verify_neighbours
from toadstone.core.dataset import Dataset
from toadstone.core.errors import CertificateRejected, InvalidArgument, InvalidData
from toadstone.core.pointwise import Digests, PointwiseCertificate
from toadstone.kernels.neighbours.counts import CHANGES

DIGESTS = Digests("a" * 64, "b" * 64)
VOTES = (NeighbourVote(k=5), NeighbourVote(radius=1.5, fallback=1))


def rows(n=60, seed=0) -> tuple[Dataset, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 4, (n, 3)).astype(float)
    return Dataset(X, np.array(["a", "b", "c"])[rng.integers(0, 3, n)]), rng.integers(0, 5, (15, 3)).astype(float)


def made(vote=VOTES[0], change="delete") -> tuple[PointwiseCertificate, Dataset, np.ndarray]:
    train, queries = rows()
    return make_neighbour_certificate(train, queries, vote, change=change, digests=DIGESTS), train, queries


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("vote", VOTES)
def test_a_certificate_is_verified_and_does_not_depend_on_the_order_of_rows(vote, change):
    found, train, queries = made(vote, change)
    verify_neighbours(found, train, queries, digests=DIGESTS)
    again = train.take(np.random.default_rng(1).permutation(len(train)))
    other = make_neighbour_certificate(again, queries, vote, change=change, digests=DIGESTS)
    np.testing.assert_array_equal(other.counts, found.counts)
    np.testing.assert_array_equal(other.winners, found.winners)


def tampered(found: PointwiseCertificate, name: str) -> PointwiseCertificate:
    """The same certificate with another value of a field."""
    value = getattr(found, name)
    if name == "evidence":
        ((key, array),) = value.items()
        changed = array.copy()
        changed[0] = (changed[0] + 1) % 3
        return replace(found, evidence={key: changed})
    if name == "settings":
        return replace(found, settings={**value, "more": 1})
    if name == "winners":
        return replace(found, winners=(value + 1) % 3)
    others = {bool: lambda: not value, int: lambda: value + 1, str: lambda: value + " indeed"}
    others |= {tuple: lambda: (*value, "more"), np.ndarray: lambda: value + 1}
    return replace(found, **{name: others[type(value)]()})


@pytest.mark.parametrize("name", [field.name for field in fields(PointwiseCertificate)])
@pytest.mark.parametrize("vote", VOTES)
def test_a_tampered_field_is_refused(vote, name):
    found, train, queries = made(vote)
    with pytest.raises(CertificateRejected, match=name):
        verify_neighbours(tampered(found, name), train, queries, digests=DIGESTS)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"change": "delete", "k": 5},
        {"change": "flip", "distance": "euclidean", "k": 5},
        {"change": "delete", "k": 99},
        {"change": "delete", "k": "5"},
    ],
)
def test_settings_of_another_vote_are_refused(settings):
    found, train, queries = made()
    with pytest.raises(CertificateRejected, match="settings"):
        verify_neighbours(replace(found, settings=settings), train, queries, digests=DIGESTS)


def test_counts_of_another_change_are_refused():
    found, train, queries = made(change="modify")
    with pytest.raises(CertificateRejected, match="unit"):
        verify_neighbours(
            replace(found, settings={**found.settings, "change": "insert"}), train, queries, digests=DIGESTS
        )


def test_evidence_with_other_arrays_or_classes_is_refused():
    found, train, queries = made()
    near = found.evidence["neighbours"]
    for evidence in ({}, {"neighbours": near, "more": near}, {"neighbours": near[:, :-1]}, {"votes": near}):
        with pytest.raises(CertificateRejected, match="evidence"):
            verify_neighbours(replace(found, evidence=evidence), train, queries, digests=DIGESTS)
    # Not among the queries searched for again, and yet refused.
    drawn = np.random.default_rng(0).permutation(len(queries))[:1]
    changed = near.copy()
    changed[np.arange(len(queries)) != drawn] = 7
    with pytest.raises(CertificateRejected, match="class positions"):
        verify_neighbours(replace(found, evidence={"neighbours": changed}), train, queries, digests=DIGESTS, sample=1)


def test_a_clear_vote_is_exact_only_where_all_rows_are_listed():
    # Ten rows of one class are nearest: five deletions out of sight of a list of ten.
    train = Dataset(np.arange(30.0)[:, None], ["a"] * 12 + ["b"] * 18)
    asked = {"digests": DIGESTS, "change": "delete"}
    near = make_neighbour_certificate(train, np.zeros((1, 1)), NeighbourVote(k=5), **asked)
    assert (near.exact, near.counts.tolist()) == (False, [5])
    whole = make_neighbour_certificate(train, np.zeros((1, 1)), NeighbourVote(k=15), **asked)
    assert whole.exact


def test_what_does_not_fit_is_refused():
    train, queries = rows()
    with pytest.raises(InvalidArgument, match="at most the 60"):
        make_neighbour_certificate(train, queries, NeighbourVote(k=61), change="delete", digests=DIGESTS)
    with pytest.raises(InvalidArgument, match="change"):
        make_neighbour_certificate(train, queries, VOTES[0], change="flip", digests=DIGESTS)
    vote = NeighbourVote(radius=1.0, fallback=3)
    with pytest.raises(InvalidArgument, match="fallback"):
        make_neighbour_certificate(train, queries, vote, change="delete", digests=DIGESTS)
    alone = Dataset(np.zeros((3, 1)), ["a"] * 3)
    with pytest.raises(InvalidData, match="two or more"):
        make_neighbour_certificate(alone, np.zeros((1, 1)), NeighbourVote(k=1), change="delete", digests=DIGESTS)
    for wrong in ({}, {"k": 3, "radius": 1.0}, {"radius": -1.0}):
        with pytest.raises(InvalidArgument):
            NeighbourVote(**wrong)
