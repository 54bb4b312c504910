"""A network behind layers of defence, ending with a search for backdoors and their repair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import clone
from sklearn.utils._param_validation import Options

from toadstone.core.arrays import Array, Labels, Matrix
from toadstone.pipeline.layers.classifier import ResistantClassifier
from toadstone.pipeline.layers.named_steps import Named

if TYPE_CHECKING:
    from toadstone.deep.inspection.inspect_network import NetworkInspection
    from toadstone.deep.inspection.repair import Repair

_FEWEST_TRUSTED = 50


class ResistantNetwork(ResistantClassifier):
    """Filter, train, look at activations, train robustly, validate, search for backdoors and repair.

    The five steps of a poison-resistant pipeline around a `NetworkClassifier`:
    filters look at the rows; a preliminary network is trained, and inspectors
    look at its activations; a robust training follows on the rows that are
    left; it is validated on trusted rows, which then serve to look for labels
    that a small trigger leads to, and to unlearn the triggers found. Accuracies
    are those before that last step, which trains on the trusted rows.

    Parameters
    ----------
    estimator : NetworkClassifier
        The preliminary network.
    filters, inspectors : list of (str, detector or sanitizer), optional
        As for `ResistantClassifier`.
    robust : NetworkClassifier, optional
        The robust training; `estimator` with ``training="epic"`` by default.
    max_removed : float, optional
        Share of the rows that may be removed in all, in [0, 0.5).
    unlearn : bool, default=True
        Whether to unlearn the triggers found.

    Attributes
    ----------
    inspection_ : NetworkInspection or None
        None with fewer than fifty trusted rows.
    repair_ : Repair or None
        None where nothing was suspected, or nothing was to be unlearned.
    log_ : tuple of str
        All steps in sentences.
    steps_, removals_, sample_indices_, robust_, classes_
        As for `ResistantClassifier`.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ResistantClassifier._parameter_constraints,
        "unlearn": [Options(bool, {True, False})],
    }

    def __init__(
        self,
        *,
        estimator: Any,
        filters: Named | None = None,
        inspectors: Named | None = None,
        robust: Any = None,
        max_removed: float | None = None,
        unlearn: bool = True,
    ) -> None:
        super().__init__(
            estimator=estimator, filters=filters, inspectors=inspectors, robust=robust, max_removed=max_removed
        )
        self.represent = _activations
        self.unlearn = unlearn

    def fit(self, X: Matrix, y: Labels, *, trusted: tuple[Matrix, Labels] | None = None) -> Self:
        """Go through the steps.

        Parameters
        ----------
        X : ndarray of shape (n, height * width * channels)
            Pixels in [0, 1].
        y : array_like of shape (n,)
        trusted : (ndarray of shape (m, ...), array_like of shape (m,)), optional
            Trusted images, none of them among `X`; with at least fifty, of all
            labels, the trained network is searched for backdoors.

        Returns
        -------
        ResistantNetwork
            Itself.

        Raises
        ------
        InvalidInput
            As `ResistantClassifier.fit` and `NetworkClassifier.fit`.
        """
        super().fit(X, y, trusted=trusted)
        self.inspection_: NetworkInspection | None = None
        self.repair_: Repair | None = None
        count = 0 if trusted is None else len(trusted[1])
        if trusted is None or count < _FEWEST_TRUSTED:
            said = f"no search for backdoors: it needs {_FEWEST_TRUSTED} trusted rows or more, and there were {count}"
        else:
            said = self._search(np.asarray(trusted[0], dtype=np.float64), np.asarray(trusted[1]))
        self.log_ = (*self.log_, said)
        return self

    def _models(self) -> tuple[Any, Any]:
        robust = clone(self.estimator).set_params(training="epic") if self.robust is None else self.robust
        return self.estimator, robust

    def _search(self, X: Array, y: Labels) -> str:
        """Search the robust network for backdoors, unlearn those found, and say so."""
        from toadstone.deep.inspection.inspect_images import inspect_images

        pixels = self.robust_.pixels(X)
        codes = np.searchsorted(self.classes_, y).astype(np.int64)
        seed = self.robust_.random_state
        found = inspect_images(
            self.robust_.network_, pixels, codes, head=self.robust_.head, unlearn=self.unlearn, seed=seed
        )
        self.inspection_, self.repair_ = found.network, found.repair
        if found.network.undecided:
            return f"search for backdoors: undecided: {found.network.undecided}"
        labels = [str(self.classes_[each.label]) for each in found.network.suspects if each.label < len(self.classes_)]
        if not found.network.suspects:
            return "search for backdoors: no label stands out"
        said = f"search for backdoors: a small trigger leads to {', '.join(dict.fromkeys(labels))}"
        if found.repair is None or found.weights is None:
            return said
        self.robust_.network_.load_state_dict(found.weights)
        before, after = max(found.repair.carried_before), max(found.repair.carried_after)
        return f"{said}; unlearned: {before:.2f} of held-out images followed it before, {after:.2f} after"


def _activations(fitted: Any, rows: Matrix) -> Matrix:
    return np.asarray(fitted.features(rows))
