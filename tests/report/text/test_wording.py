import dataclasses

from toadstone.catalogue import names
from toadstone.report.text.audit_text import cautions, headline_sentences
from toadstone.report.text.wording import defences_in_words, detector_in_words, glossary, spoken


def findings(record):
    return " ".join(headline_sentences(record)).replace("\N{NO-BREAK SPACE}", " ")


def with_point(record, **changes):
    """The record with its audited point changed."""
    curve = tuple(
        dataclasses.replace(point, **changes) if point.fraction == record.threat.fraction else point
        for point in record.curve
    )
    return dataclasses.replace(record, curve=curve)


def test_the_headline_says_the_whole_finding(record):
    assert findings(record) == (
        "With 3 % of rows under an attacker’s control (124 added to 4,137 clean ones), training loss cannot exceed "
        "0.3287 per clean row; a concrete attack reaches 0.3286. A loss of 0.3287 allows at most 32.9 % of the clean "
        "training rows to be classified wrongly. After the best of five defences (slab), the worst of two attacks "
        "leaves a test error of 5.1 % (3.9 to 6.7 %), against 2.9 % on clean data and 8.2 % (6.6 to 10.1 %) without "
        "any defence. Sphere, loss, subspace and neighbours leave as little within the intervals."
    )
    assert cautions(record) == ()


def test_flipping_is_not_called_adding(record):
    flip = dataclasses.replace(record, threat=dataclasses.replace(record.threat, kind="flip"))
    assert "(the labels of 124 of 4,137 rows)" in findings(flip)


def test_without_an_attacker_there_is_no_attack_in_the_first_sentence(hostile):
    assert findings(dataclasses.replace(hostile, cost=())).startswith(
        "With no row under an attacker’s control, training loss cannot exceed 7.300 per clean row. After"
    )


def test_one_attack_and_one_defence_are_not_counted(record):
    runs = tuple(run for run in record.evaluations if run.attack == "two_point" and run.sanitizer in ("none", "loss"))
    assert "After the one defence tried (loss), the attack leaves a test error of 6.9 %" in findings(
        dataclasses.replace(record, evaluations=runs)
    )


def test_what_was_not_evaluated_is_not_mentioned(record):
    nothing = dataclasses.replace(record, evaluations=())
    assert "test error" not in findings(nothing)
    bare = dataclasses.replace(record, evaluations=tuple(run for run in record.evaluations if run.sanitizer == "none"))
    assert "Without any defence, the worst of two attacks leaves a test error of 8.2 %" in findings(bare)
    defended = dataclasses.replace(
        record, evaluations=tuple(run for run in record.evaluations if run.sanitizer != "none")
    )
    assert "5.1 % (3.9 to 6.7 %), against 2.9 % on clean data. Sphere, loss" in findings(defended)


def test_an_inconclusive_bound_says_so(record):
    ((title, text),) = cautions(with_point(record, conclusive=False, attack_value=0.2))
    assert title == "Not conclusive"
    assert "between 0.2000 and 0.3287" in text


def test_a_bound_that_allows_every_row_to_be_wrong_is_not_dressed_up(record):
    vacuous = with_point(record, bound=1.0)
    ((title, text),) = cautions(vacuous)
    assert title == "The bound rules nothing out"
    assert "hinge loss of at least 1." in text
    assert "allows every row to be wrong" in text
    assert "at most" not in findings(vacuous)


def test_what_a_wrong_row_costs_depends_on_the_loss(record):
    logistic = dataclasses.replace(
        with_point(record, bound=0.7),
        defender=dataclasses.replace(record.defender, loss="logistic", wrong_row_loss=0.6931471805599453),
    )
    assert "logistic loss of at least 0.693." in cautions(logistic)[0][1]
    assert glossary(logistic)[0][0] == "Logistic loss"


def test_an_unknown_loss_or_defence_is_left_unexplained(record):
    odd = dataclasses.replace(
        record,
        defender=dataclasses.replace(record.defender, loss="own"),
        evaluations=tuple(dataclasses.replace(run, sanitizer="own") for run in record.evaluations),
    )
    assert defences_in_words(odd) == ()
    assert glossary(odd) == glossary(record)[1:]


def test_defences_that_tie_are_not_all_listed(record):
    alike = tuple(
        dataclasses.replace(run, test_error=0.09 if run.sanitizer == "none" else 0.07) for run in record.evaluations
    )
    assert "After any of five defences, all alike, the worst" in findings(
        dataclasses.replace(record, evaluations=alike)
    )


def test_every_detector_has_words():
    assert [name for name in names("detector") if detector_in_words(name) == spoken(name)] == []
