"""The schedule of EPIC."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("torch")

from toadstone.core.errors import InvalidArgument
from toadstone.deep.defences.epic_schedule import Schedule


class TestSchedule:
    def test_when_it_is_due(self):
        schedule = Schedule(warm_up=3, interval=4, last_epoch=12)
        assert [epoch for epoch in range(30) if schedule.due(epoch)] == [3, 7, 11]
        assert Schedule(warm_up=0).due(1000)

    @pytest.mark.parametrize(
        "options",
        [
            {"fraction": 0.0},
            {"warm_up": -1},
            {"interval": 0},
            {"warm_up": math.nan},
            {"interval": 2.5},
            {"warm_up": 5, "last_epoch": 7.5},
            {"warm_up": 5, "last_epoch": 4},
            {"max_dropped": -0.1},
            {"variant": "other"},
        ],
    )
    def test_values_out_of_range(self, options):
        with pytest.raises(InvalidArgument, match=f"`{list(options)[-1]}`: expected"):
            Schedule(**options)
