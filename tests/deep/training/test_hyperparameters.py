"""Settings of a training."""

import pytest

pytest.importorskip("torch")

from toadstone.core.errors import InvalidArgument
from toadstone.deep.training.hyperparameters import TrainingConfig


def test_the_rate_falls_at_each_milestone():
    config = TrainingConfig(learning_rate=0.4, milestones=(2, 3), factor=0.5)
    assert [config.rate(epoch) for epoch in range(5)] == [0.4, 0.4, 0.2, 0.1, 0.1]


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
    ],
)
def test_recipes_out_of_range_are_refused(field, value):
    with pytest.raises(InvalidArgument, match=f"`{field}`: expected "):
        TrainingConfig(**{field: value})
