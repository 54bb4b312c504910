"""Findings of a scan in sentences: the headline, the evidence, facts about the table, what to do next."""

from __future__ import annotations

from toadstone.records.scan import DetectorReport, Finding, ScanRecord
from toadstone.report.text.formats import counted, format_count, format_interval, format_share, listed, shortened
from toadstone.report.text.rows_text import aside_sentences, contradiction_sentence, named_rows
from toadstone.report.text.wording import (
    LONGEST_NAME,
    LONGEST_PREVIEW,
    function_name,
    option_name,
    short_name,
    spoken,
)

_SHOWN_SIZES = 4
_CONTRADICTORY = "contradictory duplicates"
_ONE_FOLD = (
    "One record came several times, or was copied: keep each group in one fold, or a model is tested on what it knows."
)
_ADVICE = {
    "equal rows": _ONE_FOLD,
    "near-duplicates": _ONE_FOLD,
    "rows in the test set": "A test error that counts them is too low.",
    "identifier column": "A model can learn rows by heart from it: leave it out unless it is a measurement.",
    "telling column": "It may be the label in another form, or have been written after the label was known.",
    "order of rows": "A sorted table is like this: shuffle it before it is cut into folds. If yours is not "
    "sorted, ask who appended rows.",
}


def scan_sentences(record: ScanRecord) -> tuple[str, ...]:
    """Say how many rows look wrong, how many of them by mistake, and what could have stayed undetected."""
    if not record.decided:
        return (*_without_verdict(record), *detector_sentences(record))
    note = "" if record.verdict is None else record.verdict.note.rstrip(".").replace(" %", "\N{NO-BREAK SPACE}%")
    said = [headline(record)]
    if note:
        where = " in the other rows" if record.grouped_rows else ""
        said.append(f"Evidence for wrong labels{where}: {note}.")
    if record.review_rows:
        ranked = f"{_rows(record.review_rows)} {'is' if record.review_rows == 1 else 'are'} ranked for review below"
        said.append(
            f"{ranked if record.listed_rows else 'They are ranked for review below'}: their labels may be right."
        )
    elif not record.listed_rows:
        said.append(
            "Wrong labels where the classes overlap, poison in a few rows, and poison by somebody who knows these "
            "checks could have stayed undetected."
        )
    return (*said, *detector_sentences(record))


def headline(record: ScanRecord) -> str:
    """State the finding of a verdict in one or two sentences."""
    alone, n = record.listed_rows - record.grouped_rows, record.data.n_train
    parts = []
    if alone:
        parts.append(f"{format_count(alone)} of {counted(n, 'row')} {'looks' if alone == 1 else 'look'} mislabelled")
    parts += _groups_in_short(record)
    if not parts and record.review_rows:
        review = format_count(record.review_rows)
        return f"{review} of {counted(n, 'row')} may be mislabelled, and the data cannot say whether they are."
    if not parts:
        return (
            f"None of {counted(n, 'row')} looks mislabelled, and no group of rows shares values that its label does "
            "not explain."
        )
    wrongly = _expected(record)
    if not record.group_count:
        return f"{parts[0]}, {wrongly} wrongly so." if alone > 1 else f"{parts[0]}{wrongly}."
    whole = "; ".join(parts)
    if _unlisted(record):
        if not record.listed_rows:
            return f"{whole}."
        return f"{whole}. Of {counted(record.listed_rows, 'listed row')}, {wrongly} should have nothing wrong."
    return f"{whole}. Of these {counted(record.listed_rows, 'row')}, {wrongly} should have nothing wrong."


def _expected(record: ScanRecord) -> str:
    innocents = record.expected_innocents or 0.0
    if record.listed_rows == 1 and not record.group_count:
        return f", wrongly so with a probability of {format_share(min(innocents, 1.0))}"
    if innocents < 0.5:
        return "fewer than one of them" if not record.group_count else "fewer than one"
    about = f"about {format_count(round(innocents))}"
    return f"{about} of them" if not record.group_count else about


def _groups_in_short(record: ScanRecord) -> list[str]:
    contradictory = [group for group in record.groups if group.kind == _CONTRADICTORY]
    others = [group for group in record.groups if group.kind != _CONTRADICTORY]
    parts = []
    if len(others) == 1:
        (group,) = others
        like = f" and looks like {_rival(record, group)}" if group.looks_like is not None else ""
        parts.append(f"1 group of {counted(group.count, 'row')} {_shares(group)}{like}")
    elif others:
        sizes = [format_count(group.count) for group in others[:_SHOWN_SIZES]]
        more = [f"{len(others) - _SHOWN_SIZES} more"] if len(others) > _SHOWN_SIZES else []
        parts.append(
            f"{counted(len(others), 'group')} of {listed([*sizes, *more])} rows belong together and do not look like "
            "their label"
        )
    if contradictory:
        # Groups beyond those listed are of this kind, which alone can be so many.
        n = len(contradictory) + record.group_count - len(record.groups)
        parts.append(f"{counted(n, 'group')} of rows {'is' if n == 1 else 'are'} equal but for the label")
    return parts


def _unlisted(record: ScanRecord) -> bool:
    """Tell whether there are equal rows of which none is listed, since no label of theirs can be told to be wrong."""
    return any(group.kind == _CONTRADICTORY and group.looks_like is None for group in record.groups)


def _rival(record: ScanRecord, group: Finding) -> str:
    return "the other class" if len(record.data.classes) == 2 else short_name(group.looks_like or "")


def _shares(group: Finding) -> str:
    if group.kind == "near-copies":
        return "is of near-copies"
    if group.kind in ("source", "period"):
        return (
            f"{'comes from' if group.kind == 'source' else 'is of'} {shortened(group.values[group.kind], LONGEST_NAME)}"
        )
    shared = [f"{short_name(column)} = {short_name(value)}" for column, value in group.values.items()]
    shared += [f"“{shortened(group.literal, LONGEST_PREVIEW // 4)}”"] if group.literal else []
    return f"shares {listed(shared)}" if shared else "shares rare values"


def _without_verdict(record: ScanRecord) -> tuple[str, ...]:
    if record.verdict is not None:
        return (f"There is no verdict on the rows: {record.verdict.skipped}.",)
    return () if ran_detectors(record) else ("No detector could use these data: no row was checked.",)


def detector_sentences(record: ScanRecord) -> tuple[str, ...]:
    """Say how many rows detectors flag, how many clean rows they may flag, and which flag more than chance explains."""
    ran = ran_detectors(record)
    if not ran:
        return ()
    thresholded = [found for found in ran.values() if found.false_alarm_rate]
    if not thresholded:
        return ("No detector has a threshold, because its scores do not vary: poison would stay undetected.",)
    by = f"at least one of {counted(len(ran), 'detector')}" if len(ran) > 1 else f"the detector {next(iter(ran))}"
    n = record.flagged_by_any
    trusted = ", by thresholds from trusted rows where these suffice" if record.trusted_rows else ""
    flagged = (
        f"{format_count(n)} of {counted(record.data.n_train, 'row')} {'is' if n == 1 else 'are'} flagged by {by}"
        f"{trusted}. Together they may flag up to {format_share(record.union_false_alarm_rate)} of clean rows."
    )
    beyond = [spoken(name) for name, found in ran.items() if found.exceeded]
    if beyond:
        more = f"more rows than {'its' if len(beyond) == 1 else 'their'} false-alarm rate and chance explain"
        unusual = (
            f"{listed(beyond)} {'flags' if len(beyond) == 1 else 'flag'} {more}: unusual rows, not always wrong ones."
        )
        return flagged, f"{unusual[:1].upper()}{unusual[1:]}"
    if record.decided:
        return (flagged,)
    least = format_share(min(found.smallest_detectable_share for found in thresholded))
    return (
        f"{flagged} That is no more than their rates and chance explain.",
        f"Poison on less than {least} of the rows could have stayed undetected, and so could poison that these "
        "detectors cannot see.",
    )


def fact_sentences(record: ScanRecord) -> tuple[str, ...]:
    """State what was found about the table as a whole, and which rows were not judged."""
    said = [f"{with_rows(record, fact)} {_ADVICE[fact.kind]}" for fact in record.facts]
    if not any(group.kind == _CONTRADICTORY for group in record.groups):
        contradicted = contradiction_sentence(record.source, record.contradicting, record.contradictions)
        said += [f"{contradicted} Common values may explain that, so it accuses no row."] if contradicted else []
    return (*said, *aside_sentences(record.source, record.set_aside))


def with_rows(record: ScanRecord, finding: Finding) -> str:
    """State a finding, and name its rows."""
    if not finding.rows:
        return finding.sentence
    return f"{finding.sentence.rstrip('.')}: {named_rows(record.source, finding.rows, finding.count)}."


def next_step(record: ScanRecord) -> str:
    """Say what to do after a scan."""
    if record.listed_rows:
        removing = f"`{function_name('defend', record.header)}`"
        if record.decided:
            removing += ", which measures the cost on trusted rows or a published test set"
        said = f"Next: look at these rows, correct or remove the wrong ones by hand or with {removing}, and train again"
    elif _unlisted(record):
        said = "Next: look at the rows that are equal but for the label, correct or remove them, and train again"
    elif record.review_rows:
        said = "Next: look at the rows to review as far as time allows"
    elif record.decided:
        audit = f"`{function_name('audit', record.header)}`"
        said = f"Next: nothing has to be done; {audit} bounds the harm of poison that no check sees"
    elif record.verdict is None and any(found.false_alarm_rate for found in ran_detectors(record).values()):
        said = "Next: these detectors point at no row; a scan that names none has a verdict on the rows"
    else:
        return (
            "Next: nothing was decided; mend what is named above, or give rows that you know to be clean as "
            f"{option_name('trusted', record.header)}."
        )
    return f"{said}.{_worth_checking(record)}"


def _worth_checking(record: ScanRecord) -> str:
    if record.trusted_rows:
        return ""
    trusted = option_name("trusted", record.header)
    if record.worth_checking:
        rows = record.source.several(record.worth_checking)
        one = len(record.worth_checking) == 1
        return (
            f" In doubt most {'is' if one else 'are'} {rows}: checked by hand and given as {trusted}, "
            f"{'it' if one else 'they'} would tell most."
        )
    return f" Rows that you know to be clean, given as {trusted}, make the scan sharper."


def evidence_sentence(record: ScanRecord) -> str:
    """State the estimated share of wrong labels with its interval; empty without a verdict."""
    found = record.evidence
    if found is None:
        return ""
    interval = format_interval(found.low, found.high)
    return f"Estimated share of wrong labels: {format_share(found.rate)} (95 % interval {interval})."


def _rows(number: int) -> str:
    return counted(number, "row")


def ran_detectors(record: ScanRecord) -> dict[str, DetectorReport]:
    """Reports of the detectors that ran, by name."""
    return {name: found for name, found in record.detectors.items() if not found.skipped}
