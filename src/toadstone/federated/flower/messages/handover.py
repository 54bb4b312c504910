"""Hands the robust result to a strategy of Flower as the only reply of its round, so that its optimizer goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from flwr.app import Array, ArrayRecord, Message, MetricRecord, RecordDict
from numpy.typing import NDArray

from toadstone.federated.flower.messages.admission import Contribution
from toadstone.federated.flower.updates.model import ServerModel


def only_reply(
    admitted: Sequence[Contribution], metrics: MetricRecord, *, weighted_by: str, arrays: ArrayRecord | None = None
) -> Message:
    """Return one reply in the form of those of the clients.

    Parameters
    ----------
    admitted : sequence of Contribution
        At least one.
    metrics : MetricRecord
    weighted_by : str
        Key of the number of examples, for which the median declared number
        stands, at least 1.
    arrays : ArrayRecord, optional

    Returns
    -------
    Message
    """
    declared = [contribution.declared or 0.0 for contribution in admitted]
    content = RecordDict()
    if arrays is not None:
        content[_usual_name(admitted, ArrayRecord)] = arrays
    counted = MetricRecord({weighted_by: max(1.0, float(np.median(declared)))})
    for name, value in metrics.items():
        counted[name] = value
    content[_usual_name(admitted, MetricRecord)] = counted
    return Message(content, reply_to=admitted[0].reply)


def record_of(model: ServerModel, arrays: Mapping[str, NDArray[Any]]) -> ArrayRecord:
    """Put arrays into a record in the order of the model; those that are the server's own stay its bytes."""
    record = ArrayRecord()
    for key, old in model.arrays.items():
        record[key] = model.record[key] if arrays[key] is old else Array(np.asarray(arrays[key], dtype=old.dtype))
    return record


def restored(model: ServerModel, robust: ArrayRecord, returned: ArrayRecord) -> ArrayRecord:
    """Give arrays that a strategy returned the types of the model, and integers as they were handed over.

    Flower's averages and optimizers multiply integers into floating numbers,
    and its FedAdam turns single precision into double.

    Parameters
    ----------
    model : ServerModel
    robust, returned : ArrayRecord
        Handed over, and got back.

    Returns
    -------
    ArrayRecord
    """
    record = ArrayRecord()
    for key, array in returned.items():
        old = model.arrays.get(key)
        if old is not None and old.dtype.kind != "f":
            record[key] = robust[key]
        elif old is not None and array.dtype != str(old.dtype):
            record[key] = Array(np.asarray(array.numpy(), dtype=old.dtype))
        else:
            record[key] = array
    return record


def _usual_name(admitted: Sequence[Contribution], kind: type[Any]) -> str:
    """Return the name that most clients give to their record, of names as frequent the first by the alphabet."""
    names: Counter[str] = Counter(
        name for client in admitted for name, record in client.reply.content.items() if isinstance(record, kind)
    )
    return min(names, key=lambda name: (-names[name], name))
