"""Test rows one by one: what is predicted, how much it withstands, and who can change it alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toadstone.datasets.split import Split
from toadstone.pipeline.certification.pointwise import Pointwise
from toadstone.pipeline.harness.row_account import ids_of

_BETWEEN = "; "


def prediction_columns(
    split: Split, found: Sequence[Pointwise], settings: Sequence[str]
) -> tuple[list[int], Mapping[str, list[Any]]]:
    """Give a row for each test row of each setting.

    Parameters
    ----------
    split : Split
    found : sequence of Pointwise
        One for each setting.
    settings : sequence of str
        Their names.

    Returns
    -------
    tuple of list and dict
        Positions of the rows in their source; and columns ``setting`` where
        there are several, ``label``, ``prediction``, ``count``, ``rival``, and
        ``changed_by`` where units have names.
    """
    ids, times = ids_of(split.test).tolist(), len(found)
    columns: dict[str, list[Any]] = {}
    if times > 1:
        columns["setting"] = [name for name in settings for _ in ids]
    columns["label"] = [str(label) for label in split.test.y.tolist()] * times
    columns["prediction"] = [one.certificate.classes[place] for one in found for place in one.certificate.winners]
    columns["count"] = [count for one in found for count in one.certificate.counts.tolist()]
    columns["rival"] = [name for one in found for name in _rivals(one)]
    if any(one.alone is not None for one in found):
        columns["changed_by"] = [
            "" if one.alone is None else _BETWEEN.join(one.alone.of_query(query))
            for one in found
            for query in range(len(ids))
        ]
    return ids * times, columns


def _rivals(found: Pointwise) -> list[str]:
    rivals = found.certificate.rivals
    if rivals is None:
        return [""] * len(found.certificate.counts)
    return ["" if rival < 0 else found.certificate.classes[rival] for rival in rivals]
