"""An inspection as lines for a terminal or a pipe."""

from __future__ import annotations

from toadstone.records.networks.inspection import InspectionRecord, SearchedTrigger, SuspectedLabel
from toadstone.report.text.formats import counted, flow, format_count, format_share, listed, visible_lines
from toadstone.report.text.rows_text import reading_lines

_KINDS = {"patch": "patch", "shift": "added picture"}
_LEAST_SHOWN = 5


def inspection_lines(record: InspectionRecord, width: int | None) -> list[str]:
    """Write which labels are suspected, the evidence, and what to do next.

    Parameters
    ----------
    record : InspectionRecord
    width : int or None
        Columns of the terminal; None for a pipe.
    """
    lines = [flow(headline(record), width)]
    lines += [flow(sentence, width) for suspect in record.suspects for sentence in evidence(suspect)]
    lines += [flow(sentence, width) for sentence in (*treatment(record), next_step(record))]
    lines += ["", "Smallest triggers found, as a share of the median label's in size:"]
    lines += [flow(f"  {line}", width, indent=4) for line in smallest(record)]
    lines += ["", flow(setting(record), width), *reading_lines(record.data, width)]
    lines += ["Not covered:", *(flow(f"  - {sentence}", width, indent=4) for sentence in record.not_promised)]
    return visible_lines(lines)


def headline(record: InspectionRecord) -> str:
    """Answer first: the suspected labels, or that there are none, or why it cannot be told."""
    if record.undecided:
        return f"Undecided: {record.undecided}."
    if not record.suspects:
        return (
            f"No label stands out: no trigger of {format_count(len(record.searches))} is at most "
            f"{format_share(record.limit)} of the median label's in size and followed by held-out images."
        )
    names = listed(record.labels)
    backdoor = "a backdoor is likely" if len(record.labels) == 1 else "backdoors are likely"
    labels = "label" if len(record.labels) == 1 else "labels"
    return f"The network answers {labels} {names} to an unusually small trigger: {backdoor}."


def evidence(suspect: SuspectedLabel) -> list[str]:
    """Say how small the trigger of a label is, who follows it, and what STRIP sees."""
    found = suspect.found
    size, carried = found.share_of_median or 0.0, found.carried or 0.0
    if suspect.flagged_with is None or suspect.flagged_without is None:
        strip = "STRIP was not measured: there are too few trusted images for its false-alarm rate."
    else:
        strip = (
            f"STRIP flags {format_share(suspect.flagged_with)} of the images with it, and "
            f"{format_share(suspect.flagged_without)} of those without."
        )
    return [
        f"{found.label}: a {_KINDS[found.kind]} of {format_share(size)} of the median label's in size; "
        f"{format_share(carried)} of held-out images of other labels follow it.",
        strip,
    ]


def treatment(record: InspectionRecord) -> list[str]:
    """Say what fine-pruning and the repair leave of the triggers."""
    said = []
    if record.pruning is not None:
        left = [suspect.pruned for suspect in record.suspects if suspect.pruned is not None]
        said.append(
            f"Pruning the {counted(record.pruning.pruned, 'least active feature')} of "
            f"{format_count(record.pruning.features)} leaves {format_share(max(left, default=0.0))} of images "
            f"following it, at an accuracy of {format_share(record.pruning.accuracy)} on the images that set how many."
        )
    if record.repair is not None:
        left = [suspect.repaired for suspect in record.suspects if suspect.repaired is not None]
        said.append(
            f"After the repair {format_share(max(left, default=0.0))} follow it, at an accuracy of "
            f"{format_share(record.repair.accuracy_after)} (before {format_share(record.repair.accuracy_before)}), on "
            f"{counted(record.repair.rows, 'image')} that the repair did not train on."
        )
    return said


def next_step(record: InspectionRecord) -> str:
    """Say what to do next."""
    if record.undecided:
        return "Next: give more trusted images, of all labels, or a longer search (--epochs)."
    if not record.suspects:
        return "Next: scan the training images, if you have them; a search for triggers proves nothing."
    if record.repair is None:
        return "Next: look at the picture of the trigger; --repair unlearns it, --out keeps the weights."
    return "Next: use repaired.safetensors only after a test on images of your own; better, train anew on scanned rows."


def smallest(record: InspectionRecord) -> list[str]:
    """List the smallest patches and added pictures."""
    lines = []
    for kind, name in _KINDS.items():
        found = [one for one in record.searches if one.kind == kind and one.size is not None]
        ordered = sorted(found, key=_key)[:_LEAST_SHOWN]
        if ordered:
            shown = ", ".join(f"{one.label} {format_share(_key(one))}" for one in ordered)
            lines.append(f"{name}: {shown}")
    return lines or ["none was found"]


def setting(record: InspectionRecord) -> str:
    """Say which network was looked at, with how many images."""
    return (
        f"Network {record.network}, last layer {record.head}; {counted(record.images, 'trusted image')}, of which it "
        f"classifies {format_share(record.accuracy)} correctly."
    )


def _key(found: SearchedTrigger) -> float:
    return found.share_of_median if found.share_of_median is not None else 1.0
