"""The summary of a data set for records, and the domain of its rows."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np

from toadstone.core.dataset import Dataset
from toadstone.core.feasible import Domain
from toadstone.datasets.split import Split, sha256
from toadstone.kernels.rows import count_entries
from toadstone.kernels.sets.sets import fit_domain
from toadstone.records.header import ClassCount, DataSummary, DomainName


def summarize(split: Split, domain: str) -> DataSummary:
    """Summarize the data of a record: sizes, and how columns were read; no row."""
    train, test = split.train, split.test
    counts = tuple(
        ClassCount(str(label), int(np.count_nonzero(train.y == label)), int(np.count_nonzero(test.y == label)))
        for label in train.classes
    )
    return DataSummary(
        n_train=len(train),
        n_test=len(test),
        n_features=train.n_features,
        density=count_entries(train.X) / (len(train) * train.n_features),
        classes=counts,
        domain=cast(DomainName, domain),
        preparation=split.preparation,
        test_origin=split.test_origin,
        columns=split.columns,
        notes=split.notes,
    )


def digests(split: Split) -> dict[str, str]:
    """SHA-256 of the training and of the test rows."""
    return {"train": sha256(split.train), "test": sha256(split.test)}


def digests_of_rows(rows: Dataset, trusted: Dataset | None) -> dict[str, str]:
    """SHA-256 of all rows of a source, and of the trusted ones beside them."""
    return {"rows": sha256(rows)} | ({} if trusted is None else {"trusted": sha256(trusted)})


def expressible(train: Dataset, name: str) -> Domain:
    """Return the domain of rows of these data; a count may exceed any seen so far."""
    domain = fit_domain(train.X, name)
    return replace(domain, upper=np.full_like(domain.upper, np.inf)) if domain.integer else domain
