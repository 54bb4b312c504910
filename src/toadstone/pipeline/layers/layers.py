"""Run the layers of a defence in order, and record what each removed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from inspect import signature
from typing import Any, Literal, TypeAlias, cast

from sklearn.base import clone

from toadstone.core.arrays import Labels, Matrix
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidInput
from toadstone.pipeline.layers.removals import RemovalBudget, RemovalOutcome
from toadstone.pipeline.layers.validation import Judge, Verdicts, share_right
from toadstone.pipeline.layers.wilson import accuracy_change
from toadstone.pipeline.layers.with_trusted import beside
from toadstone.records.defence import AccuracyChange

Layer: TypeAlias = Literal["filter", "preliminary", "inspection", "robust", "validation"]

_NOTHING = RemovalOutcome(0, 0, "")


@dataclass(frozen=True)
class DefenceStep:
    """One step of a defence: rows flagged and removed, and the accuracy before and after.

    Parameters
    ----------
    name : str
        Of the detector, or of the step.
    layer : {"filter", "preliminary", "inspection", "robust", "validation"}
        Part of the defence that it belongs to.
    flagged : int
        Rows that it wanted to remove.
    removed : int
        Rows that it removed.
    removed_share, share_so_far : float
        Of the original rows: by this step, and by all steps up to this one.
    accuracy_before, accuracy_after : float, optional
        Of the model trained on the rows before and after, both on the trusted
        rows; None where there are none.
    cost_per_percent : float, optional
        Accuracy lost for each percent of the rows removed; negative where
        accuracy was gained, None where nothing was removed or judged.
    cut : str
        Why flagged rows were kept, if any were.
    skipped : str
        Why the step did nothing, if it could not be done.
    seconds : float
        Of the step.
    """

    name: str
    layer: Layer
    flagged: int
    removed: int
    removed_share: float
    share_so_far: float
    accuracy_before: float | None
    accuracy_after: float | None
    cost_per_percent: float | None
    cut: str
    skipped: str
    seconds: float


@dataclass(eq=False)
class DefenceRun:
    """A defence while its layers run.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    y : ndarray of shape (n,)
    model : classifier
        The model whose accuracy is measured; `replace_model` sets another.
    removals : RemovalBudget
    judge : Judge
    trusted : Dataset, optional
        Rows that detectors know to be clean, and that are never removed.
    """

    X: Matrix
    y: Labels
    model: Any
    removals: RemovalBudget
    judge: Judge
    trusted: Dataset | None = None
    steps: list[DefenceStep] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._undefended = self._right = self.judge.right(self.model, self.removals.kept)

    def remove(self, name: str, layer: str, detector: Any, features: Callable[[Matrix], Matrix]) -> Any:
        """Fit a detector or sanitizer to the remaining rows, and remove those that it flags.

        Parameters
        ----------
        name, layer : str
        detector : estimator
            A copy of it is fitted; one that takes trusted rows, to these as
            well.
        features : callable
            From rows to the features that the detector sees.

        Returns
        -------
        estimator or None
            The fitted copy; None where it refuses these data.

        Raises
        ------
        InvalidParameterError
            If the detector has a parameter out of its range.
        """
        begin, kept = time.perf_counter(), self.removals.kept
        fitted, seen = clone(detector), features(self.X[kept])
        try:
            self._fit(fitted, seen, self.y[kept], features)
        except InvalidInput as error:
            # Data that one detector refuses are no reason to go without the others; a crash is one.
            self._note(name, layer, begin, self._right, skipped=str(error).splitlines()[0])
            return None
        # Reasons stand in the order of the flags; a sanitizer has no flags, and its removed rows do.
        flagged = getattr(fitted, "flagged_indices_", fitted.removed_indices_)
        outcome = self.removals.remove(name, flagged, fitted.suspicion_[: len(kept)], fitted.reasons_)
        before = self._right
        if outcome.removed:
            self._right = self.judge.right(self.model, self.removals.kept)
        self._note(name, layer, begin, before, outcome=outcome)
        return fitted

    def _fit(self, detector: Any, seen: Matrix, y: Labels, features: Callable[[Matrix], Matrix]) -> None:
        if self.trusted is None or "trusted" not in signature(detector.fit_resample).parameters:
            detector.fit_resample(seen, y)
            return
        X, labels, known = beside(seen, y, Dataset(features(self.trusted.X), self.trusted.y))
        detector.fit_resample(X, labels, trusted=known)

    def train(self, name: str, layer: str) -> Any:
        """Train the model on the remaining rows."""
        begin, kept = time.perf_counter(), self.removals.kept
        trained = clone(self.model).fit(self.X[kept], self.y[kept])
        self._note(name, layer, begin, self._right)
        return trained

    def replace_model(self, name: str, layer: str, model: Any) -> Any:
        """Train another model on the remaining rows, in place of the former."""
        begin, before = time.perf_counter(), self._right
        if model is not self.model:
            self.model, self._right = model, self.judge.right(model, self.removals.kept)
        trained = clone(model).fit(self.X[self.removals.kept], self.y[self.removals.kept])
        self._note(name, layer, begin, before)
        return trained

    def skip(self, name: str, layer: str, reason: str) -> None:
        """Note a step that cannot be done."""
        self._note(name, layer, time.perf_counter(), self._right, skipped=reason)

    def overall(self) -> tuple[float | None, float | None]:
        """Return the accuracy of the first model on all rows, and of the last one on the remaining ones."""
        rows = self.judge.comparable(self.removals.kept)
        return share_right(self._undefended, rows), share_right(self._right, rows)

    def change(self) -> AccuracyChange | None:
        """Return both accuracies with intervals; None where no row could be tested."""
        rows = self.judge.comparable(self.removals.kept)
        return accuracy_change(self._undefended[rows], self._right[rows]) if rows.any() else None

    def validate(self, name: str, layer: str) -> None:
        """Compare the last model with the first one on all rows."""
        self._note(name, layer, time.perf_counter(), self._undefended)

    def _note(
        self,
        name: str,
        layer: str,
        begin: float,
        before: Verdicts,
        *,
        outcome: RemovalOutcome = _NOTHING,
        skipped: str = "",
    ) -> None:
        n, rows = len(self.y), self.judge.comparable(self.removals.kept)
        earlier, later = share_right(before, rows), share_right(self._right, rows)
        share = outcome.removed / n
        cost = None
        if outcome.removed and earlier is not None and later is not None:
            cost = (earlier - later) / (100 * share)
        self.steps.append(
            DefenceStep(
                name=name,
                layer=cast(Layer, layer),
                flagged=outcome.flagged,
                removed=outcome.removed,
                removed_share=share,
                share_so_far=len(self.removals.removed) / n,
                accuracy_before=earlier,
                accuracy_after=later,
                cost_per_percent=cost,
                cut=outcome.cut,
                skipped=skipped,
                seconds=time.perf_counter() - begin,
            )
        )


def step_sentence(step: DefenceStep, measure: str) -> str:
    """Describe a step in one sentence for a log.

    Examples
    --------
    >>> step = DefenceStep("spectral", "filter", 3, 2, 0.02, 0.02, 0.9, 0.91, -0.005, "", "", 0.1)
    >>> step_sentence(step, "accuracy on the 10 trusted rows")
    'spectral: 2 of 3 flagged rows removed; accuracy on the 10 trusted rows 0.9000 before, 0.9100 after'
    """
    if step.skipped:
        return f"{step.name}: skipped: {step.skipped}"
    parts = []
    if step.layer in ("filter", "inspection"):
        parts.append(f"{step.removed} of {step.flagged} flagged rows removed")
    if step.cut:
        parts.append(step.cut)
    if step.accuracy_before is not None and step.accuracy_after is not None:
        parts.append(f"{measure} {step.accuracy_before:.4f} before, {step.accuracy_after:.4f} after")
    return f"{step.name}: {'; '.join(parts)}"
