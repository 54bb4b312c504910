"""Sentences of an inspection: the answer first, then the evidence, then what to do."""

from __future__ import annotations

from dataclasses import replace

from toadstone.report.networks.inspection_page import render_inspection
from toadstone.report.networks.inspection_text import (
    evidence,
    headline,
    inspection_lines,
    next_step,
    smallest,
    treatment,
)


def spaced(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


def test_the_answer_names_the_labels(inspected):
    named = replace(inspected.suspects[0], found=replace(inspected.suspects[0].found, label="b"))
    assert headline(replace(inspected, suspects=(named,))) == (
        "The network answers label b to an unusually small trigger: a backdoor is likely."
    )
    both = headline(replace(inspected, suspects=(*inspected.suspects, named)))
    assert both.endswith("and b to an unusually small trigger: backdoors are likely.")


def test_nothing_found_is_no_proof(inspected):
    clean = replace(inspected, suspects=(), pruning=None, repair=None)
    assert spaced(headline(clean)).startswith("No label stands out: no trigger of 3 is at most 33.3 %")
    assert next_step(clean) == "Next: scan the training images, if you have them; a search for triggers proves nothing."


def test_no_decision_says_why_and_what_to_do(inspected):
    open_ = replace(inspected, suspects=(), undecided="3 classes are too few", pruning=None, repair=None)
    assert headline(open_) == "Undecided: 3 classes are too few."
    assert next_step(open_) == "Next: give more trusted images, of all labels, or a longer search (--epochs)."
    assert render_inspection(open_).count("<img ") == 0


def test_treatments_say_what_is_left(inspected):
    pruned, mended = (spaced(sentence) for sentence in treatment(inspected))
    assert pruned == (
        "Pruning the 55 least active features of 64 leaves 90.0 % of images following it, at an accuracy of 93.0 % on "
        "the images that set how many."
    )
    assert mended == (
        "After the repair 2.0 % follow it, at an accuracy of 96.0 % (before 95.0 %), on 100 images that the repair did "
        "not train on."
    )


def test_strip_that_was_not_measured_is_said_to_be_so(inspected):
    suspect = replace(inspected.suspects[0], flagged_with=None, flagged_without=None)
    assert evidence(suspect)[1].startswith("STRIP was not measured: ")
    assert spaced(evidence(inspected.suspects[0])[1]) == (
        "STRIP flags 40.0 % of the images with it, and 1.0 % of those without."
    )


def test_the_smallest_of_each_kind_are_listed(inspected):
    lines = smallest(inspected)
    assert [line.partition(":")[0] for line in lines] == ["patch"]
    assert spaced(lines[0]).endswith("b 100 %") or "b 100" in spaced(lines[0])
    assert smallest(replace(inspected, searches=())) == ["none was found"]


def test_lines_fit_a_terminal_and_the_page_shows_the_pictures(inspected):
    lines = "\n".join(inspection_lines(inspected, 80)).split("\n")
    assert [line for line in lines if len(line) > 80 and " " in line.strip()] == []
    assert render_inspection(inspected).count("data:image/png;base64,iVBORw0KGgo=") == 2
