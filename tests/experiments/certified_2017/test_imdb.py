"""IMDB: a bound over real values beside an attack with counts."""

import dataclasses

from toadstone.experiments.certified_2017 import imdb as p17_imdb
from toadstone.experiments.certified_2017 import integer as p17_integer
from toadstone.experiments.conditions import Conditions


def test_the_bound_on_reviews_covers_more_than_counts(counts, figures, words):
    protocol = dataclasses.replace(counts, domain="real")
    measured = p17_imdb.measure(words, protocol, Conditions())
    found = figures(measured)
    whole = figures(p17_integer.measure(words, counts, Conditions()))
    most = "5\N{NO-BREAK SPACE}%"
    assert found[f"certified bound at {most}"] > whole[f"certified bound at {most}"]
    assert found[f"loss of all rows under attack at {most}"] == whole[f"loss of all rows under attack at {most}"]
    losses, errors = measured.panels
    assert (losses.unit, errors.unit) == ("loss", "share")
    ours = next(one for one in errors.series if one.source == "ours")
    assert ours.y[-1] == found[f"test error at {most}"]
