"""An audit in sentences, and as lines for a terminal or a pipe."""

from __future__ import annotations

from toadstone.records.audit import NO_ATTACK, NO_SANITIZER, AuditRecord, Bound, CostPoint, Evaluation
from toadstone.report.text.audit_matrix import Standing, arrange, stand
from toadstone.report.text.formats import (
    bare_percent,
    counted,
    flow,
    format_attack_value,
    format_bound,
    format_count,
    format_fraction,
    format_interval,
    format_share,
    format_share_bound,
    listed,
    shortened,
    visible_lines,
)
from toadstone.report.text.rows_text import reading_lines
from toadstone.report.text.wording import (
    LONGEST_NAME,
    LONGEST_PREVIEW,
    SHOWN_ROWS,
    in_words,
    short_name,
    spoken,
    untested,
)

VERDICT = "verdict"
"""Name of the verdict among the defences."""

LINEAR = ("linear classifier", "crammer-singer")
"""Models that an audit trains where the user names none."""

_BUDGET_WORDS = {
    "add": "{rows} added to {clean} clean ones",
    "flip": "the labels of {rows} of {clean} rows",
    "perturb": "{rows} of {clean} rows altered",
}


def audit_lines(record: AuditRecord, width: int | None) -> list[str]:
    """Write the bound, the attack and the best defence, then test errors by defence, then rows, then what to do next.

    Parameters
    ----------
    record : AuditRecord
    width : int or None
        Columns of the terminal; None for a pipe.
    """
    lines = [flow(sentence, width) for sentence in headline_sentences(record)]
    lines += [flow(f"{title}: {text}", width) for title, text in cautions(record)]
    lines += ["", *_matrix_lines(record)]
    if record.suspects:
        lines += ["", *_suspect_lines(record, width)]
    lines += ["", "Next", *(flow(f"  {sentence}", width, indent=4) for sentence in next_sentences(record))]
    return visible_lines([*lines, "", *reading_lines(record.data, width, record.source)])


def headline_sentences(record: AuditRecord) -> tuple[str, ...]:
    """State the bound and the wrong rows that it allows, or why there is none, and which defence leaves least."""
    point = record.headline
    bound = (record.no_certificate,) if point is None else (_bound_sentence(record, point), *_rows(record, point))
    bound = (*bound, *(_cost_sentence(record, cost) for cost in record.cost[:1]))
    return (*bound, *_defence_sentences(record))


def cautions(record: AuditRecord) -> tuple[tuple[str, str], ...]:
    """State the limits of the headline: (title, text)."""
    point, found = record.headline, [("Not tested", sentence) for sentence in untested(record.data)]
    if point is None:
        return tuple(found)
    if not point.conclusive:
        found.append(
            (
                "Not conclusive",
                f"The search stopped before the bound and the attack met: the true worst case lies somewhere between "
                f"{format_attack_value(point.attack_value)} and {format_bound(point.bound)}. The bound holds, but "
                f"the truth may be far below it.",
            )
        )
    if record.defender.learner not in LINEAR:
        found.append(
            (
                "The bound is not for your model",
                f"It holds for linear models; the test errors are those of {spoken(record.defender.learner)}, and "
                "attacks aim at a linear one.",
            )
        )
    if point.bound >= record.defender.wrong_row_loss:
        found.append(
            (
                "The bound rules nothing out",
                f"A row classified wrongly costs a {spoken(record.defender.loss)} loss of at least "
                f"{record.defender.wrong_row_loss:.3g}. A mean loss of {format_bound(point.bound)} "
                f"therefore allows every row to be wrong.",
            )
        )
    return tuple(found)


def _bound_sentence(record: AuditRecord, point: Bound) -> str:
    threat = record.threat
    bound, attack = format_bound(point.bound), format_attack_value(point.attack_value)
    if threat.fraction == 0:
        return f"With no row under an attacker’s control, training loss cannot exceed {bound} per clean row."
    budget = _BUDGET_WORDS[threat.kind].format(rows=format_count(threat.rows), clean=format_count(record.data.n_train))
    return (
        f"With {format_fraction(threat.fraction)} of rows under an attacker’s control ({budget}), training loss "
        f"cannot exceed {bound} per clean row; a concrete attack reaches {attack}."
    )


def _rows(record: AuditRecord, point: Bound) -> tuple[str, ...]:
    # By Markov's inequality: every wrong row costs at least `wrong_row_loss`.
    share = point.bound / record.defender.wrong_row_loss
    if share >= 1:
        return ()
    return (
        f"A loss of {format_bound(point.bound)} allows at most {format_share_bound(share)} of the clean "
        f"training rows to be classified wrongly.",
    )


def _cost_sentence(record: AuditRecord, point: CostPoint) -> str:
    """State how many rows it takes to raise the error on the clean rows by a little."""
    error = f"raise the error of a linear model on the clean training rows to {format_share(point.error)}"
    found = None if point.attack_rows is None else format_count(point.attack_rows)
    if point.certified_rows > 1:
        suffice = "no attack tried here can" if found is None else f"{found} can"
        return f"Fewer than {format_count(point.certified_rows)} added rows cannot {error}; {suffice}."
    suffice = "No attack tried here can" if found is None else f"{found} added rows can"
    return f"{suffice} {error}; it is certified to take one row, not more."


def _defence_sentences(record: AuditRecord) -> tuple[str, ...]:
    standing = stand(record)
    if standing is None:
        return ()
    clean = f"{format_share(record.defender.clean_test_error)} on clean data"
    tried = len({run.sanitizer for run in record.evaluations} - {NO_SANITIZER})
    attack = _attack_words(record)
    if not tried:
        return (
            f"Without any defence, {attack} leaves a test error of {_error(standing.worst_cell)}, against {clean}.",
        )
    if standing.none_is_best:
        return (
            f"No defence leaves less than none: without any, {attack} leaves a test error of "
            f"{_error(standing.worst_cell)}, against {clean}.",
            *_best_of_the_filters(record, standing),
        )
    bare = "" if standing.bare is None else f" and {_error(standing.bare)} without any defence"
    first = (
        f"{_among_defences(record, standing.best, tried)} {attack} leaves a test error of "
        f"{_error(standing.worst_cell)}, against {clean}{bare}."
    )
    return (first, *_ties(record, standing))


def _best_of_the_filters(record: AuditRecord, standing: Standing) -> tuple[str, ...]:
    """Name the best of the defences where none at all is as good or better."""
    others = [name for name in standing.best if name != NO_SANITIZER]
    if others:
        return (f"{_listed(others)[:1].upper()}{_listed(others)[1:]} {_leave(others)} the same.",)
    found = standing.defended
    if found is None:
        return ()
    near = "; their intervals overlap" if found.sanitizer in standing.alike else ""
    return (f"The best of the defences, {spoken(found.sanitizer)}, leaves {_error(found)}{near}.",)


def _ties(record: AuditRecord, standing: Standing) -> tuple[str, ...]:
    """Say what the test rows do not tell apart from the best defence."""
    if NO_SANITIZER in standing.alike:
        return (
            f"The interval overlaps that of no defence: {counted(record.data.n_test, 'test row')} do not tell whether "
            "any of them helps.",
        )
    if standing.alike:
        names = list(standing.alike)
        return (f"{_listed(names)[:1].upper()}{_listed(names)[1:]} {_leave(names)} as little within the intervals.",)
    return ()


def _attack_words(record: AuditRecord) -> str:
    names = {run.attack for run in record.evaluations} - {NO_ATTACK}
    return "the attack" if len(names) == 1 else f"the worst of {in_words(len(names))} attacks"


def _among_defences(record: AuditRecord, best: tuple[str, ...], tried: int) -> str:
    shown = listed([shortened(spoken(name), LONGEST_NAME) for name in best], "or")
    if tried > 1 and tried == len(best):
        return f"After any of {in_words(tried)} defences, all alike,"
    if tried == 1:
        return f"After the one defence tried ({shown}),"
    return f"After the best of {in_words(tried)} defences ({shown}),"


def _listed(names: list[str]) -> str:
    return listed([shortened(spoken(name), LONGEST_NAME) for name in names])


def _leave(names: list[str]) -> str:
    return "leaves" if len(names) == 1 else "leave"


def _error(cell: Evaluation) -> str:
    return f"{format_share(cell.test_error)} ({format_interval(cell.low, cell.high)})"


def next_sentences(record: AuditRecord) -> tuple[str, ...]:
    """Say what to do next."""
    standing, found = stand(record), []
    if standing is not None:
        found.append(_choice(standing))
    listed_rows = next(
        (run.clean_removed for run in record.evaluations if (run.attack, run.sanitizer) == (NO_ATTACK, VERDICT)), 0
    )
    if listed_rows:
        found.append(f"The verdict lists {counted(listed_rows, 'training row')} of these data: see toadstone scan.")
    if record.curve and record.threat.rows:
        found.append("poison.npz holds the rows of the certificate’s attack: try them on your own pipeline.")
    if record.defender.learner in LINEAR:
        found.append("--model MODULE:NAME has your own model trained and tested instead of a linear one.")
    return tuple(found)


def _choice(standing: Standing) -> str:
    if standing.helps:
        if VERDICT in standing.best:
            return "Train on what toadstone defend keeps: the verdict surely leaves less than no defence does."
        name = standing.best[0]
        return f"Train behind {spoken(name)}, which surely leaves less than none: toadstone sanitize --method {name}."
    if standing.bare is None or standing.defended is None:
        return "Try defences too (--defences), to know whether any of them helps."
    return (
        "Do not count on a filter here: none of those tried surely leaves less than no defence. Trusted rows for "
        "toadstone defend, or more test rows for this audit, would tell more."
    )


def _matrix_lines(record: AuditRecord) -> list[str]:
    matrix = arrange(record)
    names = ["no attack" if name == NO_ATTACK else short_name(spoken(name)) for name in matrix.attacks]
    lines = ["Test error, %   " + "  ".join(f"{name:>9}" for name in names)]
    for row in matrix.rows:
        title = "no defence" if row.sanitizer == NO_SANITIZER else short_name(spoken(row.sanitizer))
        cells = ("-" if cell is None else bare_percent(cell.evaluation.test_error) for cell in row.cells)
        figures = "  ".join(f"{cell:>{max(9, len(name))}}" for cell, name in zip(cells, names, strict=True))
        lines.append(f"  {title:<14}{figures}{'   best' if row.is_best else ''}")
    return lines


def rankers(record: AuditRecord) -> tuple[str, ...]:
    """Name the sanitizers that rank suspicious rows, in order."""
    return tuple(dict.fromkeys(name for suspect in record.suspects for name in suspect.ranks))


def _suspect_lines(record: AuditRecord, width: int | None) -> list[str]:
    defences = len(rankers(record))
    lines = ["Most suspicious training rows"]
    for suspect in record.suspects[:SHOWN_ROWS]:
        removed = f"removed by {len(suspect.removed_by)} of {counted(defences, 'defence')}"
        preview = shortened(suspect.preview, LONGEST_PREVIEW)
        head = f"  {record.source.full(suspect.row)}, {short_name(suspect.label)}: {removed}; {preview}"
        lines.append(flow(head, width, indent=4))
    others = len(record.suspects) - SHOWN_ROWS
    return [*lines, f"  and {format_count(others)} more"] if others > 0 else lines
