"""Certificates on real data: bound, proven attack, gap, seconds and memory.

The rows of Enron and MNIST-1-7 repeat the settings of Steinhardt, Koh and
Liang (2017), whose online method took 8000 steps for each fraction; IMDB's
theirs too. Each data set runs in a process of its own for its peak memory.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

from toadstone.core.certificate import NormBall
from toadstone.datasets import load
from toadstone.pipeline.certify import CertifyPlan, certify_split

_SMALL = (0.01, 0.02, 0.03, 0.04, 0.05)
CASES = {
    "enron": (6.0, ("real", "box", "integer"), _SMALL),
    "mnist-1-7": (0.8, ("real",), (0.0, *_SMALL, 0.1, 0.2, 0.3)),
    "imdb": (16.0, ("real",), (0.03,)),
}
_HEAD = "| data | domain | fraction | attack, at least | bound, at most | relative gap | seconds | peak MiB |"


def measure(name: str) -> list[str]:
    """One table row for each domain and fraction of a data set."""
    squared_radius, domains, fractions = CASES[name]
    split = load(name)
    # Compiled code is loaded before anything is timed.
    certify_split(
        split, [0.01], CertifyPlan(quantile=0.7, hypothesis=NormBall(squared_radius), domain="real", tolerance=0.5)
    )
    rows = []
    for domain in domains:
        begin = time.perf_counter()
        certified = certify_split(
            split, fractions, CertifyPlan(quantile=0.7, hypothesis=NormBall(squared_radius), domain=domain)
        )
        total = time.perf_counter() - begin
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        for result in certified.results:
            made = result.certificate
            values = f"{made.attack_value:.6f} | {made.bound:.6f} | {made.relative_gap:.1e} | {result.seconds:.2f}"
            rows.append(f"| {name} | {domain} | {made.budget.fraction:g} | {values} | {peak} |")
        rows.append(f"| {name} | {domain} | all {len(fractions)} | | | | {total:.2f} | {peak} |")
    return rows


def main() -> None:
    """Measure every data set, or the one named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=CASES)
    parser.add_argument("--write", action="store_true", help="also write docs/results/certificates.md")
    chosen = parser.parse_args()
    if chosen.only:
        print("\n".join(measure(chosen.only)))
        return
    lines = [_HEAD, "|" + " --- |" * _HEAD.count(" | ") + " --- |"]
    for name in CASES:
        command = [sys.executable, __file__, "--only", name]
        lines += subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    print("\n".join(lines))
    if chosen.write:
        target = Path(__file__).parents[1] / "docs" / "results" / "certificates.md"
        text = "# Certificates\n\n`python benchmarks/bench_certificates.py --write`, quantile .70, two cores.\n\n"
        target.write_text(text + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
