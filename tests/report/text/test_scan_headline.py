"""The headline of a scan, the evidence, and what to do next."""

from __future__ import annotations

from dataclasses import replace

import pytest

from toadstone.report.text.scan_headline import (
    detector_sentences,
    evidence_sentence,
    fact_sentences,
    headline,
    next_step,
    scan_sentences,
)


def plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.fixture
def two_classes(scanned):
    """The record of a scan of two classes, of detectors that are calm."""
    classes = scanned.data.classes[:2]
    quiet = replace(scanned.detectors["spectral"], flagged=3, flagged_share=0.015)
    return replace(scanned, data=replace(scanned.data, classes=classes), detectors={"spectral": quiet})


def rows_alone(record, count=8, innocents=1.3):
    return replace(
        record,
        listed_rows=count,
        grouped_rows=0,
        group_count=0,
        findings=(),
        expected_innocents=innocents,
        contradicting=0,
        contradictions=(),
    )


def calm(record):
    return replace(rows_alone(record, 0, 0.0), rows=())


def test_rows_and_a_group_in_one_line(two_classes):
    assert headline(two_classes) == (
        "8 of 200 rows look mislabelled; 1 group of 36 rows shares width = 99 and looks like the other class. "
        "Of these 44 rows, about 1 should have nothing wrong."
    )


@pytest.mark.parametrize(
    ("count", "innocents", "words"),
    [
        (8, 1.3, "8 of 200 rows look mislabelled, about 1 of them wrongly so."),
        (8, 0.2, "8 of 200 rows look mislabelled, fewer than one of them wrongly so."),
        (1, 0.33, "1 of 200 rows looks mislabelled, wrongly so with a probability of 33.0 %."),
    ],
)
def test_rows_and_how_many_of_them_by_mistake(two_classes, count, innocents, words):
    assert plain(headline(rows_alone(two_classes, count, innocents))) == words


def test_several_groups_and_equal_rows(two_classes):
    group = two_classes.groups[0]
    copies = replace(group, kind="near-copies", count=12, values={})
    equal = replace(group, kind="contradictory duplicates", count=1)
    more = replace(two_classes, findings=(group, copies, equal, equal), group_count=4, grouped_rows=50, listed_rows=50)
    assert headline(more) == (
        "2 groups of 36 and 12 rows belong together and do not look like their label; 2 groups of rows are equal but "
        "for the label. Of these 50 rows, about 1 should have nothing wrong."
    )
    one = replace(two_classes, findings=(copies,), grouped_rows=12, listed_rows=12, group_count=1)
    assert headline(one).startswith("1 group of 12 rows is of near-copies and looks like the other class. ")
    desk = replace(group, kind="source", count=32, values={"source": "desk 3"})
    assert headline(replace(one, findings=(desk,))).startswith("1 group of 32 rows comes from desk 3 and looks like")
    march = replace(group, kind="period", count=20, values={"period": "2024-03-02 to 2024-03-17"})
    said = "1 group of 20 rows is of 2024-03-02 to 2024-03-17 and looks like the other class. "
    assert headline(replace(one, findings=(march,))).startswith(said)
    three = replace(scanned_with_three(two_classes), findings=(group,))
    assert "and looks like b. " in headline(three)


def test_copies_of_tied_labels_are_counted_and_not_listed(two_classes):
    pair = replace(two_classes.groups[0], kind="contradictory duplicates", count=2, looks_like=None)
    tied = replace(calm(two_classes), findings=(pair, pair), group_count=2)
    assert headline(tied) == "2 groups of rows are equal but for the label."
    assert next_step(tied).startswith("Next: look at the rows that are equal but for the label, correct or remove")
    listed = replace(tied, listed_rows=8, expected_innocents=1.3)
    assert headline(listed) == (
        "8 of 200 rows look mislabelled; 2 groups of rows are equal but for the label. "
        "Of 8 listed rows, about 1 should have nothing wrong."
    )
    assert "labels in the other rows" not in " ".join(scan_sentences(listed))


def scanned_with_three(record):
    classes = (*record.data.classes, replace(record.data.classes[0], label="c"))
    return replace(record, data=replace(record.data, classes=classes))


def test_nothing_found_says_what_could_have_stayed_undetected(two_classes):
    first, evidence, undetected, flagged = map(plain, scan_sentences(calm(two_classes)))
    assert first == (
        "None of 200 rows looks mislabelled, and no group of rows shares values that its label does not explain."
    )
    assert evidence == "Evidence for wrong labels: the data prefer 4 % wrong labels to none, 12 to 1."
    assert "could have stayed undetected" in undetected
    assert "wrong" not in flagged


def test_rows_to_review_are_no_accusation(two_classes):
    said = scan_sentences(replace(calm(two_classes), review_rows=30))
    assert said[0] == "30 of 200 rows may be mislabelled, and the data cannot say whether they are."
    assert said[2] == "They are ranked for review below: their labels may be right."
    assert not any("undetected" in sentence for sentence in said)


def test_detectors_state_what_they_may_flag_together_and_accuse_nobody(scanned):
    flagged, beyond = map(plain, detector_sentences(scanned))
    assert flagged == (
        "14 of 200 rows are flagged by at least one of 2 detectors. Together they may flag up to 4.0 % of clean rows."
    )
    assert beyond == (
        "Spectral flags more rows than its false-alarm rate and chance explain: unusual rows, not always wrong ones."
    )
    trusted = detector_sentences(replace(scanned, trusted_rows=100))[0]
    assert "by thresholds from trusted rows where these suffice" in trusted


def test_detectors_alone_say_what_they_cannot_see(two_classes):
    record = replace(calm(two_classes), verdict=None)
    flagged, undetected = map(plain, scan_sentences(record))
    assert flagged.endswith("That is no more than their rates and chance explain.")
    assert undetected.startswith("Poison on less than 4.5 % of the rows could have stayed undetected")
    still = replace(two_classes.detectors["spectral"], false_alarm_rate=0.0)
    assert scan_sentences(replace(record, detectors={"spectral": still}))[0].startswith("No detector has a threshold")
    assert next_step(replace(record, detectors={"spectral": still})).startswith("Next: nothing was decided")
    skipped = replace(still, skipped="one class")
    assert scan_sentences(replace(record, detectors={"spectral": skipped})) == (
        "No detector could use these data: no row was checked.",
    )


def test_a_verdict_that_is_missing_says_why(scanned):
    late = replace(scanned, verdict=replace(scanned.verdict, skipped="the 5 seconds of --max-seconds were over"))
    assert scan_sentences(late)[0] == "There is no verdict on the rows: the 5 seconds of --max-seconds were over."


def test_the_next_step_follows_from_the_result(two_classes):
    assert next_step(two_classes) == (
        "Next: look at these rows, correct or remove the wrong ones by hand or with `toadstone defend`, which measures "
        "the cost on trusted rows or a published test set, and train again. In doubt most are lines 5, 77: checked "
        "by hand and given as --trusted, they would tell most."
    )
    quiet = replace(calm(two_classes), worth_checking=())
    assert next_step(quiet).startswith("Next: nothing has to be done; `toadstone audit` bounds the harm")
    assert next_step(quiet).endswith("given as --trusted, make the scan sharper.")
    assert next_step(replace(quiet, trusted_rows=9)).endswith("poison that no check sees.")
    assert next_step(replace(quiet, review_rows=3)).startswith("Next: look at the rows to review")
    one = replace(two_classes, worth_checking=("5",))
    assert next_step(one).endswith(
        "In doubt most is line 5: checked by hand and given as --trusted, it would tell most."
    )


def test_evidence_is_of_the_rows_that_groups_leave(two_classes):
    assert scan_sentences(two_classes)[1].startswith("Evidence for wrong labels in the other rows: the data prefer")
    assert scan_sentences(rows_alone(two_classes))[1].startswith("Evidence for wrong labels: the data prefer")


def test_a_result_of_python_names_functions_and_options_as_python_does(two_classes):
    record = replace(two_classes, header=replace(two_classes.header, command="toadstone.scan"))
    said = next_step(record)
    assert "`toadstone.defend`, which measures" in said
    assert "given as trusted=, they" in said
    assert "--" not in said


def test_without_a_verdict_nobody_says_that_nothing_has_to_be_done(two_classes):
    quiet = calm(two_classes)
    refused = replace(quiet, verdict=replace(two_classes.verdict, skipped="a class has 3 rows"))
    assert next_step(refused).startswith("Next: nothing was decided; mend what is named above")
    assert next_step(replace(quiet, verdict=None)).startswith("Next: these detectors point at no row")


def test_evidence_has_its_interval(scanned):
    assert plain(evidence_sentence(scanned)) == ("Estimated share of wrong labels: 4.0 % (95 % interval 2.0 to 6.5 %).")
    assert evidence_sentence(replace(scanned, evidence=None)) == ""


def test_equal_rows_are_told_once(scanned):
    assert any("equal but for the label" in fact for fact in fact_sentences(scanned))
    group = replace(scanned.groups[0], kind="contradictory duplicates")
    assert not any("equal but for the label" in fact for fact in fact_sentences(replace(scanned, findings=(group,))))
