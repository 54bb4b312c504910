"""The composed defence: layers in order, every removal accounted for, within its budget."""

from __future__ import annotations

import numpy as np
import pytest
from imblearn.pipeline import make_pipeline as make_resampling_pipeline
from scipy.sparse import csr_array
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils._param_validation import InvalidParameterError
from sklearn.utils.estimator_checks import parametrize_with_checks

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.detectors.features.mahalanobis import RobustMahalanobis
from toadstone.detectors.features.spectral import SpectralSignatures
from toadstone.learners.linear import LinearClassifier
from toadstone.learners.partitioned import PartitionVoteClassifier
from toadstone.pipeline.layers.classifier import ResistantClassifier
from toadstone.pipeline.layers.named_steps import INSPECTORS, VERDICT
from toadstone.sanitizers.sphere import SphereSanitizer


def rows(seed: int = 0, n: int = 200, far: int = 6):
    """Two classes, whose first rows are far away from everything."""
    rng = np.random.default_rng(seed)
    y = np.where(np.arange(n) % 2 == 0, "ham", "spam")
    X = rng.normal(size=(n, 3)) + 2.5 * (y == "spam")[:, None]
    X[:far] += 50.0 + np.arange(far)[:, None]
    return X, y


def sphere(share: float = 0.05) -> list:
    return [("sphere", SphereSanitizer(contamination=share))]


class Broken(SphereSanitizer):
    """Finds no data good enough."""

    def fit_resample(self, X, y):
        raise InvalidData("rows: expected better ones, got these")


# Some checks train on rows far from the origin, where coordinate ascent creeps.
unscaled = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@unscaled
@parametrize_with_checks(
    [ResistantClassifier(estimator=LogisticRegression(), filters=[("spectral", SpectralSignatures())])]
)
def test_conformance(estimator, check):
    check(estimator)


@unscaled
@pytest.mark.slow
@parametrize_with_checks([ResistantClassifier()])
def test_conformance_with_the_default_filters(estimator, check):
    check(estimator)


class TestRemovals:
    def test_every_removal_is_a_row_of_the_original_with_step_and_reason(self):
        X, y = rows()
        filters = [("far", RobustMahalanobis()), *sphere()]
        model = ResistantClassifier(filters=filters, max_removed=0.3).fit(X, y)
        gone = [removal.position for removal in model.removals_]
        assert len(set(gone)) == len(gone)
        assert sorted([*gone, *model.sample_indices_]) == list(range(200))
        assert set(range(6)) <= {removal.position for removal in model.removals_ if removal.step == "far"}
        for removal in model.removals_:
            assert removal.label == y[removal.position]
            assert "against a threshold of" in removal.reason
        # The second filter saw only what the first one left.
        assert {removal.step for removal in model.removals_} == {"far", "sphere"}
        left = np.setdiff1d(np.arange(200), [removal.position for removal in model.removals_ if removal.step == "far"])
        alone = SphereSanitizer(contamination=0.05).fit(X[left], y[left])
        assert np.array_equal(model.filters_[1][1].suspicion_, alone.suspicion_)

    def test_suspicions_are_those_of_the_step(self):
        X, y = rows()
        model = ResistantClassifier(filters=[("far", RobustMahalanobis())]).fit(X, y)
        alone = RobustMahalanobis().fit(X, y)
        assert {removal.position for removal in model.removals_} == set(alone.flagged_indices_.tolist())
        assert all(removal.suspicion == alone.suspicion_[removal.position] for removal in model.removals_)

    def test_the_budget_cuts_the_step_and_says_so(self):
        X, y = rows()
        model = ResistantClassifier(filters=[("far", RobustMahalanobis()), *sphere()], max_removed=0.02).fit(X, y)
        assert len(model.removals_) == 4
        first, second = model.steps_[:2]
        assert (first.removed, first.removed_share, first.share_so_far) == (4, 0.02, 0.02)
        assert "the budget of 4 rows is spent" in first.cut
        assert (second.removed, second.share_so_far) == (0, 0.02)
        assert second.flagged == 10
        assert any("budget" in line for line in model.log_)
        suspicion = model.filters_[0][1].suspicion_
        assert [removal.position for removal in model.removals_] == np.argsort(-suspicion, kind="stable")[:4].tolist()

    def test_no_class_is_emptied(self):
        X, y = rows(n=60, far=0)
        y[:] = "ham"
        y[[3, 8, 13]] = "spam"
        flags = [(f"sphere {turn}", SphereSanitizer(contamination=0.5)) for turn in range(4)]
        model = ResistantClassifier(filters=flags, max_removed=0.49).fit(X, y)
        assert np.count_nonzero(y[model.sample_indices_] == "spam") == 2
        assert any("last of their class" in step.cut for step in model.steps_)

    def test_nothing_may_be_removed(self):
        X, y = rows()
        model = ResistantClassifier(filters=sphere(), max_removed=0.0).fit(X, y)
        assert model.removals_ == ()
        assert "the budget of 0 rows is spent" in model.steps_[0].cut

    def test_without_a_limit_all_flagged_rows_go(self):
        X, y = rows()
        model = ResistantClassifier(filters=sphere(0.3)).fit(X, y)
        assert len(model.removals_) == model.steps_[0].flagged == 60


class TestAccuracy:
    def test_without_trusted_rows_nothing_is_measured_or_validated(self):
        X, y = rows()
        model = ResistantClassifier(filters=sphere()).fit(X, y)
        assert model.accuracy_change_ is None
        assert (model.undefended_accuracy_, model.defended_accuracy_) == (None, None)
        assert all(step.accuracy_after is None and step.cost_per_percent is None for step in model.steps_)
        assert [step.layer for step in model.steps_] == ["filter", "preliminary", "inspection", "robust"]
        assert model.log_[-1].startswith("no validation: no trusted rows were given")

    def test_trusted_rows_validate_and_the_account_adds_up(self):
        X, y = rows()
        trusted = rows(seed=1, far=0)
        model = ResistantClassifier(filters=[("far", RobustMahalanobis()), *sphere()], max_removed=0.3)
        model.fit(X, y, trusted=trusted)
        assert model.measure_ == "accuracy on the 200 trusted rows"
        last = model.steps_[-1]
        assert (last.layer, last.accuracy_after) == ("validation", model.score(*trusted))
        assert last.accuracy_before == LinearClassifier().fit(X, y).score(*trusted)
        for earlier, later in zip(model.steps_[:-1], model.steps_[1:-1], strict=False):
            assert later.accuracy_before == earlier.accuracy_after
        for step in model.steps_[:2]:
            kept_less = (step.accuracy_before - step.accuracy_after) / (100 * step.removed_share)
            assert step.cost_per_percent == pytest.approx(kept_less)
        assert not any(line.startswith("no validation") for line in model.log_)

    def test_trusted_rows_change_nothing_but_what_is_measured(self):
        X, y = rows()
        plain, validated = (
            ResistantClassifier(filters=sphere()).fit(X, y, trusted=trusted) for trusted in (None, rows(seed=1, far=0))
        )
        assert plain.accuracy_change_ is None
        assert validated.accuracy_change_.rows == 200
        assert plain.removals_ == validated.removals_
        assert np.array_equal(plain.robust_.coef_, validated.robust_.coef_)

    def test_an_overlap_is_refused(self):
        X, y = rows()
        with pytest.raises(InvalidArgument, match="`trusted`: expected rows that are not among the untrusted ones"):
            ResistantClassifier(filters=sphere()).fit(X, y, trusted=(X[:5], y[:5]))

    def test_what_is_no_pair_is_refused(self):
        X, y = rows()
        with pytest.raises(InvalidArgument, match="`trusted`: expected a pair of rows and labels, got ndarray"):
            ResistantClassifier(filters=sphere()).fit(X, y, trusted=X + 9)

    def test_an_accuracy_lost_is_paid(self):
        """A filter that removes half of one blob is paid for by those who trust that blob."""
        X, y = rows(far=0)
        trusted = rows(seed=1, far=0)
        tree = DecisionTreeClassifier(max_leaf_nodes=2, random_state=0)
        model = ResistantClassifier(estimator=tree, filters=sphere(0.4), max_removed=0.4).fit(X, y, trusted=trusted)
        step = model.steps_[0]
        assert step.accuracy_before == tree.fit(X, y).score(*trusted)
        kept = model.sample_indices_
        assert step.accuracy_after == tree.fit(X[kept], y[kept]).score(*trusted)


class TestLayers:
    def test_inspectors_see_the_representation_of_the_preliminary_model(self):
        X, y = rows(far=0)
        asked = []

        def represent(model, X):
            asked.append((model, len(X)))
            activations = np.column_stack([model.decision_function(X), X[:, 0]])
            activations[:3] += 500.0
            return activations

        model = ResistantClassifier(
            filters=[], represent=represent, inspectors=[("core", RobustMahalanobis())], max_removed=0.2
        ).fit(X, y)
        assert asked == [(model.preliminary_, 200)]
        assert {0, 1, 2} <= {removal.position for removal in model.removals_ if removal.step == "core"}
        assert [step.layer for step in model.steps_] == ["preliminary", "inspection", "robust"]

    def test_an_error_of_the_representation_is_not_swallowed(self):
        def represent(model, X):
            raise ValueError("no such layer")

        with pytest.raises(ValueError, match="no such layer"):
            ResistantClassifier(filters=[], represent=represent).fit(*rows())

    def test_inspectors_are_skipped_without_a_representation_and_the_log_says_so(self):
        X, y = rows()
        model = ResistantClassifier(filters=sphere()).fit(X, y)
        assert model.inspectors_ == []
        assert "inspection: skipped: no representation of the rows was given to look at" in model.log_

    def test_the_default_layers(self):
        X, y = rows(n=80)
        model = ResistantClassifier(represent=lambda model, X: X).fit(X, y)
        assert [name for name, _ in model.filters_] == [VERDICT]
        assert tuple(name for name, _ in model.inspectors_) == tuple(f"inspect-{name}" for name in INSPECTORS)

    def test_the_robust_model_is_what_predicts(self):
        X, y = rows(far=0)
        model = ResistantClassifier(filters=[], robust=PartitionVoteClassifier(n_partitions=3)).fit(X, y)
        assert isinstance(model.robust_, PartitionVoteClassifier)
        assert isinstance(model.preliminary_, LinearClassifier)
        assert np.array_equal(model.predict(X), PartitionVoteClassifier(n_partitions=3).fit(X, y).predict(X))

    def test_the_robust_model_is_what_is_judged_last(self):
        X, y = rows(far=0)
        trusted = rows(seed=1, far=0)
        model = ResistantClassifier(filters=[], robust=DummyClassifier()).fit(X, y, trusted=trusted)
        assert (model.steps_[-2].layer, model.steps_[-2].accuracy_after) == ("robust", 0.5)
        assert model.defended_accuracy_ == 0.5 < model.undefended_accuracy_

    def test_probabilities_are_there_if_the_robust_model_has_them(self):
        X, y = rows()
        assert not hasattr(ResistantClassifier(), "predict_proba")
        model = ResistantClassifier(filters=[], robust=LogisticRegression()).fit(X, y)
        assert model.predict_proba(X).shape == (200, 2)
        assert model.decision_function(X).shape == (200,)

    def test_a_detector_that_cannot_use_the_rows_is_skipped_with_its_reason(self):
        X, y = rows()
        model = ResistantClassifier(filters=[("broken", Broken()), *sphere()]).fit(X, y)
        assert model.steps_[0].skipped == "rows: expected better ones, got these"
        assert [name for name, _ in model.filters_] == ["sphere"]
        assert model.steps_[1].removed == 10

    def test_a_wrong_parameter_of_a_detector_is_an_error(self):
        X, y = rows()
        with pytest.raises(InvalidParameterError, match="contamination"):
            ResistantClassifier(filters=sphere(3.0)).fit(X, y)


class TestData:
    def test_sparse_rows_give_the_same_account(self):
        X, y = rows(n=80)
        dense, sparse = (ResistantClassifier(filters=sphere()).fit(kind(X), y) for kind in (np.asarray, csr_array))
        assert [removal.position for removal in dense.removals_] == [removal.position for removal in sparse.removals_]
        assert dense.steps_[0].accuracy_after == sparse.steps_[0].accuracy_after

    def test_a_class_with_one_row(self):
        X, y = rows(n=80, far=0)
        y[0] = "odd"
        model = ResistantClassifier().fit(X, y)
        assert 0 in model.sample_indices_
        assert model.classes_.tolist() == ["ham", "odd", "spam"]

    def test_constant_features_and_duplicates(self):
        X, y = rows(n=80, far=0)
        X[:, 1] = 3.0
        X[20:40] = X[:20]
        model = ResistantClassifier(filters=sphere()).fit(X, y)
        assert len(model.removals_) == 4

    def test_rows_that_are_all_the_same(self):
        _, y = rows(n=80)
        assert ResistantClassifier().fit(np.ones((80, 2)), y).removals_ == ()

    def test_a_single_class_is_refused(self):
        with pytest.raises(InvalidData, match="expected rows of at least two classes, got 1 class"):
            ResistantClassifier().fit(rows()[0], np.zeros(200))


class TestComposition:
    def test_filters_are_reached_by_name(self):
        model = ResistantClassifier(filters=sphere())
        assert model.get_params()["sphere__contamination"] == 0.05
        model.set_params(sphere__contamination=0.2)
        assert model.filters[0][1].contamination == 0.2
        model.set_params(sphere=RobustMahalanobis())
        assert isinstance(model.filters[0][1], RobustMahalanobis)

    def test_a_grid_search_over_filters_and_budget(self):
        X, y = rows(n=80)
        pipeline = make_pipeline(StandardScaler(), ResistantClassifier(filters=sphere()))
        grid = {
            "resistantclassifier__sphere__contamination": [0.05, 0.2],
            "resistantclassifier__max_removed": [0.0, 0.2],
        }
        search = GridSearchCV(pipeline, grid, cv=2).fit(X, y)
        assert len(search.cv_results_["mean_test_score"]) == 4
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()

    def test_after_a_sampler_of_imbalanced_learn(self):
        X, y = rows()
        pipeline = make_resampling_pipeline(SphereSanitizer(contamination=0.1), ResistantClassifier(filters=sphere()))
        pipeline.fit(X, y)
        assert pipeline[1].n_features_in_ == 3
        assert len(pipeline[1].sample_indices_) + len(pipeline[1].removals_) == 180

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            ({"filters": ["sphere"]}, "`filters`: expected pairs of a name and a detector"),
            ({"inspectors": [("tree", DecisionTreeClassifier())]}, "`inspectors`: expected pairs of a name"),
            ({"filters": sphere() + sphere()}, "not unique"),
            ({"filters": [("robust", SphereSanitizer())]}, "conflict with constructor arguments"),
            ({"max_removed": 0.5}, "max_removed"),
        ],
    )
    def test_what_cannot_be_composed(self, options, sentence):
        with pytest.raises(ValueError, match=sentence):
            ResistantClassifier(**options).fit(*rows())

    def test_same_seed_same_account(self):
        X, y = rows(n=80)
        one, two = (ResistantClassifier().fit(X, y) for _ in range(2))
        assert one.removals_ == two.removals_
        assert [step.accuracy_after for step in one.steps_] == [step.accuracy_after for step in two.steps_]
