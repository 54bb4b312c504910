"""The layers of a defence, one after another, and the account of what each did."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from sklearn.base import clone
from sklearn.utils._param_validation import InvalidParameterError

from toadstone.core.arrays import Labels, Matrix
from toadstone.core.dataset import Dataset
from toadstone.pipeline.layers.removals import Ledger, Withdrawal
from toadstone.pipeline.layers.validation import Judge, Verdicts, share_right
from toadstone.pipeline.layers.wilson import accuracy_change
from toadstone.pipeline.layers.with_trusted import beside
from toadstone.records.defence import AccuracyChange, DefenceStep, Layer

_NOTHING = Withdrawal(0, 0, "")


@dataclass(eq=False)
class Course:
    """A defence under way.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    y : ndarray of shape (n,)
    model : classifier
        What accuracies are those of; `swap` puts another in its place.
    ledger : Ledger
    judge : Judge
    on_step : callable
        Called with the name of each step as it begins.
    trusted : Dataset, optional
        Rows that set the thresholds of detectors, and are never removed.
    """

    X: Matrix
    y: Labels
    model: Any
    ledger: Ledger
    judge: Judge
    on_step: Callable[[str], None] = lambda name: None
    trusted: Dataset | None = None
    steps: list[DefenceStep] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._undefended = self._right = self.judge.right(self.model, self.ledger.kept)

    def remove(self, name: str, layer: str, detector: Any, features: Callable[[Matrix], Matrix]) -> Any:
        """Let a detector or sanitizer remove rows from those that are left.

        Parameters
        ----------
        name, layer : str
        detector : estimator
            A copy of it is fitted; one that can be calibrated, to the trusted
            rows as well.
        features : callable
            From rows to what the detector sees of them.

        Returns
        -------
        estimator or None
            The fitted copy; None where these data do not suit it.

        Raises
        ------
        InvalidParameterError
            If the detector has a parameter out of its range.
        """
        self.on_step(name)
        begin, kept = time.perf_counter(), self.ledger.kept
        fitted, seen = clone(detector), features(self.X[kept])
        try:
            self._fit(fitted, seen, self.y[kept], features)
        except InvalidParameterError:
            raise
        except ValueError as error:
            # Data that one detector cannot use are no reason to go without the others.
            self._note(name, layer, begin, self._right, skipped=str(error).splitlines()[0])
            return None
        done = self.ledger.withdraw(name, fitted.removed_indices_, fitted.suspicion_[: len(kept)], fitted.reasons_)
        before = self._right
        if done.removed:
            self._right = self.judge.right(self.model, self.ledger.kept)
        self._note(name, layer, begin, before, done=done)
        return fitted

    def _fit(self, detector: Any, seen: Matrix, y: Labels, features: Callable[[Matrix], Matrix]) -> None:
        if self.trusted is None or not hasattr(detector, "calibrate"):
            detector.fit_resample(seen, y)
            return
        X, labels, known = beside(seen, y, Dataset(features(self.trusted.X), self.trusted.y))
        detector.fit_resample(X, labels, trusted=known)

    def train(self, name: str, layer: str) -> Any:
        """The model, trained on the rows that are left."""
        self.on_step(name)
        begin, kept = time.perf_counter(), self.ledger.kept
        trained = clone(self.model).fit(self.X[kept], self.y[kept])
        self._note(name, layer, begin, self._right)
        return trained

    def swap(self, name: str, layer: str, model: Any) -> Any:
        """Another model in the place of the former, trained on the rows that are left."""
        self.on_step(name)
        begin, before = time.perf_counter(), self._right
        if model is not self.model:
            self.model, self._right = model, self.judge.right(model, self.ledger.kept)
        trained = clone(model).fit(self.X[self.ledger.kept], self.y[self.ledger.kept])
        self._note(name, layer, begin, before)
        return trained

    def skip(self, name: str, layer: str, reason: str) -> None:
        """A step that cannot be done."""
        self._note(name, layer, time.perf_counter(), self._right, skipped=reason)

    def overall(self) -> tuple[float | None, float | None]:
        """Accuracy of the first model on all rows, and of the last one on those that are left."""
        rows = self.judge.comparable(self.ledger.kept)
        return share_right(self._undefended, rows), share_right(self._right, rows)

    def change(self) -> AccuracyChange | None:
        """The same with intervals; None where no row could be judged."""
        rows = self.judge.comparable(self.ledger.kept)
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
        done: Withdrawal = _NOTHING,
        skipped: str = "",
    ) -> None:
        n, rows = len(self.y), self.judge.comparable(self.ledger.kept)
        earlier, later = share_right(before, rows), share_right(self._right, rows)
        share = done.removed / n
        paid = None
        if done.removed and earlier is not None and later is not None:
            paid = (earlier - later) / (100 * share)
        self.steps.append(
            DefenceStep(
                name=name,
                layer=cast(Layer, layer),
                flagged=done.flagged,
                removed=done.removed,
                removed_share=share,
                share_so_far=len(self.ledger.removals) / n,
                accuracy_before=earlier,
                accuracy_after=later,
                cost_per_percent=paid,
                cut=done.cut,
                skipped=skipped,
                seconds=time.perf_counter() - begin,
            )
        )


def step_sentence(step: DefenceStep, measure: str) -> str:
    """What a step did, in one sentence for a log.

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
