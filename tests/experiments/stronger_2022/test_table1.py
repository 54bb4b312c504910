"""Table 1: sizes and clean errors."""

import pytest

from toadstone.experiments.conditions import Conditions
from toadstone.experiments.stronger_2022 import table1


def test_the_table_of_data_counts_them(figures, cells, digits):
    found = figures(table1.measure((cells, digits), Conditions()))
    assert found["breast-cancer: training rows"] == len(cells.train)
    assert found["digits-1-7: features"] == 64
    assert found["breast-cancer: rows of the rarer class"] == min(
        (cells.train.y == label).sum() for label in cells.train.classes
    )
    assert 0 < found["breast-cancer: clean test error"] < 0.15


@pytest.mark.data
@pytest.mark.slow
def test_table_of_data(data_dir):
    rows = {row.what: row for row in table1.run(Conditions()).comparisons}
    assert rows["enron: clean test error"].standing in ("reached", "differs")
    assert rows["enron: clean test error"].ours == pytest.approx(0.030, abs=0.0015)
    assert rows["imdb: clean test error"].ours == pytest.approx(0.119, abs=0.003)
