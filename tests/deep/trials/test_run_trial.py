"""Defences under one roof."""

import pytest

torch = pytest.importorskip("torch")

from toadstone.deep.defences.deep_knn import VoteResult
from toadstone.deep.training.hyperparameters import TrainingConfig
from toadstone.deep.trials.cases import Case, Goal
from toadstone.deep.trials.run_trial import FixedRows, NetworkDefence, run_trial, voting
from toadstone.deep.trials.transfer_setting import new_head

pytestmark = pytest.mark.deep


@pytest.fixture
def case():
    """A head for two classes of features, and the seeds that it was built with."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(60) % 2
    features = torch.randn(60, 5, generator=generator) + labels[:, None]
    built = []

    def build(seed):
        built.append(seed)
        return new_head(seed, width=5, classes=2)

    made = Case(
        attack="labels",
        seed=3,
        training=(features, labels),
        poison=torch.tensor([4, 9]),
        build=build,
        config=TrainingConfig(epochs=2, batch=16, learning_rate=0.1),
        test=(features, labels),
    )
    return made, built


def _verdict(count, dropped):
    return VoteResult(suspicion=torch.zeros(count), voters=dropped[:0], dropped=dropped)


def dropping(*rows):
    """A defence that leaves these rows out."""
    dropped = torch.tensor(rows, dtype=torch.int64)
    return voting("some", lambda features, labels: _verdict(len(labels), dropped))


def test_all_rows_train_the_undefended_model(case):
    one, built = case
    alike = one.train("again", FixedRows(torch.arange(60))).state_dict()
    assert all(torch.equal(value, alike[name]) for name, value in one.undefended.state_dict().items())
    assert built == [3, 3]


def test_a_defence_that_drops_nothing_trains_nothing(case):
    one, built = case
    plain, same = run_trial(one, NetworkDefence("none")), run_trial(one, dropping())
    assert built == [3]
    assert (same.wrong_rows, same.flagged_poison, same.flagged_clean) == (plain.wrong_rows, 0, 0)
    assert plain.flagged_poison is None


def test_a_defence_that_drops_rows_trains_on_the_others(case):
    one, built = case
    found = run_trial(one, dropping(*range(5)))
    assert built == [3]
    assert (found.flagged_poison, found.flagged_clean) == (1, 4)
    assert (found.poison_rows, found.clean_rows) == (2, 58)


class First(torch.nn.Module):
    """Logits are the features."""

    def forward(self, features):
        return features


def test_a_goal_has_a_label_for_all_images_or_one_for_each():
    shown = torch.eye(3)
    assert Goal(images=shown, label=1).reached(First()) == (3, 1)
    assert Goal(images=shown, label=torch.tensor([0, 1, 0])).reached(First()) == (3, 2)
    before = shown, torch.tensor([0, 0, 2])
    assert Goal(images=shown, label=torch.tensor([0, 1, 0]), before=before).reached(First()) == (2, 1)
