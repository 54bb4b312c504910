"""A classifier behind layers of defence, with a log of every removed row."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from toadstone.core.arrays import Array, Labels, Matrix
from toadstone.core.dataset import Dataset, as_matrix
from toadstone.core.errors import InvalidArgument
from toadstone.learners.linear import LinearClassifier
from toadstone.learners.linear_scores import check_two_classes
from toadstone.pipeline.layers.layers import DefenceRun, DefenceStep, step_sentence
from toadstone.pipeline.layers.named_steps import Named, NamedLayers
from toadstone.pipeline.layers.removals import RemovalBudget, allowed_rows
from toadstone.pipeline.layers.validation import Judge, TrustedJudge, Unjudged
from toadstone.records.defence import AccuracyChange, RemovedRow

_NO_REPRESENTATION = "no representation of the rows was given to look at"


def _last_model_has(name: str) -> Callable[[Any], bool]:
    def check(self: Any) -> bool:
        return hasattr(self.robust_ if hasattr(self, "robust_") else self._models()[1], name)

    return check


class ResistantClassifier(ClassifierMixin, NamedLayers):
    """Filter, train, inspect what the model sees, train robustly, validate on trusted rows.

    Each layer works on the rows that the ones before it left. What all of
    them may remove together can be limited: the most suspicious of the flagged
    rows go first, and a step that would exceed the limit is cut and says so.
    At least two rows of each class stay, or as many as there were.

    Accuracies are measured on trusted rows, are reported, and decide nothing;
    without trusted rows none is measured, since the rows that a defence keeps
    cannot judge it. Detectors do learn from trusted rows, though.

    Parameters
    ----------
    estimator : classifier, optional
        The preliminary model, and the one that accuracies are measured with;
        `LinearClassifier` by default.
    filters : list of (str, detector or sanitizer), optional
        What looks at the rows; the verdict alone by default, which removes
        groups of rows and, where the data support it, wrong labels.
    represent : callable, optional
        From a fitted estimator and rows to activations of shape (n, k). Deep
        networks plug in here.
    inspectors : list of (str, detector or sanitizer), optional
        What looks at the preliminary model's representation; skipped without
        `represent`, and otherwise activation clustering and spectral
        signatures by default.
    robust : classifier, optional
        What is trained on the rows that are left; `estimator` by default.
    max_removed : float, optional
        Share of the rows that may be removed in all, in [0, 0.5); no limit by
        default.

    Attributes
    ----------
    steps_ : tuple of DefenceStep
        What each layer removed, and the accuracy before and after it.
    removals_ : tuple of RemovedRow
        Row, label, step, suspicion and reason of each removed row, in the
        order of removal; rows are those given to `fit`, counted from 0.
    sample_indices_ : ndarray of int
        The rows that were left, ascending.
    log_ : tuple of str
        The steps in sentences, and whether there was a validation.
    measure_ : str
        What the accuracies are.
    undefended_accuracy_, defended_accuracy_ : float or None
        Of `estimator` on all rows, and of `robust` on those that were left;
        None without trusted rows.
    accuracy_change_ : AccuracyChange or None
        Both with their intervals, and that of their difference.
    filters_, inspectors_ : list of (str, estimator)
        Those that were fitted.
    preliminary_, robust_ : classifier
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat([0, 1], 100)
    >>> X = rng.normal(size=(200, 3)) + 3.0 * y[:, None]
    >>> X[:4] = 40.0
    >>> from toadstone.detectors.features.mahalanobis import RobustMahalanobis
    >>> model = ResistantClassifier(filters=[("far", RobustMahalanobis())]).fit(X, y)
    >>> sorted(removal.position for removal in model.removals_)
    [0, 1, 2, 3, 101, 159]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "filters": [list, None],
        "represent": [callable, None],
        "inspectors": [list, None],
        "robust": [HasMethods(["fit", "predict"]), None],
        "max_removed": [Interval(Real, 0, 0.5, closed="left"), None],
    }

    def __init__(
        self,
        *,
        estimator: Any = None,
        filters: Named | None = None,
        represent: Callable[[Any, Matrix], Matrix] | None = None,
        inspectors: Named | None = None,
        robust: Any = None,
        max_removed: float | None = None,
    ) -> None:
        self.estimator = estimator
        self.filters = filters
        self.represent = represent
        self.inspectors = inspectors
        self.robust = robust
        self.max_removed = max_removed

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that sparse rows are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def fit(self, X: Matrix, y: Labels, *, trusted: tuple[Matrix, Labels] | None = None) -> Self:
        """Go through the layers.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
        y : array_like of shape (n,)
            Labels of at least two classes.
        trusted : (ndarray or CSR of shape (m, d), array_like of shape (m,)), optional
            Trusted rows, none of them among `X`. Detectors
            see them beside the others and learn from them, and models are
            validated on them and never trained on them; `first_equal` of
            `toadstone.kernels.statistics.row_digests` tells which rows stand in both.

        Returns
        -------
        ResistantClassifier
            Itself.

        Raises
        ------
        InvalidArgument
            If `trusted` overlaps `X`, or is no pair of rows and labels.
        InvalidData
            If there is a single class.
        """
        self._validate_params()
        filters, inspectors = self._layers()
        matrix, labels = self._admitted(X, y, reset=True)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        check_two_classes(codes)
        judge = self._judge(matrix, labels, trusted)
        estimator, robust = self._models()
        most = len(labels) if self.max_removed is None else allowed_rows(self.max_removed, len(labels))
        removals = RemovalBudget(labels, most)
        trusted_rows = Dataset(judge.trusted_X, judge.trusted_y) if isinstance(judge, TrustedJudge) else None
        run = DefenceRun(matrix, labels, estimator, removals, judge, trusted_rows)
        fitted = [(name, run.remove(name, "filter", found, lambda rows: rows)) for name, found in filters]
        self.filters_ = [(name, found) for name, found in fitted if found is not None]
        self.preliminary_ = run.train("preliminary model", "preliminary")
        self._inspect(run, inspectors)
        self.robust_ = run.replace_model("robust fit", "robust", robust)
        if trusted is not None:
            run.validate("validation", "validation")
        self._conclude(run, judge, validated=trusted is not None)
        return self

    @available_if(_last_model_has("decision_function"))  # type: ignore[untyped-decorator]
    def decision_function(self, X: Matrix) -> Array:
        """Scores of the robust model."""
        received = self._received(X)
        return np.asarray(self.robust_.decision_function(received))

    @available_if(_last_model_has("predict_proba"))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Matrix) -> Array:
        """Probabilities of the robust model, shape (n, n_classes)."""
        received = self._received(X)
        return np.asarray(self.robust_.predict_proba(received))

    def predict(self, X: Matrix) -> Labels:
        """The labels that the robust model predicts."""
        received = self._received(X)
        return np.asarray(self.robust_.predict(received))

    def _models(self) -> tuple[Any, Any]:
        estimator = LinearClassifier() if self.estimator is None else self.estimator
        return estimator, estimator if self.robust is None else self.robust

    def _judge(self, X: Matrix, y: Labels, trusted: tuple[Matrix, Labels] | None) -> Judge:
        if trusted is None:
            return Unjudged()
        if not isinstance(trusted, tuple) or len(trusted) != 2:
            raise InvalidArgument("trusted", "a pair of rows and labels", type(trusted).__name__)
        return TrustedJudge(X, y, *self._admitted(*trusted, reset=False))

    def _inspect(self, run: DefenceRun, inspectors: Named) -> None:
        represent, self.inspectors_ = self.represent, []
        if represent is None:
            run.skip("inspection", "inspection", _NO_REPRESENTATION)
            return
        for name, inspector in inspectors:
            found = run.remove(name, "inspection", inspector, lambda rows: represent(self.preliminary_, rows))
            if found is not None:
                self.inspectors_.append((name, found))

    def _conclude(self, run: DefenceRun, judge: Judge, *, validated: bool) -> None:
        self.steps_: tuple[DefenceStep, ...] = tuple(run.steps)
        self.removals_: tuple[RemovedRow, ...] = tuple(run.removals.removed)
        self.sample_indices_ = run.removals.kept
        self.measure_ = judge.measure
        self.undefended_accuracy_, self.defended_accuracy_ = run.overall()
        self.accuracy_change_: AccuracyChange | None = run.change()
        notes = ["no validation: no trusted rows were given, and the kept rows cannot judge the defence that kept them"]
        if validated:
            notes = [f"detectors learn from the {judge.rows} trusted rows"]
        self.log_ = (*(step_sentence(step, judge.measure) for step in self.steps_), *notes)

    def _admitted(self, X: Matrix, y: Labels, *, reset: bool) -> tuple[Matrix, Labels]:
        checked, labels = validate_data(self, X, y, accept_sparse="csr", dtype=np.float64, reset=reset)
        check_classification_targets(labels)
        return as_matrix(checked), labels

    def _received(self, X: Matrix) -> Matrix:
        check_is_fitted(self)
        return as_matrix(validate_data(self, X, accept_sparse="csr", dtype=np.float64, reset=False))
