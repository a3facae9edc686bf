import math
import re
import tomllib
from pathlib import Path

import keras
import keras_tuner
import pytest
from _private_apis.hiding import hide
from models import build

import kt_hpo
from kt_hpo._private_apis.keras_tuner import TESTED, build_of, check_inherited, show_space
from kt_hpo.training.vectorized.build_code import hands_values_on


class Black(kt_hpo.RandomSearch):
    def run_trial(self, trial):
        hp = trial.hyperparameters
        return (hp.Float("x", -1, 1) - 0.3) ** 2 + abs(hp.Int("n", 1, 9) - 5)


@pytest.fixture
def checked_anew():
    """Names are looked for as in a new process."""
    check_inherited.cache_clear()
    yield
    check_inherited.cache_clear()


FIRST_NEEDED = [
    (keras_tuner.HyperParameters, "_register", kt_hpo.HyperParameters),
    (keras_tuner.Oracle, "_duplicate", lambda: kt_hpo.oracles.RandomSearchOracle("val_loss")),
    (
        keras_tuner.oracles.BayesianOptimizationOracle,
        "_vectorize_trials",
        lambda: kt_hpo.oracles.BayesianOptimizationOracle("val_loss"),
    ),
    (keras_tuner.Tuner, "_override_compile_args", lambda: kt_hpo.RandomSearch(build, "val_loss")),
]


@pytest.mark.parametrize(("owner", "name", "use"), FIRST_NEEDED)
@pytest.mark.usefixtures("checked_anew")
def test_a_method_that_is_gone_is_named_with_the_version_to_install(owner, name, use, monkeypatch):
    monkeypatch.delattr(owner, name)
    message = rf"lacks {owner.__name__}.{name} \(.* pip install \"{re.escape(TESTED)}\""
    with pytest.raises(ImportError, match=message):
        use()


@pytest.mark.usefixtures("checked_anew")
def test_an_attribute_that_is_gone_is_named(monkeypatch):
    hide(monkeypatch, keras_tuner.HyperParameters, "_hps")
    with pytest.raises(ImportError, match=r"HyperParameters._hps \(all hyperparameters, by name\)"):
        kt_hpo.HyperParameters()


def test_the_version_to_install_is_the_one_that_is_required():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert TESTED in project["project"]["dependencies"]


class Passing(keras_tuner.HyperModel):
    def build(self, hp):
        return keras.optimizers.SGD(hp.Float("rate", 0, 1))


class Hiding(keras_tuner.HyperModel):
    def build(self, hp):
        return keras.optimizers.SGD(math.log(hp.Float("rate", 1, 2)))


def test_a_build_is_read_in_its_class(monkeypatch):
    hypermodels = Passing(), Hiding()
    written = [build_of(hypermodel) for hypermodel in hypermodels]
    hide(monkeypatch, keras_tuner.HyperModel, "_build")
    assert [build_of(hypermodel) for hypermodel in hypermodels] == written
    assert [hands_values_on(hypermodel) for hypermodel in hypermodels] == [True, False]


def searched(folder):
    given = keras_tuner.HyperParameters()
    given.Float("x", 0, 0.5)
    tuner = Black(max_trials=5, seed=0, directory=folder, hyperparameters=given)
    tuner.search(verbose=0)
    return given, [trial.params for trial in tuner.study.trials]


class Renamed(keras_tuner.HyperParameters):
    """Keras Tuner's hyperparameters, whose parts have other names for others."""

    def __getattribute__(self, name):
        if name in ("_hps", "_space") and not self.__dict__.get("is_asked_by_itself"):
            raise AttributeError(name)
        return super().__getattribute__(name)

    def merge(self, *args, **kwargs):
        self.__dict__["is_asked_by_itself"] = True
        super().merge(*args, **kwargs)


def test_a_users_hyperparameters_show_the_space_of_the_search(tmp_path):
    given, found = searched(tmp_path)
    assert [one.name for one in given.space] == ["x", "n"]
    assert all(0 <= params["x"] <= 0.5 for params in found)


def test_they_show_it_where_its_parts_have_other_names():
    space = keras_tuner.HyperParameters()
    space.Float("x", 0, 0.5)
    space.Int("n", 1, 9)
    given = Renamed()
    show_space(given, space)
    assert [one.get_config() for one in given.space] == [one.get_config() for one in space.space]
    assert given.values == space.values


def test_a_search_is_exported_where_keras_tuner_notes_no_values(tmp_path, monkeypatch):
    _, found = searched(tmp_path)
    with monkeypatch.context() as patched:
        patched.delattr(keras_tuner.Oracle, "_record_values")
        kt_hpo.export(tmp_path / "untitled_project", tmp_path / "plain", format="keras-tuner")
    plain = keras_tuner.RandomSearch(
        lambda hp: None,
        keras_tuner.Objective("default_objective", "min"),
        directory=tmp_path,
        project_name="plain",
    )
    trials = plain.oracle.trials
    assert [trials[trial_id].hyperparameters.values for trial_id in sorted(trials)] == found
