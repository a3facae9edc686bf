"""A tuner, from its arguments to what it has found."""

import subprocess
import sys
import textwrap
from pathlib import Path

import keras
import keras_tuner
import numpy as np
import pytest
from models import build
from searches import FIT, X, Y, searched

import kt_hpo


class Parabola(kt_hpo.RandomSearch):
    """A black-box function, as Keras Tuner's documentation optimizes one."""

    def run_trial(self, trial, *args, **kwargs):
        x = trial.hyperparameters.Float("x", -1, 1)
        return x * x


def test_a_search_finds_better_models(tmp_path):
    tuner = searched(tmp_path, max_trials=5, fit=FIT | {"epochs": 4, "batch_size": 50})
    scores = [trial.value for trial in tuner.study.trials]
    assert tuner.study.best_value == max(scores) > np.median(scores)
    assert tuner.study.best_value > 0.8


class Ends(kt_hpo.HyperModel):
    """Hyperparameters whose defaults are no ends of their ranges, one of them conditional."""

    def build(self, hp):
        kind = hp.Choice("kind", ["a", "b"], default="b")
        hp.Float("rate", 1e-4, 1e-1, sampling="log", default=3e-3)
        with hp.conditional_scope("kind", ["a"]):
            hp.Int("only_a", 1, 9, default=4)
        with hp.conditional_scope("kind", ["b"]):
            units = hp.Int("only_b", 1, 9, default=5)
        return build_small(units if kind == "b" else 3)


def build_small(units):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(units)])
    model.compile("sgd", "mse", run_eagerly=True)
    return model


@pytest.mark.parametrize("kind", [kt_hpo.RandomSearch, kt_hpo.BayesianOptimization])
def test_a_search_begins_with_the_defaults_where_it_is_asked_to(kind, tmp_path):
    class Blind(kind):
        def run_trial(self, trial, *args, **kwargs):
            return trial.hyperparameters.get("rate")

    def params(count, **given):
        tuner = Blind(Ends(), max_trials=count, seed=1, directory=tmp_path, **given)
        tuner.search(verbose=0)
        return [trial.params for trial in tuner.study.trials]

    plain = params(2, project_name="plain")
    defaults = {"kind": "b", "rate": 3e-3, "only_b": 5}
    assert defaults not in plain
    assert params(2, project_name="plain", try_defaults=True) == plain, "it has begun already"
    first, second = params(2, project_name="tries", try_defaults=True)
    assert first == defaults != second
    assert params(3, project_name="tries", try_defaults=True)[:2] == [first, second]


@pytest.mark.slow
def test_the_best_model_is_the_one_that_was_measured(tmp_path):
    tuner = searched(tmp_path, max_trials=3)
    validation = X[150:], Y[150:]
    for model, trial in zip(tuner.get_best_models(3), tuner.oracle.get_best_trials(3), strict=True):
        measured = model.evaluate(*validation, verbose=0, return_dict=True)
        assert measured["accuracy"] == pytest.approx(trial.score)
    hp = tuner.get_best_hyperparameters()[0]
    assert hp["units"] == tuner.study.best_params["units"]
    assert hp["rate"] == tuner.study.best_params["rate"]


@pytest.mark.slow
def test_a_second_run_has_nothing_left_to_do(tmp_path):
    first = searched(tmp_path, max_trials=1).study.trials
    assert searched(tmp_path, max_trials=1).study.trials == first
    more = searched(tmp_path).study.trials
    assert len(more) == 2
    assert more[:1] == first
    fresh = searched(tmp_path, max_trials=1, overwrite=True, seed=5).study.trials
    assert fresh[0].params != first[0].params


def test_trials_that_another_executor_has_left_running_are_run(tmp_path):
    tuner = Parabola(max_trials=3, seed=0, directory=tmp_path)
    left = tuner.oracle.create_trial(f"{tuner.tuner_id}:2")  # Asked for by a worker that is gone.
    tuner.search()
    assert [trial.state.name for trial in tuner.study.trials] == ["COMPLETE"] * 3
    assert not tuner.oracle.ongoing_trials and left.trial_id == "0000"


def test_a_function_can_be_optimized(tmp_path):
    tuner = Parabola(max_trials=30, seed=0, directory=tmp_path)
    tuner.search()
    assert tuner.study.best_value < 0.01
    assert [trial.params["x"] ** 2 for trial in tuner.study.trials] == [
        trial.value for trial in tuner.study.trials
    ]


def test_hooks_of_a_subclass_are_called(tmp_path):
    calls = []

    class Hooked(kt_hpo.RandomSearch):
        def on_epoch_end(self, trial, model, epoch, logs=None):
            calls.append((trial.trial_id, epoch, "val_accuracy" in logs))

        def on_batch_end(self, trial, model, batch, logs=None):
            calls.append("batch")

        def on_search_begin(self):
            calls.append("search")

    searched(tmp_path, Hooked, max_trials=1, fit=FIT | {"batch_size": 50})
    assert calls[0] == "search"
    assert calls.count("batch") == 6
    assert ("0000", 1, True) in calls


@pytest.mark.slow
def test_verbose_0_is_silent_and_1_is_not(tmp_path, capfd):
    searched(tmp_path, max_trials=1)
    silent = capfd.readouterr()
    assert silent.out == silent.err == ""
    searched(tmp_path, max_trials=1, fit=FIT | {"verbose": 1}, overwrite=True)
    shown = capfd.readouterr()
    assert "trial 0" in shown.out
    assert shown.err == ""


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"executions_per_trial": 0}, "executions_per_trial=0"),
        ({"keep_checkpoints": -1}, "keep_checkpoints=-1"),
        ({"early_stopping": "yes"}, "early_stopping='yes'"),
        ({"max_trials": 0}, "max_trials=0"),
        ({"objective": "cleverness"}, "cleverness"),
        ({"hypermodel": None}, "hypermodel"),
        ({"hypermodel": 3}, "hypermodel"),
        ({"no_such_argument": 1}, "no_such_argument"),
    ],
)
def test_wrong_arguments_are_early_errors(kwargs, message, tmp_path):
    arguments = {"hypermodel": build, "objective": "val_loss", "directory": tmp_path} | kwargs
    with pytest.raises((ValueError, TypeError, keras_tuner.errors.FatalError), match=message):
        kt_hpo.RandomSearch(**arguments)


@pytest.mark.slow
def test_what_is_not_asked_for_is_neither_needed_nor_imported(tmp_path):
    program = textwrap.dedent(
        f"""
        import sys
        sys.modules["tensorboard"] = None
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        import kt_hpo
        RandomSearch = kt_hpo.RandomSearch
        from models import blobs, eager
        tuner = RandomSearch(eager, "val_loss", max_trials=1, directory={str(tmp_path)!r})
        tuner.search(*blobs(), validation_split=0.2, batch_size=200, verbose=0)
        assert len(tuner.study.trials) == 1
        tracking = {{f"kt_hpo.tracking.{{name}}" for name in ("tensorboard", "wandb")}}
        print(sys.modules.keys() & {{"wandb", *tracking}})
        """
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ended.stdout, ended.stderr) == ("set()\n", "")
