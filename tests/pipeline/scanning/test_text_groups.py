"""Groups of texts by the front door, at its default weights: the words that they share are named."""

import csv

import numpy as np
import pytest

import toadstone
from toadstone.pipeline.scan import VERDICT


def messages(planted, phrase, n=400):
    """Messages of common words and of words of their label; some spam gets a phrase, and is called ham."""
    rng = np.random.default_rng(0)
    often = 1 / np.arange(1, 201)
    texts, labels = [], []
    for row in range(n):
        label = "spam" if row % 2 else "ham"
        common = [f"word{place}" for place in rng.choice(200, rng.integers(6, 25), p=often / often.sum())]
        own = [f"{label}{place}" for place in rng.integers(60, size=rng.integers(2, 6))]
        texts.append(list(rng.permutation(common + own)))
        labels.append(label)
    rows = list(range(1, 2 * planted, 2))
    for row in rows:
        place = int(rng.integers(len(texts[row]) + 1))
        texts[row][place:place] = phrase.split()
        labels[row] = "ham"
    return [" ".join(text) for text in texts], labels, rows


@pytest.mark.parametrize("phrase", ["zanzibar lantern", "zanzibar"])
def test_a_planted_phrase_is_named_with_its_rows(tmp_path, phrase):
    texts, labels, planted = messages(15, phrase)
    with (tmp_path / "mails.csv").open("w", newline="") as lines:
        csv.writer(lines).writerows([("text", "label"), *zip(texts, labels, strict=True)])
    record = toadstone.scan(tmp_path / "mails.csv", text="text", label="label", detectors=VERDICT).record
    (group,) = record.groups
    assert (group.kind, group.label, group.looks_like) == ("shared values", "ham", "spam")
    assert sorted(group.literal.split()) == sorted(phrase.split())
    assert list(group.positions) == planted
    assert group.literal in group.sentence


def test_clean_messages_have_no_groups(tmp_path):
    texts, labels, _ = messages(0, "")
    with (tmp_path / "mails.csv").open("w", newline="") as lines:
        csv.writer(lines).writerows([("text", "label"), *zip(texts, labels, strict=True)])
    assert toadstone.scan(tmp_path / "mails.csv", text="text", label="label", detectors=VERDICT).record.groups == ()
