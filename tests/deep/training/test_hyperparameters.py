"""Settings of a training."""

import pytest

pytest.importorskip("torch")

from toadstone.core.errors import InvalidArgument
from toadstone.deep.training.hyperparameters import TrainingConfig


def test_the_rate_falls_at_each_milestone():
    config = TrainingConfig(learning_rate=0.4, milestones=(2, 3), factor=0.5)
    assert [config.rate(epoch) for epoch in range(5)] == [0.4, 0.4, 0.2, 0.1, 0.1]


def test_one_cycle_rises_in_the_first_quarter_and_falls_to_nothing():
    config = TrainingConfig(epochs=4, learning_rate=0.2, schedule="one-cycle")
    assert [config.rate(0, passed) for passed in (0.0, 0.25, 0.5)] == pytest.approx([0.0, 0.05, 0.1])
    assert [config.rate(epoch) for epoch in (1, 2, 3)] == pytest.approx([0.2, 0.4 / 3, 0.2 / 3])
    assert config.rate(3, 0.75) == pytest.approx(0.2 / 12)


def test_one_cycle_has_no_milestones():
    with pytest.raises(InvalidArgument, match="`milestones`: expected none for one cycle, got"):
        TrainingConfig(schedule="one-cycle", milestones=(2,))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("epochs", 1.5),
        ("batch", 2.5),
        ("milestones", (1.5,)),
        ("batch", 0),
        ("learning_rate", -1.0),
        ("learning_rate", float("nan")),
        ("momentum", 1.0),
        ("weight_decay", -0.1),
        ("factor", 0.0),
        ("milestones", (3, 2)),
        ("milestones", (0,)),
        ("augmentation", "cutout"),
        ("precision", "float16"),
        ("schedule", "cosine"),
    ],
)
def test_recipes_out_of_range_are_refused(field, value):
    with pytest.raises(InvalidArgument, match=f"`{field}`: expected "):
        TrainingConfig(**{field: value})
