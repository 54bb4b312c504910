"""The evading attack: what it chooses, by whose eyes, and what it costs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.attacks.backdoors.backdoor import BackdoorAttack, CleanLabelBackdoor
from toadstone.attacks.backdoors.row_trigger import FeatureTrigger
from toadstone.attacks.evading import EvadingAttack
from toadstone.attacks.flips.label_flip import RandomLabelFlip
from toadstone.attacks.noise import NoiseInjection
from toadstone.core.budget import Budget
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument
from toadstone.detectors.features.mahalanobis import RobustMahalanobis
from toadstone.kernels.sets.sets import fit_domain
from toadstone.pipeline.harness.poison_check import check_poison
from toadstone.sanitizers.neighbours import NeighboursSanitizer

TRIGGER = FeatureTrigger(features=(0, 1), values=(9.0, 9.0))
ATTACKS = [
    (RandomLabelFlip(), "add"),
    (RandomLabelFlip(), "flip"),
    (RandomLabelFlip(source="ham", target="spam"), "flip"),
    (BackdoorAttack(trigger=TRIGGER, target="ham"), "add"),
    (CleanLabelBackdoor(trigger=TRIGGER, target="ham"), "perturb"),
    (NoiseInjection(), "perturb"),
]
every = pytest.mark.parametrize(("attack", "kind"), ATTACKS)


class Spy:
    """Suspects large first columns, and remembers what it was shown."""

    seen: list = []  # noqa: RUF012

    def fit(self, X, y):
        self.seen.append((np.asarray(X.todense() if isinstance(X, csr_array) else X), y))
        self.suspicion_ = self.seen[-1][0][:, 0]


@pytest.fixture
def spy():
    Spy.seen.clear()
    return Spy()


def data(n=200, *, sparse=False):
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(n, 5)), np.resize(["ham", "spam", "spam"], n)
    X[:, 2] += 3.0 * (y == "spam")
    return Dataset(csr_array(X) if sparse else X, y)


@every
@pytest.mark.parametrize("sparse", [False, True])
def test_exactly_the_budget_is_spent_on_rows_that_the_other_attack_made(attack, kind, sparse, spy):
    here, budget = data(sparse=sparse), Budget(0.05, kind)
    made = EvadingAttack(attack=attack, detector=spy).poison(here, budget, np.random.default_rng(0))
    check_poison(made, here, budget, fit_domain(np.array([[-np.inf, np.inf]] * 5).T, "real"))
    assert len(made) == 10
    larger = attack.poison(here, Budget(0.2, kind), np.random.default_rng(0))
    pool, chosen = (np.asarray(p.X.todense() if sparse else p.X) for p in (larger, made))
    assert {row.tobytes() for row in chosen} <= {row.tobytes() for row in pool}


@every
def test_the_detector_looks_as_the_deployed_one_will(attack, kind, spy):
    here = data()
    made = EvadingAttack(attack=attack, detector=spy, rounds=2).poison(
        here, Budget(0.05, kind), np.random.default_rng(0)
    )
    clean = {row.tobytes() for row in here.X}
    assert len(Spy.seen) >= 5
    for X, y in Spy.seen:
        assert len(X) == len(y) == (210 if kind == "add" else 200)
    # What was displaced is not there; what was chosen is.
    shown = [{(*row, label) for row, label in zip(X.tolist(), y.tolist(), strict=True)} for X, y in Spy.seen]
    chosen = {(*row, label) for row, label in zip(made.X.tolist(), made.y.tolist(), strict=True)}
    assert any(chosen <= rows for rows in shown)
    if kind == "perturb":
        assert all(sum(row.tobytes() in clean for row in X) == 190 for X, _ in Spy.seen)
    assert not hasattr(spy, "suspicion_")


def test_the_least_suspicious_of_all_candidates_are_chosen(spy):
    here, budget = data(), Budget(0.05, "flip")
    attack = RandomLabelFlip(source="spam", target="ham")
    made = EvadingAttack(attack=attack, detector=spy).poison(here, budget, np.random.default_rng(0))
    pool = attack.poison(here, Budget(0.2, "flip"), np.random.default_rng(0))
    np.testing.assert_allclose(np.sort(made.X[:, 0]), np.sort(pool.X[:, 0])[:10])


def test_a_place_is_among_the_clean_rows_of_the_same_label():
    class Shift:
        """All spam looks a hundred times as suspicious as ham does."""

        def fit(self, X, y):
            self.suspicion_ = X[:, 0] + 100.0 * (y == "spam")

    here = data(600)
    made = EvadingAttack(attack=RandomLabelFlip(), detector=Shift(), candidates=9.0).poison(
        here, Budget(0.05, "flip"), np.random.default_rng(0)
    )
    assert 5 < np.count_nonzero(made.y == "spam") < 25
    assert made.X[:, 0].max() < 0


@pytest.mark.parametrize(
    "detector", [RobustMahalanobis(), NeighboursSanitizer()], ids=lambda detector: type(detector).__name__
)
def test_real_detectors_rank_its_rows_lower(detector):
    here, budget = data(600), Budget(0.05, "perturb")
    attack = NoiseInjection()
    plain = attack.poison(here, budget, np.random.default_rng(1))
    evading = EvadingAttack(attack=attack, detector=detector).poison(here, budget, np.random.default_rng(1))
    places = []
    for made in (plain, evading):
        rows = here.X.copy()
        rows[made.replaces] = made.X
        places.append(np.argsort(np.argsort(detector.fit(rows, here.y).suspicion_))[made.replaces].mean())
    assert places[1] < places[0] - 100


def test_the_choice_of_lowest_rank_is_used_and_not_the_last():
    class Souring:
        """Suspects large first columns; after its first look at a choice, all of the poison."""

        fits: list = []  # noqa: RUF012

        def fit(self, X, y):
            self.fits.append(len(X))
            self.suspicion_ = X[:, 0] + 100.0 * (len(self.fits) > 5) * (np.arange(len(X)) >= 200)

    here, budget, attack = data(), Budget(0.05), RandomLabelFlip(source="spam", target="ham")
    # Four parts of the candidates are ranked first, each with one fit; the fifth fit is of the first choice.
    made = EvadingAttack(attack=attack, detector=Souring()).poison(here, budget, np.random.default_rng(0))
    pool = attack.poison(here, Budget(0.2), np.random.default_rng(0))
    assert len(Souring.fits) > 5
    np.testing.assert_allclose(np.sort(made.X[:, 0]), np.sort(pool.X[:, 0])[:10])


def test_where_there_are_no_more_candidates_all_are_used(spy):
    here = data(30)
    attack = CleanLabelBackdoor(trigger=TRIGGER, target="ham")
    made = EvadingAttack(attack=attack, detector=spy).poison(here, Budget(0.4, "perturb"), np.random.default_rng(0))
    assert len(made) == 10
    assert not Spy.seen


def test_the_same_seed_makes_the_same_poison(spy):
    attack = EvadingAttack(attack=BackdoorAttack(trigger=TRIGGER, target="ham"), detector=spy)
    one, two, other = (attack.poison(data(), Budget(0.05), np.random.default_rng(seed)) for seed in (4, 4, 5))
    np.testing.assert_array_equal(one.X, two.X)
    assert not np.array_equal(one.X, other.X)


def test_the_kind_is_the_other_attacks_if_it_has_one(spy):
    assert EvadingAttack(attack=NoiseInjection(), detector=spy).kind == "perturb"
    assert not hasattr(EvadingAttack(attack=RandomLabelFlip(), detector=spy), "kind")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rounds": 0}, "`rounds`: expected a whole number from 1, got 0"),
        ({"rounds": 1.5}, "`rounds`: expected a whole number"),
        ({"candidates": 0.5}, "`candidates`: expected a number from 1, got 0.5"),
        ({"candidates": np.inf}, "`candidates`: expected a number from 1"),
    ],
)
def test_options_out_of_range(spy, options, message):
    with pytest.raises(InvalidArgument, match=message):
        EvadingAttack(attack=RandomLabelFlip(), detector=spy, **options)
