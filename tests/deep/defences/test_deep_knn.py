"""The vote of neighbours and the vote of medoids: who is asked, who is dropped, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.defences.deep_knn import DeepKNN, MedoidVote, lost_votes
from toadstone.kernels.facility_location.medoids import greedy_medoids


def blobs(*, apart=4.0, each=40, classes=3, seed=0):
    """Classes around points of a line, and labels."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(classes).repeat_interleave(each)
    features = torch.randn(classes * each, 5, generator=generator)
    features[:, 0] += apart * labels
    return features, labels


def naive(features, labels, voters, neighbours):
    """Row by row, in Python."""
    lost = []
    rows = features.double().numpy()
    for row in range(len(rows)):
        others = [voter for voter in voters.tolist() if voter != row]
        others.sort(key=lambda voter: (np.linalg.norm(rows[row] - rows[voter]), voter))
        cast = labels[others[:neighbours]]
        shares = [float((cast == label).sum()) / neighbours for label in labels.unique()]
        own = shares.pop(labels.unique().tolist().index(int(labels[row])))
        lost.append(max(shares) - own)
    return torch.tensor(lost)


def test_votes_are_those_of_a_count_by_hand():
    features, labels = blobs(apart=1.0)
    voters = torch.arange(0, len(labels), 3)
    for neighbours in (1, 7):
        found = lost_votes(features, 2 * labels + 1, voters, neighbours=neighbours)
        torch.testing.assert_close(found, naive(features, labels, voters, neighbours))


def test_only_medoids_of_each_class_vote():
    features, labels = blobs()
    verdict = MedoidVote(fraction=0.2, neighbours=5)(features, labels)
    for label in range(3):
        own = (labels == label).nonzero()[:, 0]
        chosen = greedy_medoids(features[own].double().numpy(), 8).rows
        assert set(own[torch.from_numpy(chosen)].tolist()) == set(own.tolist()) & set(verdict.voters.tolist())


def test_a_lone_row_among_others_is_dropped_and_clean_ones_are_not():
    features, labels = blobs(apart=12.0)
    labels[3] = 2
    for vote in (DeepKNN(neighbours=9), MedoidVote(fraction=0.3, neighbours=9)):
        verdict = vote(features, labels)
        assert verdict.dropped.tolist() == [3]
        assert int(verdict.suspicion.argmax()) == 3
        assert verdict.kept.tolist() == [row for row in range(len(labels)) if row != 3]


def test_collapsed_poison_wins_the_vote_of_neighbours_but_not_that_of_medoids():
    features, labels = blobs(apart=12.0)
    features[80:100] = features[5] + 0.01 * torch.randn(20, 5, generator=torch.Generator().manual_seed(1))
    rows = torch.arange(80, 100)
    assert not torch.isin(rows, DeepKNN(neighbours=15)(features, labels).dropped).any()
    assert torch.isin(rows, MedoidVote(fraction=0.2, neighbours=7, most=0.2)(features, labels).dropped).all()


def test_no_more_than_the_cap_and_the_most_suspicious_first():
    features, labels = blobs(apart=0.5)
    free = MedoidVote(fraction=0.3, neighbours=9, most=1.0)(features, labels)
    capped = MedoidVote(fraction=0.3, neighbours=9, most=0.1)(features, labels)
    assert len(free.dropped) > 12 == len(capped.dropped)
    assert float(capped.suspicion[capped.dropped].min()) >= float(capped.suspicion[capped.kept].max())
    assert bool((free.suspicion[free.dropped] > 0).all())
    assert len(MedoidVote(fraction=0.3, neighbours=9, most=0.0)(features, labels).dropped) == 0


def test_of_each_class_a_row_stays():
    features, labels = blobs(apart=12.0, classes=2)
    labels = torch.cat([labels, torch.tensor([2, 2])])
    features = torch.cat([features, features[:2]])
    dropped = MedoidVote(fraction=0.5, neighbours=9, most=1.0)(features, labels).dropped
    assert len(set(dropped.tolist()) & {80, 81}) == 1


# So few medoids that no two rows are equally good ones, as rows nearest to each other are later.
@pytest.mark.parametrize("vote", [DeepKNN(neighbours=9), MedoidVote(neighbours=5)], ids=["neighbours", "medoids"])
def test_the_order_of_rows_does_not_matter(vote):
    features, labels = blobs(apart=1.5)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(2))
    before, after = vote(features, labels), vote(features[order], labels[order])
    torch.testing.assert_close(after.suspicion, before.suspicion[order])


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: DeepKNN(neighbours=0), "neighbours"),
        (lambda: MedoidVote(neighbours=0), "neighbours"),
        (lambda: MedoidVote(fraction=1.0), "fraction"),
        (lambda: MedoidVote(most=1.5), "most"),
    ],
)
def test_options_are_checked(make, name):
    with pytest.raises(InvalidArgument, match=f"`{name}`: expected"):
        make()


def test_unfit_rows_are_refused():
    features, labels = blobs()
    vote = MedoidVote(fraction=0.2, neighbours=5)
    with pytest.raises(InvalidData, match="voters: expected more than the 60 neighbours of a row, got 24"):
        MedoidVote(fraction=0.2, neighbours=60)(features, labels)
    with pytest.raises(InvalidData, match="labels: expected 120, one for each row"):
        vote(features, labels[1:])
    with pytest.raises(InvalidData, match=r"features: expected a finite matrix .*, got nan in row 3"):
        vote(features.index_fill(0, torch.tensor([3]), torch.nan), labels)
    with pytest.raises(InvalidData, match=r"features: expected a finite matrix .*, a tensor, got ndarray"):
        vote(features.numpy(), labels)
    with pytest.raises(InvalidData, match="labels: expected a tensor of int64, got ndarray"):
        vote(features, labels.numpy())
    with pytest.raises(InvalidData, match="labels: expected whole numbers from 0, got -1"):
        vote(features, labels - 1)
    with pytest.raises(InvalidData, match="voters: expected rows from 0 to 119, got -1 to 3"):
        lost_votes(features, labels, torch.arange(-1, 4), neighbours=2)


@pytest.mark.parametrize("neighbours", [0, 1.5, True])
def test_neighbours_are_whole(neighbours):
    for refused in (
        lambda: DeepKNN(neighbours=neighbours),
        lambda: MedoidVote(neighbours=neighbours),
        lambda: lost_votes(*blobs(), torch.arange(9), neighbours=neighbours),
    ):
        with pytest.raises(InvalidArgument, match="`neighbours`: expected a whole number from 1"):
            refused()
