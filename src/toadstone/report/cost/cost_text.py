"""A cost as lines for a terminal or a pipe."""

from __future__ import annotations

from toadstone.core.certificate import CostCertificate, HarmKind
from toadstone.records.guarantees.cost import CostRecord
from toadstone.report.text.formats import (
    counted,
    flow,
    format_attack_value,
    format_bound,
    format_count,
    format_loss,
    format_share,
    visible_lines,
)
from toadstone.report.text.rows_text import reading_lines

_EXACT = 10
_VERBS = {"add": "added", "flip": "relabelled", "replace": "replaced"}


def cost_lines(record: CostRecord, width: int | None) -> list[str]:
    """Write both numbers of rows, then the attack, the reason, the setting and the assumptions.

    Parameters
    ----------
    record : CostRecord
    width : int or None
        Columns of the terminal; None for a pipe.
    """
    lines = [flow(sentence, width) for sentence in cost_sentences(record)]
    lines += ["", *(flow(sentence, width) for sentence in detail_sentences(record)), ""]
    lines.append(flow(setting_sentence(record), width))
    lines += reading_lines(record.data, width)
    lines += ["Assumed:", *(flow(f"  - {sentence}", width, indent=4) for sentence in record.assumptions)]
    lines += ["Not covered:", *(flow(f"  - {sentence}", width, indent=4) for sentence in record.not_promised)]
    return visible_lines(lines)


def harm_in_words(record: CostRecord) -> str:
    """Name the harm: "an error of 10 % on the clean training rows"."""
    if record.error is not None:
        return _harm("error", record.error)
    return _harm("loss", record.loss or 0.0)


def verified_cost_sentence(certificate: CostCertificate, n_train: int, *, bound: float, floor: float) -> str:
    """State what a verified certificate proves, with its bound and floor as recomputed from the data."""
    rows, verb = format_count(certificate.rows), _VERBS[certificate.below.budget.kind]
    return (
        f"Verified: fewer than {rows} {verb} rows ({format_share(certificate.rows / n_train)} of "
        f"{format_count(n_train)}) cannot reach {_harm(certificate.harm, certificate.wanted)}. Recomputed from the "
        f"data, no allowed attack of one row less brings the objective on the clean rows above "
        f"{format_bound(bound, digits=_EXACT)}, and no model that does the harm has one below "
        f"{format_attack_value(floor, digits=_EXACT)}."
    )


def _harm(kind: HarmKind, wanted: float) -> str:
    if kind == "error":
        return f"an error of {format_share(wanted)} on the clean training rows"
    return f"a mean hinge loss of {format_loss(wanted)} on the clean training rows"


def cost_sentences(record: CostRecord) -> list[str]:
    """Say which number of rows cannot do the harm, and which can."""
    harm, verb = harm_in_words(record), _VERBS[record.kind]
    if record.exceeded:
        return [f"No row is needed: training without poison reaches {harm} already ({_clean(record)})."]
    return [_certified_sentence(record, harm, verb), _found_sentence(record, harm, verb)]


def _certified_sentence(record: CostRecord, harm: str, verb: str) -> str:
    if record.certified.rows <= 1:
        return f"Certified: it takes at least one {verb} row to reach {harm}; nothing more is certified, see below."
    share = format_share(record.certified.rows / record.data.n_train)
    return (
        f"Certified: fewer than {format_count(record.certified.rows)} {verb} rows ({share} of "
        f"{format_count(record.data.n_train)}) cannot reach {harm}."
    )


def _found_sentence(record: CostRecord, harm: str, verb: str) -> str:
    found = record.found
    most = format_count(record.most_rows)
    if found is None:
        if record.certified_rows > record.most_rows:
            return f"No attack was tried: the certificate rules out up to {most} rows, which are the most to try."
        return "No attack could be made: no row fits its conditions."
    if not found.done:
        return (
            f"No attack found reaches it with up to {most} {verb} rows: the strongest reaches an error of "
            f"{format_share(found.error)} with {format_count(found.rows)} ({found.name})."
        )
    # That it takes a row is no number to compare with.
    compared = record.ratio is not None and record.certified.rows > 1
    ratio = f", {record.ratio:.3g} times the certified number" if compared else ""
    return (
        f"Found: {counted(found.rows, 'row')} {verb} reach it "
        f"({format_share(found.rows / record.data.n_train)} of the training rows{ratio})."
    )


def detail_sentences(record: CostRecord) -> list[str]:
    """Say what the attack does, why the data are vulnerable, and what the certificate rests on."""
    sentences = []
    found = record.found
    if found is not None and found.done:
        loss = "" if found.loss is None else f", the mean hinge loss {format_loss(found.loss)}"
        sentences.append(
            f"After the attack ({found.name}; best of {format_count(record.tried)} tried) the error is "
            f"{format_share(found.error)} on the clean training rows{loss}, and {format_share(found.test_error)} on "
            f"the test rows, where training without poison has {format_share(record.clean_test_error)}."
        )
    if not record.exceeded:
        bound, floor = record.certified.bound, format_attack_value(record.certified.floor)
        numbers = "" if bound is None else f" ({format_bound(bound)} against {floor})"
        sentences.append(f"Certificate: {record.certified.reason.rstrip('.')}{numbers}.")
    return [*sentences, vulnerability_sentence(record)]


def vulnerability_sentence(record: CostRecord) -> str:
    """Say how easy the data are to poison: distance of the classes against their spread and the reach of poison."""
    found = record.vulnerability
    share = format_share(found.share_of_width)
    if found.separability is None or found.width is None:
        return f"Along the clean model the class means are {share} of the width of the feasible rows apart."
    return (
        f"Along the clean model the class means are {found.separability:.3g} standard deviations apart, and feasible "
        f"rows spread over {found.width:.3g}: the classes differ by {share} of what poison can reach. The farther "
        "apart the classes and the less room for poison, the more rows it takes."
    )


def setting_sentence(record: CostRecord) -> str:
    """Say the target, the defender and the filters."""
    origin = "" if record.target_origin == "as asked" else f" The target is {record.target_origin}."
    filters = "" if record.kind == "flip" else f"; filters l2 and slab at quantile {record.quantile:g}"
    return (
        f"Training without poison has {_clean(record)}.{origin} The defender trains a linear model with the hinge "
        f"loss; ridge {record.ridge:g} ({record.ridge_origin}){filters}."
    )


def _clean(record: CostRecord) -> str:
    return f"an error of {format_share(record.clean_error)} and a mean hinge loss of {format_loss(record.clean_loss)}"
