"""Detectors under names, in the layers of an estimator."""

from __future__ import annotations

from typing import Any, Self, TypeAlias

from sklearn.utils.metaestimators import _BaseComposition

from toadstone.catalogue import resolve
from toadstone.core.errors import InvalidArgument
from toadstone.detectors.verdict.verdict import Verdict

Named: TypeAlias = list[tuple[str, Any]]

VERDICT = "verdict"
"""Name of the only filter by default."""

INSPECTORS = ("activation", "spectral")
"""Detectors that look at a model's representation by default, as ``inspect-activation`` and so on."""


class NamedLayers(_BaseComposition):
    """Parameters of filters and inspectors, which are reached by their names as in scikit-learn's Pipeline."""

    filters: Named | None
    inspectors: Named | None

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002
        """Parameters, with those of the filters and inspectors under their names."""
        return {**self._get_params("filters", deep), **self._get_params("inspectors", deep)}

    def set_params(self, **params: Any) -> Self:
        """Set parameters, such as ``spectral__false_alarm_rate``, or a filter by its name."""
        for layer in ("filters", "inspectors"):
            if layer in params:
                setattr(self, layer, params.pop(layer))
            named = getattr(self, layer)
            known = {pair[0] for pair in named if isinstance(pair, tuple)} if isinstance(named, list) else set()
            for name in known & params.keys():
                self._replace_estimator(layer, name, params.pop(name))
        super().set_params(**params)
        return self

    def _layers(self) -> tuple[Named, Named]:
        filters, inspectors = self.filters, self.inspectors
        if filters is None:
            filters = [(VERDICT, Verdict())]
        if inspectors is None:
            inspectors = [(f"inspect-{name}", resolve("detector", name)()) for name in INSPECTORS]
        _check_pairs("filters", filters)
        _check_pairs("inspectors", inspectors)
        self._validate_names([name for name, _ in (*filters, *inspectors)])
        return filters, inspectors


def _check_pairs(layer: str, named: Named) -> None:
    for pair in named:
        if not (isinstance(pair, tuple) and len(pair) == 2 and hasattr(pair[1], "fit_resample")):
            expected = "pairs of a name and a detector or sanitizer, which has fit_resample"
            raise InvalidArgument(layer, expected, repr(pair))
