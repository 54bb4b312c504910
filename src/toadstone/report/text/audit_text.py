"""Results as lines for a terminal or a pipe."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from toadstone.core.certificate import DIGEST_LABEL, Certificate, Ridge
from toadstone.records.attack import AttackRecord
from toadstone.records.audit import NO_ATTACK, NO_SANITIZER, AuditRecord, Removal
from toadstone.records.scan import ScanRecord
from toadstone.report.text.audit_matrix import arrange
from toadstone.report.text.formats import (
    format_attack_value,
    format_bound,
    format_count,
    format_share,
    shortened,
    visible,
)
from toadstone.report.text.wording import (
    LEARNER_WORDS,
    METHOD_TITLES,
    cautions,
    headline_sentences,
    scan_sentences,
    spoken,
    untested,
)

if TYPE_CHECKING:
    from toadstone.datasets.split import Split

SHOWN_REMOVALS = 10
_DIGITS = 5
_LONGEST_NAME = 24


def flow(text: str, width: int | None, *, indent: int = 0) -> str:
    """Break a sentence into lines of a terminal; later lines are indented.

    Parameters
    ----------
    text : str
    width : int or None
        Columns; None leaves one line, as a pipe wants it.
    indent : int
        Of all lines but the first.

    Examples
    --------
    >>> print(flow("- as long as it is broad", 20, indent=2))
    - as long as it is
      broad
    """
    if width is None:
        return text
    lines = textwrap.wrap(
        text, max(width, 20), subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(lines)


def audit_lines(record: AuditRecord, width: int | None) -> list[str]:
    """The findings of an audit: sentences, cautions, and test errors by defence."""
    lines = [flow(sentence, width) for sentence in headline_sentences(record)]
    lines += [flow(f"{title}: {text}", width) for title, text in cautions(record)]
    return [*lines, "", *_matrix_lines(record)]


def attack_lines(record: AttackRecord, width: int | None) -> list[str]:
    """What an attack does: a sentence, the errors by defence, and how it was selected."""
    aimed = record.targets
    header = "Test error, %" if aimed is None else "Error, % of all test rows, then of the targets"
    lines = [flow(_lead(record), width), "", header]
    for cell in record.evaluations:
        title = "no defence" if cell.sanitizer == NO_SANITIZER else spoken(cell.sanitizer)
        error = _percent(cell.test_error)
        removed = "" if cell.sanitizer == NO_SANITIZER else f"   removes {cell.poison_removed} of {cell.poison_rows}"
        share = "" if aimed is None else f"{_percent(aimed.error[cell.sanitizer]):>9}"
        lines.append(f"  {title:<14}{error:>7}{share}{removed}")
    lines += ["", *(flow(sentence, width) for sentence in untested(record.data))]
    lines += [flow(_defender_sentence(record), width)]
    lines += [flow(f"Best of {format_count(record.tried)} tried: {record.candidate}. {record.protocol}", width)]
    if record.split_test is not None:
        lines.append(
            flow(
                f"Selected on one half of the test rows with {format_share(record.split_test.selected)}, it leaves "
                f"{format_share(record.split_test.reported)} on the other.",
                width,
            )
        )
    return lines


def scan_lines(record: ScanRecord, width: int | None) -> list[str]:
    """What each detector flags against what it promised, and the most suspicious rows."""
    lines = [flow(sentence, width) for sentence in scan_sentences(record)]
    widest = max(len(name) for name in record.detectors)
    lines += ["", f"  {'detector':<{widest}}  flagged   share  promise  would notice     time"]
    for name, found in record.detectors.items():
        if found.skipped:
            lines.append(flow(f"  {name:<{widest}}  skipped: {found.skipped}", width, indent=widest + 4))
            continue
        shares = (found.flagged_share, found.false_alarm_rate, found.smallest_detectable_share)
        share, rate, least = (f"{100 * share:.2f} %" for share in shares)
        lines.append(
            f"  {name:<{widest}}{found.flagged:>9}{share:>8}{rate:>9}{least:>14}{found.seconds:>7.1f} s"
            f"{'   more than promised' if found.exceeded else ''}"
        )
    if record.rows:
        lines += ["", "Most suspicious rows"]
    for flagged in record.rows[:SHOWN_REMOVALS]:
        start = f"  row {flagged.row}, {_name(flagged.label)}: "
        lines.append(flow(f"{start}{', '.join(flagged.reasons)}; {visible(flagged.preview)}", width, indent=4))
    return lines


def _lead(record: AttackRecord) -> str:
    rows = f"{format_count(record.poison_rows)} rows ({format_count(record.distinct_rows)} distinct)"
    adds = f"{METHOD_TITLES[record.method]} adds {rows} to {format_count(record.data.n_train)} clean ones."
    if record.targets is None:
        return (
            f"{adds} Whatever defence is chosen, the test error is at least {format_share(record.worst_case)}, against "
            f"{format_share(record.clean_test_error)} on clean data without any."
        )
    aimed = record.targets
    return (
        f"{adds} Whatever defence is chosen, at least {format_share(aimed.worst_case)} of the targets "
        f"({format_count(len(aimed.rows))}) are misclassified, against {format_share(aimed.clean_error)} on clean data "
        f"without any."
    )


def _percent(share: float) -> str:
    return format_share(share).removesuffix("%").rstrip()


def _defender_sentence(record: AttackRecord) -> str:
    words = LEARNER_WORDS.get(record.learner, record.learner)
    return f"The defender trains {words}; ridge {record.ridge:g}, {record.ridge_origin}."


def _matrix_lines(record: AuditRecord) -> list[str]:
    matrix = arrange(record)
    names = ["no attack" if name == NO_ATTACK else _name(name) for name in matrix.attacks]
    lines = ["Test error, %   " + "  ".join(f"{name:>9}" for name in names)]
    for row in matrix.rows:
        title = "no defence" if row.sanitizer == NO_SANITIZER else spoken(row.sanitizer)
        cells = ("-" if cell is None else _percent(cell.evaluation.test_error) for cell in row.cells)
        figures = "  ".join(f"{cell:>{max(9, len(name))}}" for cell, name in zip(cells, names, strict=True))
        lines.append(f"  {title:<14}{figures}{'   best' if row.is_best else ''}")
    return lines


def _name(name: str) -> str:
    return shortened(visible(spoken(name)), _LONGEST_NAME)


def certificate_lines(
    certificates: Sequence[Certificate], conclusive: Sequence[bool], split: Split, origin: str, width: int | None
) -> list[str]:
    """Bounds and attack values of one data set, and what they rest on.

    Parameters
    ----------
    certificates : sequence of Certificate
        Of one setting, one for each fraction.
    conclusive : sequence of bool
        Whether bound and attack met, for each.
    split : Split
        The data.
    origin : str
        How the models were chosen, in plain words.
    width : int or None
        As for `flow`.
    """
    first, train = certificates[0], split.train
    against = " against ".join(shortened(visible(str(label)), _LONGEST_NAME) for label in train.classes)
    size = f"{format_count(len(train))} training rows of {format_count(train.n_features)} features"
    lines = [flow(f"{visible(split.name)}: {size}, {against}", width), ""]
    lines += [f"{'fraction':>10} {'rows':>8} {'attack':>11} {'bound':>11}"]
    for certificate, closed in zip(certificates, conclusive, strict=True):
        attack = format_attack_value(certificate.attack_value, digits=_DIGITS)
        bound = format_bound(certificate.bound, digits=_DIGITS)
        rows = format_count(certificate.budget.count(len(train)))
        note = "" if closed else "   not conclusive"
        lines.append(f"{certificate.budget.fraction:>10.10g} {rows:>8} {attack:>11} {bound:>11}{note}")
    sentences = [
        f"Bound: no allowed attack gets above it. Unit: {first.unit}.",
        "Attack: what a concrete attack reaches. The true worst case lies between the two.",
    ]
    if not all(conclusive):
        sentences.append(
            "Not conclusive: the search stopped before the two met. The bound holds, but the truth may be well below; "
            "features of one scale (--scale standard) or a larger --tolerance may settle it."
        )
    sentences.append(_setting_sentence(first, origin))
    return [
        *lines,
        "",
        *(flow(sentence, width) for sentence in sentences),
        *_listed("Assumed:", first.assumptions, width),
        *_listed("Not promised:", first.not_promised, width),
    ]


def _setting_sentence(certificate: Certificate, origin: str) -> str:
    setting = certificate.setting
    hypothesis = setting.hypothesis
    if isinstance(hypothesis, Ridge):
        models = f"ridge {hypothesis.strength:g}"
    else:
        models = f"squared norm at most {hypothesis.squared_radius:g}"
    filters = " and ".join(setting.sanitizers)
    return f"Setting: {models} ({origin}); filters {filters} at quantile {setting.quantile:g}; domain {setting.domain}."


def _listed(title: str, sentences: Iterable[str], width: int | None) -> list[str]:
    return [title, *(flow(f"  - {sentence}", width, indent=4) for sentence in sentences)]


def verified_sentence(certificate: Certificate) -> str:
    """State what a verified certificate proves."""
    before = certificate.digest_label != DIGEST_LABEL
    written = f" It was written by {certificate.digest_label}, as this project was called before." if before else ""
    return (
        f"Verified: at fraction {certificate.budget.fraction:.10g} no allowed attack gets above "
        f"{format_bound(certificate.bound)} ({certificate.unit}); the stored attack reaches "
        f"{format_attack_value(certificate.attack_value)}.{written}"
    )


def removal_lines(removals: Sequence[Removal], width: int | None) -> list[str]:
    """The first of the removed rows with the reason, and how many more there are."""
    lines = [
        flow(
            f"  row {removal.row}, {shortened(visible(removal.label), _LONGEST_NAME)}: {removal.reason}",
            width,
            indent=4,
        )
        for removal in removals[:SHOWN_REMOVALS]
    ]
    others = len(removals) - len(lines)
    return [*lines, f"  and {format_count(others)} more"] if others else lines
