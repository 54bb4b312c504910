"""Dogfish: the stand-in is named as one."""

import pytest

from toadstone.experiments.certified_2017 import dogfish as p17_dogfish
from toadstone.experiments.conditions import Conditions


@pytest.mark.data
@pytest.mark.slow
def test_dogfish_stand_in_is_said_to_be_one(figures, data_dir):
    measured = p17_dogfish.run(Conditions())
    assert "Stand-in" in measured.setting
    found = figures(measured)
    assert found["certified bound at 30\N{NO-BREAK SPACE}%"] == pytest.approx(0.002186, abs=2e-6)
