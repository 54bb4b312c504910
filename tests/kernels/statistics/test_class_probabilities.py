"""Probabilities from whatever a classifier offers, and what is computed from them."""

import numpy as np
import pytest
from scipy.special import softmax

from toadstone.kernels.statistics.class_probabilities import (
    SMALLEST,
    contradictions,
    cross_entropies,
    out_of_fold,
    probabilities,
    slopes,
)

X = np.array([[0.0], [1.0]])


class Classifier:
    """Answers with a table by one method only."""

    def __init__(self, classes, **answers):
        self.classes_ = np.array(classes)
        for name, table in answers.items():
            setattr(self, name, lambda X, table=table: np.asarray(table))


class TestProbabilities:
    classes = np.array(["a", "b", "c"])

    def test_classes_that_were_not_seen_have_none(self):
        model = Classifier(["a", "c"], predict_proba=[[0.2, 0.8], [0.9, 0.1]])
        np.testing.assert_array_equal(probabilities(model, X, self.classes), [[0.2, 0, 0.8], [0.9, 0, 0.1]])

    def test_one_score_belongs_to_the_second_class(self):
        model = Classifier(["a", "b"], decision_function=[np.log(3), -np.log(4)])
        np.testing.assert_allclose(probabilities(model, X, self.classes[:2]), [[0.25, 0.75], [0.8, 0.2]])

    def test_several_scores_are_a_softmax(self):
        scores = np.array([[0.0, 1.0, 2.0], [3.0, 0.0, 0.0]])
        model = Classifier(list("abc"), decision_function=scores)
        np.testing.assert_allclose(probabilities(model, X, self.classes), softmax(scores, axis=1))

    def test_a_mere_label_is_certain(self):
        model = Classifier(["a", "b", "c"], predict=np.array(["c", "a"]))
        np.testing.assert_array_equal(probabilities(model, X, self.classes), [[0, 0, 1], [1, 0, 0]])

    @pytest.mark.parametrize("method", ["predict_proba", "decision_function", "predict"])
    def test_the_model_sees_the_rows(self, method):
        answers = {
            "predict_proba": lambda rows: np.column_stack([1 - rows, rows]),
            "decision_function": lambda rows: np.where(rows[:, 0] > 0, 800, -800),
            "predict": lambda rows: np.where(rows[:, 0] > 0, "b", "a"),
        }
        model = Classifier(["a", "b"])
        setattr(model, method, answers[method])
        found = probabilities(model, X, self.classes[:2])
        assert found.dtype == np.float64
        np.testing.assert_array_equal(found, [[1, 0], [0, 1]])

    def test_a_fold_is_predicted_from_its_own_rows(self):
        model = Classifier([0, 1])
        model.predict_proba = lambda rows: np.column_stack([1 - rows, rows])
        rows = np.array([[0.1], [0.2], [0.3]])
        table = out_of_fold(lambda _: model, rows, np.array([0, 1]), [(np.array([1]), np.array([0, 2])), ([0], [1])])
        np.testing.assert_allclose(table[:, 1], rows[:, 0])

    def test_each_row_is_predicted_by_the_model_of_its_fold(self):
        def train(rows):
            share = len(rows) / 10
            return Classifier([0, 1], predict_proba=np.full((5 - len(rows), 2), [share, 1 - share]))

        folds = [(np.array([0, 1, 2]), np.array([3, 4])), (np.array([3, 4]), np.array([0, 1, 2]))]
        table = out_of_fold(train, np.zeros((5, 1)), np.array([0, 1]), folds)
        np.testing.assert_allclose(table[:, 0], [0.2, 0.2, 0.2, 0.3, 0.3])


class TestLosses:
    table = np.array([[0.5, 0.2, 0.3], [0.1, 0.8, 0.1], [1.0, 0.0, 0.0]])
    codes = np.array([1, 1, 2])

    def test_cross_entropies_are_finite(self):
        np.testing.assert_allclose(cross_entropies(self.table, self.codes), -np.log([0.2, 0.8, SMALLEST]))

    def test_contradictions_compare_with_the_likeliest_other_class(self):
        expected = [np.log(0.5 / 0.2), np.log(0.1 / 0.8), -np.log(SMALLEST)]
        np.testing.assert_allclose(contradictions(self.table, self.codes), expected)

    @pytest.mark.parametrize("k", [2, 3, 4])
    def test_slopes_are_the_derivatives_of_the_cross_entropy(self, k):
        rng = np.random.default_rng(k)
        scores, codes = rng.normal(size=(5, k)), rng.integers(0, k, 5)
        found = slopes(softmax(scores, axis=1), codes)
        # Two classes are told apart by one score, that of the second less that of the first.
        free = [1] if k == 2 else list(range(k))
        for column, score in enumerate(free):
            step = np.zeros(k)
            step[score] = 1e-6
            up, down = (cross_entropies(softmax(scores + way * step, axis=1), codes) for way in (1, -1))
            np.testing.assert_allclose(found[:, column], (up - down) / 2e-6, atol=1e-8)
        assert found.shape == (5, len(free))
