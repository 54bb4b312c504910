"""Counts of a vote against every attack on small cases, ties and models that do not vote included."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from vote_attacks import all_votes, changed_voters, cover_sizes, exact_count, plurality, spread

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.kernels.votes.tallies import are_disjoint
from toadstone.kernels.votes.units import certify_votes

VOTERS, CLASSES = 6, 3
EVERY = all_votes(VOTERS, CLASSES)
ELECTED = plurality(EVERY, CLASSES)


def cases(seed, n=60):
    rng = np.random.default_rng(seed)
    return rng, rng.integers(-1, CLASSES, size=(n, VOTERS))


def brute_force(votes, members):
    sizes, units = cover_sizes(members), len(members)
    winner = int(plurality(votes[None], CLASSES)[0])
    count = exact_count(ELECTED, winner, changed_voters(EVERY, votes), sizes)
    return winner, units if count is None else count


def test_counts_of_disjoint_parts_are_exact():
    _, votes = cases(0)
    found = certify_votes(votes, n_classes=CLASSES)
    expected = [brute_force(row, np.eye(VOTERS, dtype=int)) for row in votes]
    assert list(zip(found.winner.tolist(), found.count.tolist(), strict=True)) == expected
    assert len(set(found.count.tolist())) >= 3


@pytest.mark.parametrize("groups", [[0, 0, 0, 1, 1, 1], [0, 1, 1, 2, 2, 2], [0, 0, 1, 1, -1, -1]])
def test_counts_of_groups_are_exact(groups):
    members = np.array([[int(group == unit) for group in groups] for unit in range(max(groups) + 1)])
    _, votes = cases(1)
    found = certify_votes(votes, n_classes=CLASSES, members=members)
    assert are_disjoint(members)
    expected = [brute_force(row, members) for row in votes]
    assert list(zip(found.winner.tolist(), found.count.tolist(), strict=True)) == expected


@pytest.mark.parametrize("d", [2, 3])
def test_counts_of_finite_aggregation_are_never_too_high(d):
    rng, votes = cases(2)
    members = spread(VOTERS, d, rng)
    assert not are_disjoint(members)
    found = certify_votes(votes, n_classes=CLASSES, members=members).count
    exact = np.array([brute_force(row, members)[1] for row in votes])
    assert (found <= exact).all()
    assert (found == exact).mean() > 0.9


def test_finite_aggregation_with_one_voter_a_unit_is_partition_aggregation():
    rng, votes = cases(3)
    apart = certify_votes(votes, n_classes=CLASSES)
    together = certify_votes(votes, n_classes=CLASSES, members=csr_array(spread(VOTERS, 1, rng)))
    np.testing.assert_array_equal(apart.count, together.count)
    np.testing.assert_array_equal(apart.rival, together.rival)


def test_the_published_formula():
    _, votes = cases(4)
    votes = np.abs(votes)
    counts = np.stack([(votes == c).sum(axis=1) for c in range(CLASSES)], axis=1)
    winner, rows = counts.argmax(axis=1), np.arange(len(votes))
    rivals = [(counts[rows, winner] - counts[:, d] - (d < winner)) // 2 + 99 * (d == winner) for d in range(CLASSES)]
    np.testing.assert_array_equal(certify_votes(votes, n_classes=CLASSES).count, np.min(rivals, axis=0))


def test_the_order_of_voters_and_queries_does_not_matter():
    rng, votes = cases(5)
    members = spread(VOTERS, 2, rng)
    queries, voters = rng.permutation(len(votes)), rng.permutation(VOTERS)
    found = certify_votes(votes, n_classes=CLASSES, members=members)
    other = certify_votes(votes[queries][:, voters], n_classes=CLASSES, members=members[:, voters])
    np.testing.assert_array_equal(other.count, found.count[queries])
    np.testing.assert_array_equal(other.winner, found.winner[queries])


def test_other_names_of_classes_change_counts_only_through_ties():
    rng, votes = cases(6)
    names = rng.permutation(CLASSES)
    renamed = np.where(votes < 0, -1, names[votes])
    found, other = (certify_votes(each, n_classes=CLASSES) for each in (votes, renamed))
    ordered = np.sort(np.stack([(votes == c).sum(axis=1) for c in range(CLASSES)]), axis=0)
    sure = ordered[-1] > ordered[-2]
    np.testing.assert_array_equal(other.winner[sure], names[found.winner[sure]])
    # The tie rule is worth one vote.
    assert np.abs(other.count - found.count)[sure].max() <= 1


def test_nobody_voting_and_a_single_class():
    found = certify_votes([[-1, -1]], n_classes=3)
    assert (found.winner[0], found.count[0], found.rival[0]) == (0, 0, 1)
    alone = certify_votes([[0, 0, -1]], n_classes=1)
    assert (alone.winner[0], alone.count[0], alone.rival[0]) == (0, 3, -1)
    fixed = certify_votes([[0, 0, 0]], n_classes=2, members=[[1, 0, 0], [0, 0, 0]])
    assert (fixed.count[0], fixed.rival[0]) == (2, -1)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64])
def test_any_integers_will_do(dtype):
    votes = np.array([[0, 1, 1, 2]], dtype=dtype)
    assert certify_votes(votes, n_classes=3).winner[0] == 1


@pytest.mark.parametrize(
    ("votes", "message"),
    [
        ([[0, 3]], "votes: expected positions 0 to 2, or -1 for no vote, got 3"),
        ([[0, -2]], "votes: expected positions 0 to 2, or -1 for no vote, got -2"),
        ([0, 1], "votes: expected class positions of shape"),
        ([[0.0, 1.0]], "votes: expected class positions of shape"),
        (np.zeros((2, 0), dtype=int), "votes: expected class positions of shape"),
    ],
)
def test_votes_that_are_none_are_refused(votes, message):
    with pytest.raises(InvalidData) as caught:
        certify_votes(votes, n_classes=3)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("members", [[[1, 1, 1]], [[1, 2]], np.zeros((0, 2))])
def test_members_that_do_not_fit_are_refused(members):
    with pytest.raises(InvalidData, match=r"^members: expected"):
        certify_votes([[0, 1]], n_classes=2, members=members)


@pytest.mark.parametrize("n_classes", [0, 2**15])
def test_a_number_of_classes_that_cannot_be_is_refused(n_classes):
    with pytest.raises(InvalidArgument, match="n_classes"):
        certify_votes([[0]], n_classes=n_classes)


@pytest.mark.data
def test_the_published_votes_have_the_published_certificates(data_dir):
    with np.load(data_dir / "dpa_cifar10_k50_votes500.npz") as published:
        votes, labels, stored = (published[name] for name in ("votes", "labels", "cert_authors"))
    found = certify_votes(votes, n_classes=10)
    right = found.winner == labels
    np.testing.assert_array_equal(np.where(right, found.count, -1), stored)
