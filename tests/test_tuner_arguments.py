"""Arguments of tuners that are not allowed: given, allowed, and what to do."""

import json

import keras_tuner
import numpy as np
import optuna
import pytest

import kt_hpo
from kt_hpo import registry

ENGINES = [getattr(kt_hpo, engine.tuner) for engine in registry.ENGINES if engine.has_oracle]


def build(hp):
    raise AssertionError("an argument that is not allowed is found before anything is built")


def made(tmp_path, kind=kt_hpo.RandomSearch, **given):
    return kind(build, objective="val_loss", **{"directory": tmp_path} | given)


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.__name__)
@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("seed", -1, "from 0 on, or None"),
        ("seed", "1", "from 0 on, or None"),
        ("seed", 1.0, "from 0 on, or None"),
        ("seed", True, "from 0 on, or None"),
        ("max_retries_per_trial", "x", "a whole number from 0 on"),
        ("max_retries_per_trial", -1, "a whole number from 0 on"),
        ("max_consecutive_failed_trials", 0, "a whole number from 1 on"),
        ("max_consecutive_failed_trials", None, "a whole number from 1 on"),
        ("hyperparameters", 3, "kt_hpo.HyperParameters"),
        ("hyperparameters", [], "kt_hpo.HyperParameters"),
        ("tune_new_entries", "no", "True or False"),
        ("allow_new_entries", 1, "True or False"),
        ("max_model_size", "x", "from 1 on, or None"),
        ("max_model_size", 0, "from 1 on, or None"),
        ("executions_per_trial", True, "a whole number from 1 on"),
        ("early_stopping", 2.5, "from 1 on, or None"),
        ("overwrite", "yes", "True or False"),
        ("try_defaults", None, "True or False"),
        ("directory", 3, "give a path"),
        ("project_name", 1, "give a text"),
        ("project_name", " ", "give a text"),
        ("project_name", "../elsewhere", "leads out of directory"),
        ("project_name", "/tmp/elsewhere", "leads out of directory"),
        ("storage", "trials.db", "'sqlite:///trials.db'"),
        ("storage", 3, "an Optuna storage or its URL"),
        ("warm_start", "runs/old", "kt_hpo.open_study"),
        ("tuner_id", 7, "give a text"),
    ],
)
def test_it_is_said_what_was_given_and_what_is_allowed(engine, name, value, allowed, tmp_path):
    with pytest.raises((ValueError, TypeError), match=name) as raised:
        made(tmp_path, engine, **{name: value})
    assert repr(value) in str(raised.value)
    assert allowed in str(raised.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("value", [True, 0, 2.0, "3", [1]])
def test_max_trials_is_a_whole_number(value, tmp_path):
    for engine in (kt_hpo.RandomSearch, kt_hpo.GridSearch, kt_hpo.OptunaSearch):
        with pytest.raises(ValueError, match=r"max_trials=.*from 1 on, or None"):
            made(tmp_path, engine, max_trials=value)


@pytest.mark.parametrize(
    ("engine", "given", "message"),
    [
        (kt_hpo.Hyperband, {"max_epochs": 0}, "max_epochs=0"),
        (kt_hpo.Hyperband, {"factor": 1}, "factor=1 .* from 2 on"),
        (kt_hpo.Hyperband, {"hyperband_iterations": 1.5}, "hyperband_iterations=1.5"),
        (kt_hpo.BayesianOptimization, {"alpha": 0}, "alpha=0 .* above 0"),
        (kt_hpo.BayesianOptimization, {"beta": "x"}, "beta='x'"),
        (kt_hpo.BayesianOptimization, {"num_initial_points": -2}, "num_initial_points=-2"),
        (kt_hpo.EvolutionarySearch, {"population_size": "x"}, "population_size='x'"),
        (kt_hpo.EvolutionarySearch, {"inherit_weights": 2}, "inherit_weights=2"),
        (kt_hpo.PopulationBasedTraining, {"perturb": 3}, "perturb=3"),
        (kt_hpo.PopulationBasedTraining, {"quantile": np.nan}, "quantile=nan"),
        (kt_hpo.OptunaSearch, {"sampler": 3}, "sampler=3"),
        (kt_hpo.RandomSearch, {"max_trails": 3}, "max_trails=.*Did you mean 'max_trials'"),
        (kt_hpo.RandomSearch, {"executor": []}, "executor="),
    ],
)
def test_an_engine_s_own_arguments_too(engine, given, message, tmp_path):
    with pytest.raises((ValueError, TypeError), match=message):
        made(tmp_path, engine, **given)


def test_numbers_of_numpy_are_numbers(tmp_path):
    class Box(kt_hpo.OptunaSearch):
        def run_trial(self, trial):
            return trial.hyperparameters.Float("x", 0, 1)

    def values(integer, name):
        tuner = Box(
            max_trials=integer(3), seed=integer(2), max_retries_per_trial=integer(1),
            executions_per_trial=integer(1), directory=tmp_path, project_name=name,
        )  # fmt: skip
        tuner.search(verbose=0)
        return [trial.params for trial in tuner.study.trials]

    assert values(np.int64, "numpy") == values(int, "python")
    assert json.dumps(kt_hpo.open_study(tmp_path / "numpy").user_attrs)


def test_what_is_no_hypermodel(tmp_path):
    class Model(keras_tuner.HyperModel):
        def build(self, hp):
            raise AssertionError

    for hypermodel, message in ((Model, r"is a class.*Model\(\)"), (3, "hypermodel=3")):
        with pytest.raises(ValueError, match=message):
            kt_hpo.RandomSearch(hypermodel, "val_loss", directory=tmp_path)
    with pytest.raises(ValueError, match="oracle='random'"):
        kt_hpo.Tuner("random", build, directory=tmp_path)


def test_a_database_that_is_not_there(tmp_path):
    with pytest.raises(ValueError, match=r"cannot be opened: .*Check the URL, that its directory"):
        made(tmp_path, storage=f"sqlite:///{tmp_path}/missing/trials.db")
    with pytest.raises(ValueError, match="cannot be opened"):
        made(tmp_path, storage="nonsense://x")


def test_a_project_s_name_may_have_parts(tmp_path):
    class Box(kt_hpo.RandomSearch):
        def run_trial(self, trial):
            return trial.hyperparameters.Float("x", 0, 1)

    tuner = Box(max_trials=1, directory=tmp_path, project_name="digits/mlp")
    tuner.search(verbose=0)
    assert (tmp_path / "digits" / "mlp" / "record.journal").is_file()


def test_an_oracle_of_keras_tuner_is_checked_as_well(tmp_path):
    oracle = keras_tuner.oracles.RandomSearchOracle("val_loss", max_trials=2, seed=-3)
    with pytest.raises(ValueError, match="seed=-3"):
        kt_hpo.Tuner(oracle, build, directory=tmp_path)


def test_a_study_is_taken_as_a_warm_start(tmp_path):
    study = optuna.create_study()
    with pytest.raises(ValueError, match="could not be built"):  # All is allowed till then.
        made(tmp_path, kt_hpo.OptunaSearch, warm_start=study)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda junk: kt_hpo.OptunaSearch(build, sampler=junk), TypeError),
        (lambda junk: kt_hpo.BayesOptSearch(build, acquisition=junk), TypeError),
        (lambda junk: kt_hpo.BayesianOptimization(build, engine=junk), ValueError),
        (lambda junk: kt_hpo.RandomSearch(build, precision=junk), ValueError),
        (lambda junk: kt_hpo.RandomSearch(build, executor=junk), ValueError),
        (lambda junk: kt_hpo.Measure(len, direction=junk), ValueError),
        (lambda junk: kt_hpo.export(optuna.create_study(), format=junk), ValueError),
        (
            lambda junk: kt_hpo.plots.plot_importances(optuna.create_study(), method=junk),
            ValueError,
        ),
        (lambda junk: kt_hpo.datasets.from_images("images", color_mode=junk), ValueError),
    ],
)
@pytest.mark.parametrize("junk", [np.arange(3), [], {}, np.array("tpe")], ids=repr)
def test_what_compares_in_its_own_way_is_no_name(call, error, junk, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=r"array|\[\]|\{\}"):
        call(junk)
