"""Hidden trigger backdoors: features of the triggered sources, pairs, stopping."""

from __future__ import annotations

import itertools

import pytest

torch = pytest.importorskip("torch")
from torch import nn

from toadstone.attacks.backdoors.image_shape import ImageShape
from toadstone.attacks.backdoors.trigger import PatchTrigger
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.attacks.hidden_trigger import HiddenTrigger, greedy_pairs
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
