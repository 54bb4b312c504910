"""Backdoors, hidden, label-consistent and visible: budgets, bytes, and what they do to a network's view."""

from __future__ import annotations

import itertools

import pytest

torch = pytest.importorskip("torch")
from torch import nn
from torch.nn.functional import cross_entropy

from toadstone.attacks.backdoors.image_shape import ImageShape
from toadstone.attacks.backdoors.trigger import PatchTrigger
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.attacks.badnets import VisibleBackdoor
from toadstone.deep.attacks.hidden_trigger import HiddenTrigger, greedy_pairs
from toadstone.deep.attacks.label_consistent import LabelConsistentBackdoor
from toadstone.deep.attacks.triggers import stamp

HEAD = "3"
PATCH = PatchTrigger(shape=ImageShape(height=8, width=8, channels=3), size=3)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def networks(count: int = 2) -> list[nn.Module]:
    made = []
    for seed in range(count):
        network = nn.Sequential(nn.Conv2d(3, 6, 4, stride=4), nn.Tanh(), nn.Flatten(), nn.Linear(24, 3))
        for weight in network.parameters():
            weight.data = torch.randn(weight.shape, generator=seeded(seed)) / 4
        made.append(network.double())
    return made


def images(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randint(0, 256, (*shape, 3, 8, 8), generator=seeded(seed), dtype=torch.uint8)


class TestHiddenTrigger:
    attack = HiddenTrigger(trigger=PATCH, radius=16, steps=15, learning_rate=0.1, enough=0.0)

    def craft(self, attack=None, *, models=None, bases=None, sources=None):
        attack, models = attack or self.attack, models or networks()
        bases = images(2, 4) if bases is None else bases
        sources = images(2, 5, seed=2) if sources is None else sources
        return attack.craft(models, HEAD, bases, sources, generator=seeded())

    def test_within_the_radius_and_nothing_given_is_changed(self):
        models, bases, sources = networks(), images(2, 4), images(2, 5, seed=2)
        models[0].train()
        made = self.craft(models=models, bases=bases, sources=sources)
        assert made.dtype == torch.uint8
        assert (made.int() - bases.int()).abs().max() == 16
        assert torch.equal(bases, images(2, 4))
        assert torch.equal(sources, images(2, 5, seed=2))
        assert models[0].training
        assert models[0][0].weight.requires_grad

    def test_nearer_to_the_patched_sources_than_the_bases_are(self):
        (model,) = networks(1)

        def distance(poisons):
            with torch.no_grad():
                seen, wanted = (
                    model[:3](several.flatten(0, 1).double() / 255).unflatten(0, several.shape[:2])
                    for several in (poisons, stamp(images(2, 5, seed=2), PATCH))
                )
            return (torch.cdist(seen, wanted) ** 2).amin(2).sum(1)

        made = self.craft(models=[model])
        assert (distance(made) < 0.8 * distance(images(2, 4))).all()

    def test_same_bytes_alone_or_with_others(self):
        together = self.craft()
        assert torch.equal(together, self.craft())
        alone = self.craft(bases=images(2, 4)[1:], sources=images(2, 5, seed=2)[1:])
        assert torch.equal(together[1:], alone)

    def test_each_poison_has_a_source_of_its_own(self):
        twins = images(1, 1).expand(1, 4, 3, 8, 8)
        made = self.craft(bases=twins, sources=images(1, 5, seed=2))
        assert len({tuple(poison.flatten().tolist()) for poison in made[0]}) == 4

    def test_sources_wear_the_trigger(self):
        """Painting a patch twice is painting it once."""
        assert torch.equal(self.craft(), self.craft(sources=stamp(images(2, 5, seed=2), PATCH)))

    def test_stops_when_it_is_enough(self):
        loose = HiddenTrigger(trigger=PATCH, radius=16, steps=15, learning_rate=0.1, enough=0.95)
        once = HiddenTrigger(trigger=PATCH, radius=16, steps=1, learning_rate=0.1, enough=0.0)
        assert torch.equal(self.craft(loose), self.craft(once))
        assert not torch.equal(self.craft(loose), self.craft())

    def test_what_is_enough_does_not_depend_on_the_scale_of_features(self):
        models = networks(1)
        for weight in models[0][0].parameters():
            weight.data /= 100
        slow = HiddenTrigger(trigger=PATCH, radius=16, steps=15, learning_rate=1e3)
        assert not torch.equal(self.craft(slow, models=models), images(2, 4))

    def test_bases_that_stay_as_they_were_are_told(self):
        idle = HiddenTrigger(trigger=PATCH, radius=16, steps=2, learning_rate=1e-9)
        with pytest.warns(RuntimeWarning, match="2 of 2 attacks changed none of their bases; try a higher learning_"):
            assert torch.equal(self.craft(idle), images(2, 4))

    @pytest.mark.parametrize(
        ("wrong", "word"),
        [
            ({"sources": images(2, 3)}, "sources"),
            ({"sources": images(1, 5)}, "sources"),
            ({"bases": images(2, 4).float()}, "bases"),
            ({"sources": images(2, 5)[..., :4]}, "sources"),
            ({"sources": images(2, 5).float()}, "sources"),
        ],
    )
    def test_refusals(self, wrong, word):
        with pytest.raises(InvalidData, match=word):
            self.craft(**wrong)

    def test_options_out_of_range(self):
        with pytest.raises(InvalidArgument, match="`enough`"):
            HiddenTrigger(trigger=PATCH, enough=-1.0)
        with pytest.raises(InvalidArgument, match="`enough`"):
            HiddenTrigger(trigger=PATCH, enough=10.0)
        with pytest.raises(InvalidArgument, match="`learning_rate`"):
            HiddenTrigger(trigger=PATCH, learning_rate=0.0)
        with pytest.raises(InvalidArgument, match="`radius`"):
            HiddenTrigger(trigger=PATCH, radius=0)


def test_fewer_columns_than_rows_have_no_pairs():
    with pytest.raises(InvalidData, match="distances: expected a column for each of 3 rows, got 2"):
        greedy_pairs(torch.rand(1, 3, 2))


def test_pairs_are_one_to_one_and_nearest_first():
    distances = torch.rand(3, 4, 6, generator=seeded())
    for found, table in zip(greedy_pairs(distances).tolist(), distances.tolist(), strict=True):
        ordered = sorted(itertools.product(range(4), range(6)), key=lambda pair: table[pair[0]][pair[1]])
        expected: dict[int, int] = {}
        for row, column in ordered:
            if row not in expected and column not in expected.values():
                expected[row] = column
        assert found == [expected[row] for row in range(4)]


class TestLabelConsistent:
    attack = LabelConsistentBackdoor(trigger=PATCH, radius=8, steps=6)
    labels = torch.tensor([0, 1, 2, 1, 0])

    def loss(self, models, several):
        with torch.no_grad():
            return sum(cross_entropy(model(several.double() / 255), self.labels, reduction="none") for model in models)

    def test_harder_within_the_radius_and_then_stamped(self):
        models, bases = networks(), images(5)
        models[1].train()
        made = self.attack.craft(models, HEAD, bases, self.labels)
        assert torch.equal(bases, images(5))
        assert models[1].training
        assert made.dtype == torch.uint8
        assert torch.equal(made[:, :, 5:, 5:], torch.full((5, 3, 3, 3), 255, dtype=torch.uint8))
        outside = torch.ones(8, 8, dtype=torch.bool)
        outside[5:, 5:] = False
        assert (made.int() - bases.int()).abs()[..., outside].max() == 8
        # The patch moves the loss too, so that only images without it can be compared.
        hard = torch.where(outside, made, bases)
        assert (self.loss(models, hard) > self.loss(models, bases) + 0.01).all()

    def test_networks_are_asked_in_evaluation_mode(self):
        model = nn.Sequential(nn.BatchNorm2d(3), *networks(1)[0]).double().train()
        before = {name: value.clone() for name, value in model.state_dict().items()}
        made = self.attack.craft([model], "4", images(5), self.labels)
        assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
        assert torch.equal(made, self.attack.craft([model.eval()], "4", images(5), self.labels))

    def test_a_step_moves_each_pixel_by_its_levels(self):
        once = LabelConsistentBackdoor(trigger=PATCH, radius=8, steps=1, step_size=3)
        moved = (once.craft(networks(), HEAD, images(5), self.labels).int() - images(5).int()).abs()[:, :, :5]
        legal = (images(5)[:, :, :5] >= 3) & (images(5)[:, :, :5] <= 252)
        assert (moved[legal] == 3).all()

    def test_blocks_make_no_difference(self):
        small = LabelConsistentBackdoor(trigger=PATCH, radius=8, steps=6, block=2)
        whole = self.attack.craft(networks(), HEAD, images(5), self.labels)
        assert torch.equal(whole, small.craft(networks(), HEAD, images(5), self.labels))

    @pytest.mark.parametrize(
        ("bases", "labels", "word"),
        [
            (images(5).float() / 255, labels, "bases"),
            (images(5), labels[:4], "labels"),
            (images(5), labels + 1, "labels"),
        ],
    )
    def test_refusals(self, bases, labels, word):
        with pytest.raises(InvalidData, match=word):
            self.attack.craft(networks(), HEAD, bases, labels)

    @pytest.mark.parametrize("name", ["radius", "steps", "step_size", "block"])
    def test_options_out_of_range(self, name):
        with pytest.raises(InvalidArgument, match=f"`{name}`"):
            LabelConsistentBackdoor(trigger=PATCH, **{name: 0})


def test_a_network_without_finite_losses_is_refused():
    models = networks()
    models[1][0].weight.data[0] = torch.nan
    attack = LabelConsistentBackdoor(trigger=PATCH, steps=2)
    with pytest.raises(InvalidData, match="networks: expected finite losses for the bases"):
        attack.craft(models, HEAD, images(3), torch.tensor([0, 1, 2]))


class TestVisible:
    labels = torch.tensor([0, 1, 2, 1, 0, 2, 1, 1])

    def craft(self, *, count=3, seed=0, **options):
        attack = VisibleBackdoor(**{"trigger": PATCH, "target": 1} | options)
        return attack.craft(images(8), self.labels, count=count, generator=seeded(seed))

    def test_so_many_images_of_other_classes_are_stamped_and_relabelled(self):
        given, labels = images(8), self.labels.clone()
        made = self.craft()
        assert len(set(made.rows.tolist())) == 3
        assert (labels[made.rows] != 1).all()
        assert torch.equal(made.images[made.rows], stamp(given[made.rows], PATCH))
        assert (made.labels[made.rows] == 1).all()
        rest = torch.ones(8, dtype=torch.bool)
        rest[made.rows] = False
        assert torch.equal(made.images[rest], given[rest])
        assert torch.equal(made.labels[rest], labels[rest])
        assert torch.equal(self.labels, labels)

    def test_same_seed_same_rows_and_another_seed_others(self):
        assert torch.equal(self.craft().rows, self.craft().rows)
        assert any(not torch.equal(self.craft().rows, self.craft(seed=seed).rows) for seed in (1, 2, 3))

    def test_only_the_source(self):
        assert self.craft(count=2, source=2).rows.tolist() == [2, 5]

    @pytest.mark.parametrize("count", [0, 5])
    def test_no_more_than_there_are(self, count):
        with pytest.raises(InvalidArgument, match="from 1 to 4"):
            self.craft(count=count)

    def test_refusals(self):
        with pytest.raises(InvalidArgument, match="`source`"):
            VisibleBackdoor(trigger=PATCH, target=1, source=1)
        for wrong in ({"target": -1}, {"target": 1.5}, {"target": 1, "source": -1}):
            with pytest.raises(InvalidArgument, match="a whole number from 0"):
                VisibleBackdoor(trigger=PATCH, **wrong)
        for wrong in ({"target": 9}, {"source": 9}):
            with pytest.raises(InvalidArgument, match="a label that occurs in the data, got 9"):
                self.craft(**wrong)
        with pytest.raises(InvalidArgument, match=r"`count`: expected a whole number from 1, got 1\.5"):
            self.craft(count=1.5)
        attack = VisibleBackdoor(trigger=PATCH, target=1)
        with pytest.raises(InvalidArgument, match="`generator`"):
            attack.craft(images(8), self.labels, count=1, generator=None)
        with pytest.raises(InvalidData, match="labels: expected whole numbers from 0, got -1"):
            attack.craft(images(8), self.labels - 1, count=1, generator=seeded())
        with pytest.raises(InvalidData, match="labels"):
            attack.craft(images(8), self.labels[:4], count=1, generator=seeded())
        with pytest.raises(InvalidData, match="uint8"):
            attack.craft(images(8) / 255, self.labels, count=1, generator=seeded())
