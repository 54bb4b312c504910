"""What a cost says: two numbers of rows, each with what it rests on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from toadstone.records.guarantees.cost import CostRecord
from toadstone.report.cost.cost_text import cost_lines, cost_sentences, detail_sentences
from toadstone.report.pages.cost_page import render_cost


@pytest.fixture
def plain(costed) -> CostRecord:
    return replace(costed, found=replace(costed.found, name="min-max"))


def cells(page) -> list[list[str]]:
    return [[cell.strip() for cell in row] for row in page.tables[0][1:]]


def test_both_numbers_come_first_and_are_those_of_the_record(plain, page_of):
    n = plain.data.n_train
    certified, found = cost_sentences(plain)
    assert certified.startswith("Certified: fewer than 12 added rows (")
    assert f"of {n:,}) cannot reach an error of 10.0\xa0% on the clean training rows" in certified
    assert "Found: 30 rows added reach it" in found
    assert "2.5 times the certified number" in found
    assert cost_lines(plain, None)[:2] == [certified, found]
    assert cells(page_of(render_cost(plain))) == [
        ["certified", "12", "fewer rows than this cannot do the harm, whatever they are"],
        ["found", "30", "so many rows suffice, by an attack that was carried out"],
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "flip"}, "relabelled rows"),
        ({"found": None}, "No attack could be made"),
        ({"found": None, "most_rows": 11}, "the certificate rules out up to 11 rows"),
        ({"clean_error": 0.1}, "No row is needed"),
        ({"error": None, "loss": 0.5}, "a mean hinge loss of 0.5000"),
    ],
)
def test_what_is_missing_is_said(plain, changes, said):
    assert said in " ".join(cost_sentences(replace(plain, **changes)))


def test_a_number_that_is_not_certified_or_found_is_none(plain, page_of):
    short = replace(plain, found=replace(plain.found, done=False))
    assert "the strongest reaches an error of 11.0\xa0% with 30 (min-max)" in cost_sentences(short)[1]
    assert [row[1] for row in cells(page_of(render_cost(short)))] == ["12", "none"]
    one = replace(plain, certified=replace(plain.certified, rows=1, bound=None))
    certified, found = cost_sentences(one)
    assert "at least one added row" in certified
    assert "nothing more is certified" in certified
    assert "times" not in found


def test_the_reason_why_data_are_vulnerable_is_said(plain):
    said = detail_sentences(plain)[-1]
    assert "2.5 standard deviations apart" in said
    assert "5.0\xa0% of what poison can reach" in said
    still = replace(plain, vulnerability=replace(plain.vulnerability, separability=None, width=None))
    assert "standard deviations" not in detail_sentences(still)[-1]
