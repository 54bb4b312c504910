"""Models of the caller's: by name, checked, copied and trained."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from toadstone.core.errors import InvalidArgument, InvalidInput
from toadstone.pipeline.harness.own_model import load_model, name_of, train, untrained, weight_name

MODULE = """
from sklearn.tree import DecisionTreeClassifier

ready = DecisionTreeClassifier(max_depth=2)
number = 3


def make():
    return DecisionTreeClassifier(max_depth=3)


def nothing():
    return "no model"


class Plain:
    def fit(self, rows, y):
        self.first = y[0]
        return self

    def predict(self, rows):
        return [self.first] * len(rows)
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A module of models in the current directory, which nothing else can import."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "own_models_of_a_test.py").write_text(MODULE)
    (tmp_path / "lacking_of_a_test.py").write_text("import a_package_that_nobody_has\n")
    (tmp_path / "failing_of_a_test.py").write_text("1 / 0\n")
    yield tmp_path
    for name in ("own_models_of_a_test", "lacking_of_a_test", "failing_of_a_test"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(("name", "depth"), [("make", 3), ("ready", 2)])
def test_a_module_of_the_current_directory(here, name, depth):
    assert load_model(f"own_models_of_a_test:{name}").max_depth == depth
    assert sys.path[-1] == str(here)


def test_what_is_no_estimator_of_scikit_learn_will_do(here):
    model = load_model("own_models_of_a_test:Plain")
    fitted = train(model, [[0], [1]], np.array(["b", "a"]))
    assert fitted.predict([[5], [6]]) == ["b", "b"]
    assert not hasattr(model, "first")
    with pytest.raises(InvalidArgument, match="`action`: expected remove or relabel for a model whose fit takes no"):
        weight_name(model)


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("own_models_of_a_test", "expected MODULE:NAME, as in models:make for the function make of models.py, got own"),
        (":make", "expected MODULE:NAME"),
        ("no_such_module_of_a_test:make", "expected a module that is installed or lies in the current directory, got"),
        ("no_such.module:make", "expected a module that is installed or lies in the current directory, got"),
        ("lacking_of_a_test:make", "got lacking_of_a_test, which imports a_package_that_nobody_has, and that"),
        ("own_models_of_a_test:magic", "got own_models_of_a_test:magic, and own_models_of_a_test has no magic"),
        ("own_models_of_a_test:number", "got own_models_of_a_test:number: int, which has no fit and no predict"),
        ("own_models_of_a_test:nothing", "expected an estimator with fit and predict, or a function that returns"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(here, spec, sentence):
    with pytest.raises(InvalidArgument, match="`model`: ") as refused:
        load_model(spec)
    assert sentence in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_a_module_that_fails_is_refused_for_it_is_the_callers(here):
    with pytest.raises(InvalidInput, match="ZeroDivisionError in the import of failing_of_a_test:make"):
        load_model("failing_of_a_test:make")


def test_objects_are_taken_as_they_are_and_never_trained():
    model = LogisticRegression()
    assert load_model(model) is model
    assert isinstance(load_model(KNeighborsClassifier), KNeighborsClassifier)
    assert load_model(lambda: model) is model
    assert untrained(model) is not model
    train(model, [[0.0], [1.0]], np.array([0, 1]))
    assert not hasattr(model, "coef_")
    assert (name_of(model), name_of(KNeighborsClassifier)) == ("LogisticRegression", "KNeighborsClassifier")
    with pytest.raises(InvalidArgument, match="`estimators`: expected an estimator with fit and predict"):
        load_model(StandardScaler(), option="estimators")


def test_weights_reach_the_last_step_of_a_pipeline():
    X, y = np.array([[0.0], [1.0], [1.0]]), np.array([0, 1, 0])
    model = make_pipeline(StandardScaler(), LogisticRegression())
    heavy, light = (train(model, X, y, np.array([1.0, 1.0, weight])) for weight in (5.0, 0.0))
    assert heavy.predict([[1.0]]) == [0]
    assert light.predict([[1.0]]) == [1]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import sys\nsys.exit(0)", "SystemExit in the import of"),
        ("def make(:", "SyntaxError in the import of"),
        ("def make():\n    raise SystemExit(0)", "SystemExit in the call of"),
        ("def make(rows):\n    return rows", "TypeError in the call of"),
    ],
)
def test_modules_that_fail_are_refused(tmp_path, monkeypatch, source, said):
    monkeypatch.chdir(tmp_path)
    name = f"failing_{len(source)}"
    (tmp_path / f"{name}.py").write_text(source)
    with pytest.raises(InvalidInput, match=f"`model`: expected a model that can be had, got {said} {name}:make"):
        load_model(f"{name}:make")
