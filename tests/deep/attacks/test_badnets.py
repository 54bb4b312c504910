"""Visible backdoors: the rows that are stamped and relabelled."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from toadstone.attacks.backdoors.image_shape import ImageShape
from toadstone.attacks.backdoors.trigger import PatchTrigger
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.attacks.badnets import VisibleBackdoor
from toadstone.deep.attacks.triggers import stamp

PATCH = PatchTrigger(shape=ImageShape(height=8, width=8, channels=3), size=3)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randint(0, 256, (*shape, 3, 8, 8), generator=seeded(seed), dtype=torch.uint8)


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
