"""An audit in sentences, and as lines for a terminal or a pipe."""

from __future__ import annotations

from toadstone.records.audit import NO_ATTACK, NO_SANITIZER, AuditRecord
from toadstone.report.text.audit_matrix import LargestError, arrange, best_defence, undefended
from toadstone.report.text.formats import (
    bare_percent,
    counted,
    flow,
    format_attack_value,
    format_bound,
    format_count,
    format_fraction,
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

_BUDGET_WORDS = {
    "add": "{rows} added to {clean} clean ones",
    "flip": "the labels of {rows} of {clean} rows",
    "perturb": "{rows} of {clean} rows altered",
}


def audit_lines(record: AuditRecord, width: int | None) -> list[str]:
    """Write the bound, the attack and the best defence, then test errors by defence, then suspicious rows.

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
    return visible_lines([*lines, "", *reading_lines(record.data, width, record.source)])


def headline_sentences(record: AuditRecord) -> tuple[str, ...]:
    """State the bound, the wrong rows that it allows, and the best defence."""
    return (_bound_sentence(record), *_rows_sentences(record), *_defence_sentences(record))


def cautions(record: AuditRecord) -> tuple[tuple[str, str], ...]:
    """State the limits of the headline: (title, text)."""
    point, found = record.headline, [("Not tested", sentence) for sentence in untested(record.data)]
    if not point.conclusive:
        found.append(
            (
                "Not conclusive",
                f"The search stopped before the bound and the attack met: the true worst case lies somewhere between "
                f"{format_attack_value(point.attack_value)} and {format_bound(point.bound)}. The bound holds, but "
                f"the truth may be far below it.",
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


def _bound_sentence(record: AuditRecord) -> str:
    point, threat = record.headline, record.threat
    bound, attack = format_bound(point.bound), format_attack_value(point.attack_value)
    if threat.fraction == 0:
        return f"With no row under an attacker’s control, training loss cannot exceed {bound} per clean row."
    budget = _BUDGET_WORDS[threat.kind].format(rows=format_count(threat.rows), clean=format_count(record.data.n_train))
    return (
        f"With {format_fraction(threat.fraction)} of rows under an attacker’s control ({budget}), training loss "
        f"cannot exceed {bound} per clean row; a concrete attack reaches {attack}."
    )


def _rows_sentences(record: AuditRecord) -> tuple[str, ...]:
    # By Markov's inequality: every wrong row costs at least `wrong_row_loss`.
    share = record.headline.bound / record.defender.wrong_row_loss
    if share >= 1:
        return ()
    return (
        f"A loss of {format_bound(record.headline.bound)} allows at most {format_share_bound(share)} of the clean "
        f"training rows to be classified wrongly.",
    )


def _defence_sentences(record: AuditRecord) -> tuple[str, ...]:
    best, bare = best_defence(record), undefended(record)
    clean = format_share(record.defender.clean_test_error)
    names = {run.attack for run in record.evaluations} - {NO_ATTACK}
    attack = "the attack" if len(names) == 1 else f"the worst of {in_words(len(names))} attacks"
    if best is not None:
        bare_words = f" and {format_share(bare.test_error)} without any defence" if bare else ""
        return (
            f"{_among_defences(record, best)} {attack} leaves a test error of {format_share(best.test_error)}, "
            f"against {clean} on clean data{bare_words}.",
        )
    if bare is not None:
        error = format_share(bare.test_error)
        return (f"Without any defence, {attack} leaves a test error of {error}, against {clean} on clean data.",)
    return ()


def _among_defences(record: AuditRecord, best: LargestError) -> str:
    names = {run.sanitizer for run in record.evaluations} - {NO_SANITIZER}
    shown = listed([shortened(spoken(name), LONGEST_NAME) for name in best.sanitizers], "or")
    if len(names) > 1 and names == set(best.sanitizers):
        return f"After any of {in_words(len(names))} defences, all alike,"
    if len(names) == 1:
        return f"After the one defence tried ({shown}),"
    return f"After the best of {in_words(len(names))} defences ({shown}),"


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
