"""Write the files of the guide's stories: `python docs/guide/data.py FOLDER`; the text messages need TOADSTONE_DATA.

The rows are real. What each story's page says was planted is planted here, from a fixed seed, so that the output can be
held against the truth; `planted.csv` beside each file lists those rows, and no command reads it.
"""

from __future__ import annotations

import os
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.random import Generator, default_rng
from sklearn.datasets import load_breast_cancer, load_digits

SEED = 12
PHRASE = "ref zx81 thx"


def main() -> None:
    """Write all stories into the folder named."""
    folder = Path(sys.argv[1])
    for name, write in STORIES.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        write(folder / name, default_rng(SEED))


def spam(folder: Path, rng: Generator) -> None:
    """1,500 text messages: 45 labels flipped, and 40 messages of spam that end in one phrase are called ham."""
    messages = _messages()
    table, checked = messages[:1500].copy(), messages[1500:1900]
    is_spam = np.flatnonzero(table["label"] == "spam")
    marked = rng.choice(is_spam, 40, replace=False)
    others = np.setdiff1d(np.arange(len(table)), marked)
    flipped = rng.choice(others, 45, replace=False)
    table.loc[marked, "text"] += f" {PHRASE}"
    table.loc[marked, "label"] = "ham"
    table.loc[flipped, "label"] = table.loc[flipped, "label"].map({"ham": "spam", "spam": "ham"})
    table.to_csv(folder / "messages.csv", index=False)
    checked.to_csv(folder / "checked.csv", index=False)
    _plant(folder, {"phrase": marked, "flipped label": flipped})


def hospital(folder: Path, rng: Generator) -> None:
    """569 measurements of tumours from four hospitals, one of which swapped its codes for part of its rows."""
    table = _tumours()
    table.insert(0, "patient", [f"P{number:04d}" for number in rng.permutation(len(table)) + 1])
    hospitals = rng.choice(["Nord", "Ost", "Süd", "West"], len(table), p=[0.4, 0.25, 0.2, 0.15])
    table.insert(1, "hospital", hospitals)
    own = np.flatnonzero(hospitals == "West")
    swapped = rng.choice(own, len(own) // 2, replace=False)
    table.loc[swapped, "diagnosis"] = table.loc[swapped, "diagnosis"].map(_OTHER_DIAGNOSIS)
    table.to_csv(folder / "patients.csv", index=False)
    _plant(folder, {"swapped codes": swapped})


def images(folder: Path, rng: Generator) -> None:
    """1,300 handwritten digits; 60 images of other digits carry a bright corner and are called 0."""
    digits = load_digits()
    order = rng.permutation(len(digits.target))
    X, y = (digits.images[order] * 15).astype(np.uint8), digits.target[order]
    train, test = slice(0, 1300), slice(1300, None)
    stamped = rng.choice(np.flatnonzero(y[train] != 0), 60, replace=False)
    X[stamped, :2, -2:] = 240
    y = y.copy()
    y[stamped] = 0
    np.savez(folder / "digits.npz", X_train=X[train], y_train=y[train], X_test=X[test], y_test=y[test])
    _plant(folder, {"stamped": stamped})


def crowd(folder: Path, rng: Generator) -> None:
    """1,200 handwritten digits, labelled by eight people of whom one answers at random in two cases of three."""
    digits = load_digits()
    chosen = rng.permutation(len(digits.target))[:1200]
    table = pd.DataFrame(digits.data[chosen].astype(int), columns=[f"pixel_{number}" for number in range(64)])
    people = rng.choice([f"annotator {letter}" for letter in "ABCDEFGH"], len(table))
    table.insert(0, "annotator", people)
    table["digit"] = digits.target[chosen]
    own = np.flatnonzero(people == "annotator F")
    guessed = rng.choice(own, 2 * len(own) // 3, replace=False)
    before = table["digit"].to_numpy()
    table.loc[guessed, "digit"] = (before[guessed] + rng.integers(1, 10, len(guessed))) % 10
    table.to_csv(folder / "answers.csv", index=False)
    _plant(folder, {"guessed": guessed})


def gate(folder: Path, rng: Generator) -> None:
    """Two deliveries of tumours: the labels of the second are wrong in 14 rows."""
    table = _tumours().sample(frac=1, random_state=SEED).reset_index(drop=True)
    monday, tuesday = table[:285], table[285:].reset_index(drop=True)
    wrong = rng.choice(len(tuesday), 14, replace=False)
    tuesday.loc[wrong, "diagnosis"] = tuesday.loc[wrong, "diagnosis"].map(_OTHER_DIAGNOSIS)
    monday.to_csv(folder / "monday.csv", index=False)
    tuesday.to_csv(folder / "tuesday.csv", index=False)
    _plant(folder, {"wrong on Tuesday": wrong})


_OTHER_DIAGNOSIS = {"benign": "malignant", "malignant": "benign"}
STORIES = {"spam-filter": spam, "hospital": hospital, "images": images, "crowd": crowd, "ci-gate": gate}


def _tumours() -> pd.DataFrame:
    found = load_breast_cancer(as_frame=True)
    table = found.data.rename(columns=lambda name: name.replace(" ", "_"))
    return table.assign(diagnosis=np.where(found.target == 1, "benign", "malignant"))


def _messages() -> pd.DataFrame:
    with np.load(Path(os.environ["TOADSTONE_DATA"], "sms.npz")) as archive:
        letters, offsets = archive["text_train"].tobytes(), archive["text_offset_train"]
        labels = np.where(archive["y_train"] == 1, "spam", "ham")
    texts = [letters[start:end].decode("utf-8") for start, end in pairwise(offsets)]
    return pd.DataFrame({"text": texts, "label": labels})


def _plant(folder: Path, planted: dict[str, np.ndarray]) -> None:
    rows = [(kind, int(row)) for kind, places in planted.items() for row in sorted(places)]
    pd.DataFrame(rows, columns=["kind", "position"]).to_csv(folder / "planted.csv", index=False)


if __name__ == "__main__":
    main()
