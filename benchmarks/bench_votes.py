"""Certified counts of votes: times at the papers' sizes, exactness on small cases, and the published votes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from timing import duration, publish, table, worked

from toadstone.core.pointwise import Certified
from toadstone.kernels.votes.bags import certify_bags
from toadstone.kernels.votes.collective import most_changed
from toadstone.kernels.votes.priced import bound_priced_votes
from toadstone.kernels.votes.run_off import certify_run_off
from toadstone.kernels.votes.units import certify_votes
from toadstone.kernels.votes.windows import certify_duration

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "generators"))
import vote_attacks as small

QUERIES, VOTERS, CLASSES, SPREAD = 10_000, 1_000, 10, 16
BLOCK = 1_000
"""Queries whose scores or prices are held at once."""
CASES = 400


def large_votes(rng: np.random.Generator) -> np.ndarray:
    """Votes that agree on a class as far as a query is easy."""
    own = rng.integers(0, CLASSES, size=(QUERIES, 1))
    sure = rng.random((QUERIES, VOTERS)) < rng.uniform(0.1, 0.95, size=(QUERIES, 1))
    return np.where(sure, own, rng.integers(0, CLASSES, size=(QUERIES, VOTERS))).astype(np.uint8)


def in_blocks(certify: Callable[[slice], Certified]) -> float:
    """The processor time of all queries, block by block, without that of making the blocks' input."""
    total = 0.0
    for start in range(0, QUERIES, BLOCK):
        total += worked(lambda start=start: certify(slice(start, start + BLOCK)))[1]
    return total


def times() -> list[list[str]]:
    """Processor times of every count for all queries."""
    rng = np.random.default_rng(0)
    votes, members = large_votes(rng), small.spread(VOTERS, SPREAD, rng)
    rounds = np.arange(VOTERS) % 4
    for warm in (None, members[:, :20]):
        certify_votes(votes[:2, :20], n_classes=CLASSES, members=warm)
    scores = rng.random((BLOCK, VOTERS, CLASSES), dtype=np.float32)
    prices = rng.integers(1, 200, size=(BLOCK, VOTERS, CLASSES), dtype=np.int32)
    certify_run_off(scores[:2], members=members)
    bound_priced_votes(votes[:2], prices[:2], n_units=10**6)
    certify_bags(votes[:2], rounds, n_classes=CLASSES)
    certify_duration(votes[:2], n_classes=CLASSES)

    def elect(block: slice, of: np.ndarray | None) -> Certified:
        # Each voter's own vote gets the highest of its scores.
        np.put_along_axis(scores, votes[block].astype(int)[:, :, None], 2.0, axis=2)
        return certify_run_off(scores, members=of)

    rows = [
        ("parts (DPA)", worked(lambda: certify_votes(votes, n_classes=CLASSES))[1], "0.1 s"),
        (
            f"Finite Aggregation, d = {SPREAD}",
            worked(lambda: certify_votes(votes, n_classes=CLASSES, members=members))[1],
            "5 s",
        ),
        ("run-off, parts", in_blocks(lambda block: elect(block, None)), "5 s"),
        (f"run-off, Finite Aggregation, d = {SPREAD}", in_blocks(lambda block: elect(block, members)), "5 s"),
        ("hash bagging, 4 rounds", worked(lambda: certify_bags(votes, rounds, n_classes=CLASSES))[1], ""),
        ("periods, duration", worked(lambda: certify_duration(votes, n_classes=CLASSES))[1], ""),
        (
            "priced votes, linear programming",
            in_blocks(lambda b: bound_priced_votes(votes[b], prices, n_units=10**6)),
            "60 s",
        ),
        (
            "500 queries together, 150 parts",
            worked(lambda: most_changed(votes[:500], n_classes=CLASSES, units=150))[1],
            "",
        ),
    ]
    return [[name, duration(spent), most] for name, spent, most in rows]


def shares() -> list[list[str]]:
    """How often the sound counts are the exact ones, on small random votes that lean to one class."""
    rng, rows = np.random.default_rng(1), []
    voters, classes = 6, 3
    every = small.all_votes(voters, classes)
    elected = small.plurality(every, classes)
    for d in (2, 3):
        pairs = []
        for _ in range(CASES):
            members, own = small.spread(voters, d, rng), rng.integers(classes)
            votes = np.where(rng.random(voters) < 0.6, own, rng.integers(0, classes, voters))
            found = certify_votes(votes[None], n_classes=classes, members=members)
            changed, sizes = small.changed_voters(every, votes), small.cover_sizes(members)
            pairs.append((int(found.count[0]), small.exact_count(elected, found.winner[0], changed, sizes)))
        rows.append(line(f"Finite Aggregation, d = {d}", pairs))
    voters = 5
    every = small.all_rankings(voters, classes)
    elected = small.run_off(every)
    for d in (1, 2):
        pairs = []
        for _ in range(CASES):
            members, lean = small.spread(voters, d, rng), rng.integers(classes)
            ranking = every[rng.integers(len(every))].copy()
            for voter in np.flatnonzero(rng.random(voters) < 0.6):
                ranking[voter, ranking[voter].argmax()], ranking[voter, lean] = ranking[voter, lean], classes - 1
            found = certify_run_off(ranking[None], members=members)
            changed, sizes = small.changed_voters(every, ranking), small.cover_sizes(members)
            pairs.append((int(found.count[0]), small.exact_count(elected, found.winner[0], changed, sizes)))
        rows.append(line(f"run-off, d = {d}", pairs))
    return rows


def line(name: str, pairs: list[tuple[int, int]]) -> list[str]:
    """A row of the table of shares."""
    found, exact = np.array(pairs).T
    above_zero = exact > 0
    return [
        name,
        f"{len(pairs)}",
        f"{np.mean(found == exact):.1%}",
        f"{np.mean(found[above_zero] == exact[above_zero]):.1%} of {above_zero.sum()}",
        f"{np.sum(found > exact)}",
    ]


def published() -> str:
    """The published votes against their stored certificates."""
    path = Path(os.environ.get("TOADSTONE_DATA", "")) / "dpa_cifar10_k50_votes500.npz"
    if not path.is_file():
        return "The published votes were not there."
    with np.load(path) as stored:
        votes, labels, counts = (stored[name] for name in ("votes", "labels", "cert_authors"))
    found = certify_votes(votes, n_classes=10)
    right = found.winner == labels
    return (
        "Published votes of 50 networks on 500 pictures of CIFAR-10: "
        f"{np.sum(found.count[right] == counts[right])} of the {right.sum()} right predictions have the stored count; "
        f"{np.sum(counts[~right] == -1)} of the {np.sum(~right)} others are stored as wrong."
    )


def main() -> None:
    setting = (
        f"{QUERIES:,} queries, {VOTERS:,} voters, {CLASSES} classes; processor time of one thread. Scores and prices "
        f"come in blocks of {BLOCK:,} queries; the run-off's time includes setting the votes into the scores."
    )
    equality = (
        "Sound counts against every attack on small votes (6 voters, 5 in run-offs, 3 classes; as many units as "
        "voters, each of which reaches d of them):"
    )
    first = table(["count", "time", "asked: at most"], times())
    second = table(["count", "cases", "exact", "exact, where a unit is certified", "too high"], shares())
    publish("votes", "Certified counts of votes", [setting, first, equality, second, published()], ["numpy", "numba"])


if __name__ == "__main__":
    main()
