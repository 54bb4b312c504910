"""Attacks of malicious clients against rules on five federations: what each rule loses, and which trigger works.

Each federation is measured by itself (`--measure NAME`) and kept in a folder,
so that the table can be made of what was measured in several goes (`--write`).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from timing import RESULTS, table

import toadstone
from toadstone.records.federated import FederatedCell, FederatedRecord
from toadstone.report.text.formats import format_share

RULES = ("median", "trimmed-mean", "krum", "geometric-median", "nnm+trimmed-mean", "nnm+geometric-median")
ATTACKS = ("sign-flip", "alie", "ipm", "mimic", "min-max", "model-replacement")
SHARES = ("1%", "5%", "10%", "20%")
_STRONG = ("alie", "ipm", "min-max", "model-replacement")


@dataclass(frozen=True)
class Federation:
    """Data, and the options of `toadstone.federate`."""

    data: str
    title: str
    options: dict[str, Any]


_ALL = {"clients": 100, "malicious": SHARES, "attacks": ATTACKS, "rules": RULES}
FEDERATIONS = {
    "mnist": Federation(
        "mnist",
        "MNIST, softmax regression, Dirichlet .1",
        {**_ALL, "attacks": ("sign-flip", *_STRONG), "rules": (*RULES[:2], *RULES[3:5])},
    ),
    "adult": Federation("adult", "Adult by occupation", {**_ALL, "group": "occupation"}),
    "pneumonia": Federation("pneumonia-hospitals", "PneumoniaMNIST by hospital", {**_ALL, "group": "hospital"}),
    "mnist-cnn": Federation(
        "mnist",
        "MNIST, small network, Dirichlet .1",
        {
            "clients": 20,
            "malicious": SHARES[2:],
            "attacks": ("ipm", "model-replacement"),
            "rules": ("trimmed-mean", "nnm+trimmed-mean"),
            "model": "cnn",
            "rows": 5000,
        },
    ),
    "mnist-adaptive": Federation(
        "mnist",
        "MNIST, softmax regression, attackers who try their strength on the rule",
        {
            "clients": 50,
            "malicious": SHARES[2:],
            "attacks": ("adaptive-ipm", "adaptive-min-max"),
            "rules": ("trimmed-mean", "nnm+trimmed-mean"),
        },
    ),
}


def measure(name: str, folder: Path, workers: int) -> None:
    """Run one federation, or what is missing of it, and keep its record."""
    chosen = FEDERATIONS[name]
    out = folder / name
    toadstone.federate(chosen.data, out=out, workers=workers, **chosen.options).save(out)


def write(folder: Path, to: Path) -> None:
    """Make the page of all federations that were measured."""
    lines = [
        "# Malicious clients against rules",
        "",
        "By `python benchmarks/federated_matrix.py --measure NAME` and `--write`. Percentage points of test accuracy",
        "that a rule loses against the mean without an attack, under the attack (in brackets) that costs it most, with",
        "Student's 95 % interval over three seeds. Below, how often a trigger works: pooled over the seeds, with",
        "Wilson's interval.",
    ]
    for name, federation in FEDERATIONS.items():
        if not (folder / name / "record.json").exists():
            continue
        record = FederatedRecord.from_json((folder / name / "record.json").read_text(encoding="utf-8"))
        lines += ["", f"## {federation.title}", "", *_setting(record), "", _losses(record), "", _triggers(record)]
    to.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


def _setting(record: FederatedRecord) -> list[str]:
    attacks = ", ".join(info.name for info in record.attacked_by)
    return [
        f"{record.clients} clients with {record.smallest_client} to {record.largest_client} of {record.rows:,} rows;",
        f"{record.test_rows:,} test rows; {record.model};",
        f"{record.rounds} rounds, momentum {record.momentum:g}. {record.split_words}",
        f"Attacks: {attacks}.",
    ]


def _losses(record: FederatedRecord) -> str:
    rows = []
    for info in record.rules:
        cells = [record.worst_cell(info.name, malicious) for malicious in record.malicious]
        rows.append([f"`{info.name}`", *(_loss(cell) for cell in cells)])
    clean = [record.unattacked(malicious) for malicious in record.malicious]
    rows.append(["accuracy of the mean, no attack", *("-" if cell is None else _accuracy(cell) for cell in clean)])
    return table(["rule", *(f"{malicious} malicious" for malicious in record.malicious)], rows)


def _loss(cell: FederatedCell | None) -> str:
    if cell is None or cell.lost is None:
        return "-"
    lost = cell.lost
    interval = "" if lost.low is None else f" ({100 * lost.low:.1f} to {100 * lost.high:.1f})"
    return f"{100 * lost.mean:.1f}{interval} [{cell.attack}]"


def _accuracy(cell: FederatedCell) -> str:
    assert cell.accuracy is not None
    return format_share(cell.accuracy.mean)


def _triggers(record: FederatedRecord) -> str:
    with_trigger = [info.name for info in record.attacked_by if info.goal == "trigger"]
    rows = []
    for attack in with_trigger:
        for info in record.rules:
            found = [record.cell(attack, info.name, malicious) for malicious in record.malicious]
            rows.append([attack, f"`{info.name}`", *(_success(cell) for cell in found)])
    if not rows:
        return ""
    by_itself = [record.cell(record.no_attack, record.mean, malicious) for malicious in record.malicious]
    rows.append(["no attack", f"`{record.mean}`", *(_success(cell) for cell in by_itself)])
    return table(["trigger by", "rule", *(f"{malicious} malicious" for malicious in record.malicious)], rows)


def _success(cell: FederatedCell | None) -> str:
    if cell is None or cell.success is None:
        return "-"
    found = cell.success
    return f"{100 * found.share:.1f} ({100 * found.low:.1f} to {100 * found.high:.1f}) %"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", choices=tuple(FEDERATIONS), nargs="*", default=[])
    parser.add_argument("--folder", type=Path, default=Path("build/federations"))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    for one in given.measure:
        measure(one, given.folder, given.workers)
    if given.write:
        write(given.folder, RESULTS / "federated.md")
