"""Attacks on small data, made once."""

import pytest

from toadstone.experiments.conditions import Conditions
from toadstone.experiments.stronger_2022.protocols.chosen_attacks import (
    AttackComparison,
    ChosenAttackSettings,
    prepare_comparison,
)


@pytest.fixture(scope="session")
def small():
    """Settings with one decoy and a few steps."""
    return ChosenAttackSettings(
        ridge=0.05,
        kkt_decoys=((0.4, 3),),
        kkt_shares=(0.5,),
        minmax_decoys=((0.4, 3),),
        influence_steps=10,
        fraction=0.05,
    )


@pytest.fixture(scope="session")
def comparison(words, small):
    """A comparison of attacks on words."""
    return prepare_comparison(words, small, Conditions())


@pytest.fixture(scope="session")
def three(comparison):
    """The three attacks of the paper, each at its best setting."""
    return comparison.paper_attacks()


@pytest.fixture
def made(monkeypatch, three):
    """The three attacks are not made again."""
    monkeypatch.setattr(AttackComparison, "paper_attacks", lambda self: three)
