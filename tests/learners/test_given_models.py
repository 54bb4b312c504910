"""What fails in a caller's model is a sentence; what fails in ours is a failure."""

import numpy as np
import pytest

from toadstone.core.errors import InvalidArgument, InvalidInput
from toadstone.learners.given_models import failing_in_words, predicted


class Answers:
    def __init__(self, answer):
        self.answer = answer

    def predict(self, rows):
        return self.answer


def test_a_failure_names_model_step_exception_and_its_first_line():
    with pytest.raises(InvalidInput) as told, failing_in_words("model", "models:make", "fit"):
        raise TypeError("no texts\x1b, please\nand more")
    assert str(told.value) == (
        "`model`: expected a model that takes these rows, got TypeError in fit of models:make: "
        "'no texts\\x1b, please'; a scikit-learn Pipeline can encode texts and fill gaps first"
    )
    assert isinstance(told.value.__cause__, TypeError)


def test_what_is_no_failure_of_the_callers_passes():
    with pytest.raises(InvalidArgument), failing_in_words("model", "mine", "fit"):
        raise InvalidArgument("action", "another", "weight")
    with pytest.raises(ZeroDivisionError), failing_in_words("", "ours", "fit"):
        raise ZeroDivisionError


@pytest.mark.parametrize("answer", [[1, 0], [[1, 0, 1, 1]]])
def test_another_number_of_predictions_is_a_sentence(answer):
    with pytest.raises(
        InvalidInput, match=r"`model`: expected one prediction a row from predict of mine, got an array"
    ):
        predicted(Answers(answer), None, 3, option="model", name="mine")


def test_predictions_may_be_a_column():
    assert predicted(Answers([[1], [0]]), None, 2, option="model", name="mine").tolist() == [1, 0]
    with pytest.raises(InvalidInput, match="AttributeError in predict of mine"):
        predicted(object(), np.ones((2, 1)), 2, option="model", name="mine")


@pytest.mark.parametrize("code", [0, None, "bye"])
def test_a_model_that_ends_the_program_is_refused(code):
    refused = pytest.raises(InvalidInput, match=r"`model`: .* got SystemExit in fit of models:make")
    with refused, failing_in_words("model", "models:make", "fit"):
        raise SystemExit(code)


def test_what_a_model_prints_is_no_result(capsys):
    with failing_in_words("model", "models:make", "fit"):
        print("epoch 1")  # noqa: T201
    assert capsys.readouterr() == ("", "epoch 1\n")


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_missing_predictions_are_refused(missing):
    class Model:
        def predict(self, rows):
            return [missing, 1.0]

    with pytest.raises(InvalidInput, match="expected labels or numbers from predict of mine, got missing ones"):
        predicted(Model(), None, 2, option="model", name="mine")
