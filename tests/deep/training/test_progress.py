"""Checkpoints and what identifies a training in them; resumption is tested with the loop."""

from dataclasses import dataclass

import pytest

torch = pytest.importorskip("torch")

from toadstone.core.errors import InvalidArgument
from toadstone.deep.training.progress import Checkpoint, identity, watcher_identity


@dataclass(frozen=True)
class Choice:
    """A setting with a field."""

    count: int

    def __call__(self):
        return self.count


def test_a_setting_is_identified_by_its_fields_or_its_name_and_never_by_an_address():
    assert identity(Choice(count=3)) == "Choice(count=3)"
    assert identity(len) == "len"
    assert identity(torch.nn.Identity()) == "Identity"


def test_a_watcher_is_identified_by_its_type_and_settings():
    class Watching:
        settings = "share=0.5"

    assert watcher_identity(None) == "none"
    assert watcher_identity(Watching()).endswith("Watching(share=0.5)")
    assert watcher_identity(Choice(count=3)) == "Choice()"


@pytest.mark.parametrize("every", [0, 1.5])
def test_a_checkpoint_now_and_then_is_refused(every):
    with pytest.raises(InvalidArgument, match=f"`every`: expected a whole number from 1, got {every}"):
        Checkpoint(path="training", every=every)
