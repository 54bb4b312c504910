"""What is measured with a found trigger, whatever the order of the trusted images."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from toadstone.deep.inspection import inspect_images
from toadstone.deep.inspection.found_trigger import FoundTrigger
from toadstone.deep.inspection.inspect_network import LabelSearch


@pytest.fixture
def found():
    """The attacker's own patch."""
    mask = torch.zeros(12, 12)
    mask[10:, 10:] = 1.0
    trigger = FoundTrigger(mask=mask, content=mask[None])
    return LabelSearch(label=2, kind="patch", trigger=trigger, size=4.0, share_of_median=0.1, carried=0.9)


def test_strip_takes_clean_images_of_all_labels_where_they_come_sorted(backdoored, found, monkeypatch):
    model, images, labels = backdoored
    order = labels.argsort(stable=True)
    seen = []

    def strip(model, judged, *, clean, **options):
        seen.append((judged, clean))
        return genuine(model, judged, clean=clean, **options)

    genuine = inspect_images.strip
    monkeypatch.setattr(inspect_images, "strip", strip)
    evidence = inspect_images._evidence(model, None, found, images[order], labels[order], seed=0)
    assert 0 <= evidence.flagged_without <= 0.3
    for _, clean in seen:
        # Each label is bright in a place of its own; all six are among the clean images.
        bright = {int(part.unfold(0, 6, 6).unfold(1, 4, 4).mean((2, 3)).argmax()) for part in clean[:, 0]}
        assert len(bright) == 6
    assert len(seen) == 2


def test_strip_says_nothing_with_too_few_images(backdoored, found):
    model, images, labels = backdoored
    evidence = inspect_images._evidence(model, None, found, images[:40], labels[:40], seed=0)
    assert evidence.flagged_with is evidence.flagged_without is None
