"""An attack as lines for a terminal or a pipe."""

from __future__ import annotations

from toadstone.records.attack import AttackRecord
from toadstone.records.audit import NO_SANITIZER
from toadstone.report.text.formats import bare_percent, flow, format_count, format_share, visible_lines
from toadstone.report.text.rows_text import reading_lines
from toadstone.report.text.wording import learner_in_words, method_title, spoken, untested


def attack_lines(record: AttackRecord, width: int | None) -> list[str]:
    """Write the attack's worst case, then the errors by defence, then how the attack was selected.

    Parameters
    ----------
    record : AttackRecord
    width : int or None
        Columns of the terminal; None for a pipe.
    """
    lines = [flow(attack_sentence(record), width), "", *_error_lines(record), ""]
    lines += [flow(sentence, width) for sentence in untested(record.data)]
    lines += reading_lines(record.data, width)
    lines.append(
        flow(
            f"The defender trains {learner_in_words(record.learner)}; ridge {record.ridge:g}, {record.ridge_origin}.",
            width,
        )
    )
    tried = f"Best of {format_count(record.tried)} tried: {record.candidate}. {record.protocol}"
    lines.append(flow(tried, width))
    if record.split_test is not None:
        selected, reported = (format_share(error) for error in (record.split_test.selected, record.split_test.reported))
        sentence = f"Selected on one half of the test rows with {selected}, it leaves {reported} on the other."
        lines.append(flow(sentence, width))
    return visible_lines(lines)


def attack_sentence(record: AttackRecord) -> str:
    """Say how many rows an attack adds, and its effect behind the best defence."""
    distinct = f"{format_count(record.poison_rows)} rows ({format_count(record.distinct_rows)} distinct)"
    adds = f"{method_title(record.method)} adds {distinct} to {format_count(record.data.n_train)} clean ones."
    aimed = record.targets
    if aimed is None:
        return (
            f"{adds} Behind the best defence the test error is still {format_share(record.worst_case)}, against "
            f"{format_share(record.clean_test_error)} on clean data without any."
        )
    return (
        f"{adds} Behind the best defence {format_share(aimed.worst_case)} of the targets "
        f"({format_count(len(aimed.rows))}) are still misclassified, against {format_share(aimed.clean_error)} on "
        "clean data without any."
    )


def _error_lines(record: AttackRecord) -> list[str]:
    aimed = record.targets
    lines = ["Test error, %" if aimed is None else "Error, % of all test rows, then of the targets"]
    for cell in record.evaluations:
        bare = cell.sanitizer == NO_SANITIZER
        title = "no defence" if bare else spoken(cell.sanitizer)
        removed = "" if bare else f"   removes {cell.poison_removed} of {cell.poison_rows}"
        targets = "" if aimed is None else f"{bare_percent(aimed.error[cell.sanitizer]):>9}"
        lines.append(f"  {title:<14}{bare_percent(cell.test_error):>7}{targets}{removed}")
    return lines
