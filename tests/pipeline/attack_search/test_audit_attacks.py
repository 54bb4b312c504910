"""The short searches: every attack that fits, within budget and domain, and one sentence for the others."""

from __future__ import annotations

import numpy as np
import pytest

from toadstone.attacks.decoys.decoys import DecoyGrid
from toadstone.catalogue import ALIASES, entry, names
from toadstone.core.budget import Budget
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument, UnknownName
from toadstone.pipeline.attack_search.audit_attacks import SUITE, ShortSearch, check_suite, make_attacks
from toadstone.pipeline.attack_search.methods import METHODS
from toadstone.pipeline.attack_search.names import check_searchable, searchable
from toadstone.pipeline.attack_search.search import SearchEffort
from toadstone.pipeline.harness.judge import Defence
from toadstone.pipeline.harness.threat_model import ThreatModel


@pytest.fixture(autouse=True)
def _small_searches(monkeypatch):
    monkeypatch.setattr("toadstone.pipeline.attack_search.audit_attacks.GRID", DecoyGrid((0.2, 0.3), (3,)))
    monkeypatch.setattr("toadstone.pipeline.attack_search.audit_attacks._STEPS", 6)


def short_search(split, domain="real", seed=0):
    defence = Defence(ridge=0.05, contamination=0.1, seed=seed)
    threat = ThreatModel(split.train, Budget(0.1), domain, defence, ("l2", "slab"), 0.8)
    return threat, ShortSearch(threat, SearchEffort(seed))


@pytest.mark.parametrize("kind", ["real", pytest.param("integer", marks=pytest.mark.slow)])
def test_every_attack_that_fits_is_made(small, kind):
    threat, search = short_search(small(kind=kind, sparse=kind == "integer"), kind)
    steps: list[int] = []
    made = make_attacks(searchable(), search, on_made=lambda: steps.append(1))
    assert list(made) == list(searchable()) == [name for name in names("attack") if name in METHODS]
    assert len(steps) == len(made)
    for poison in made.values():
        threat.check(poison)
        assert len(poison) >= 1


def test_searches_are_made_once_and_do_not_depend_on_each_other(small):
    _, search = short_search(small())
    found = search.strongest("kkt-influence")
    assert search.strongest("kkt-influence") is found
    _, alone = short_search(small())
    alone.strongest("min-max")
    assert np.array_equal(alone.strongest("kkt-influence").poison.X, found.poison.X)


def test_an_attack_without_a_feasible_candidate_is_left_out(small):
    split = small()
    far = Dataset(split.train.X + 100.0 * (split.train.y == "spam")[:, None], split.train.y)
    threat = ThreatModel(far, Budget(0.1), "real", Defence(ridge=0.05), ("l2", "slab"), 0.8)
    assert make_attacks(("random-flip",), ShortSearch(threat, SearchEffort())) == {}


def test_names_that_an_audit_can_try():
    assert check_suite(("kkt", "minmax")) == ("kkt", "min-max")
    assert check_suite(()) == ()
    assert set(SUITE) < set(searchable())
    assert set(ALIASES.values()) < set(searchable())
    with pytest.raises(InvalidArgument, match="`attacks`: expected each name once, got kkt,minmax,min-max"):
        check_suite(("kkt", "minmax", "min-max"))


@pytest.mark.parametrize("name", sorted(set(names("attack")) - set(METHODS)))
def test_one_sentence_says_why_not(name):
    with pytest.raises(UnknownName, match=f"^`attacks`: {name} ") as refusal:
        check_searchable(name, "attacks")
    assert "\n" not in str(refusal.value)
    assert "use toadstone evaluate" in str(refusal.value) or entry("attack", name).goal == "errors"


def test_a_close_name_is_suggested():
    with pytest.raises(UnknownName, match=r"`attacks`: expected one of kkt-inf.*, got kktt; did you mean kkt\?"):
        check_suite(("kktt",))
